package dev.viesti.dispatcher.plugin;

import dev.viesti.persistence.effects.Effects;
import dev.viesti.protocol.event.Event;
import dev.viesti.protocol.event.Payload;
import dev.viesti.protocol.plugin.PluginId;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What a call has read and wants to write: it sees its own writes, and a value that it has read
 * stays as it was for it. Whatever was read <em>and</em> is written takes effect only if nobody
 * else has changed it meanwhile. For one call, on one thread.
 */
final class CallBuffer {
  /** So many writes of one call: a page of rows or ten, not a migration. */
  static final int WRITES_MAX = 1_000;

  /** What they may weigh: a group of calls must stay below what a transaction should carry. */
  static final long BYTES_MAX = 4 << 20;

  /** What a call may have read of kv: it stays in memory as long as the call does. */
  static final long READ_BYTES_MAX = 8 << 20;

  /** Each is a row, and what follows from it. */
  static final int EVENTS_MAX = 100;

  /** About what a write weighs besides its texts. */
  private static final int WRITE_BYTES = 100;

  /** A value as it is in the store. */
  record Seen(@Nullable Payload value, long version) {}

  record KvKey(String collection, String key) implements Comparable<KvKey> {
    @Override
    public int compareTo(KvKey other) {
      int byCollection = JsonText.BY_CODE_POINT.compare(collection, other.collection);
      return byCollection == 0 ? JsonText.BY_CODE_POINT.compare(key, other.key) : byCollection;
    }
  }

  record EntityKey(PluginId plugin, String entity, UUID id) {}

  private record Series(String rule, String period) {}

  private record Numbers(long expected, long last) {}

  /** A value that is to be put; null is to be deleted. */
  private record KvPending(@Nullable Payload value) {}

  private final Map<KvKey, Seen> seen = new LinkedHashMap<>();
  private final TreeMap<KvKey, KvPending> kv = new TreeMap<>();
  private final Map<EntityKey, EntityPending> entities = new LinkedHashMap<>();
  private final Map<Series, Numbers> numbering = new LinkedHashMap<>();
  private final List<Event> events = new ArrayList<>();
  private int writes;
  private long bytes;
  private long readBytes;

  // ---- kv

  /** What the call sees under a key; null when the store has to be asked. */
  @Nullable Seen kv(KvKey key) {
    KvPending pending = kv.get(key);
    return pending == null ? seen.get(key) : new Seen(pending.value(), Effects.ABSENT);
  }

  void sawKv(KvKey key, Seen stored) throws HostException {
    Payload value = stored.value();
    readBytes += key.key().length() + WRITE_BYTES + (value == null ? 0 : value.size());
    if (readBytes > READ_BYTES_MAX) {
      throw new HostException("a call reads at most " + READ_BYTES_MAX + " bytes of kv");
    }
    seen.putIfAbsent(key, stored);
  }

  /**
   * @param value null deletes
   */
  void writeKv(KvKey key, @Nullable Payload value) throws HostException {
    count(key.collection().length() + key.key().length() + (value == null ? 0 : value.size()));
    kv.put(key, new KvPending(value));
  }

  /** Whether the call has deleted it and not put it again. */
  boolean deletes(KvKey key) {
    KvPending pending = kv.get(key);
    return pending != null && pending.value() == null;
  }

  /** Keys that the call has put, in order. */
  List<String> putKeys(String collection, String prefix) {
    List<String> keys = new ArrayList<>();
    for (var pending : kv.tailMap(new KvKey(collection, prefix), true).entrySet()) {
      KvKey key = pending.getKey();
      if (!key.collection().equals(collection) || !key.key().startsWith(prefix)) {
        break;
      }
      if (pending.getValue().value() != null) {
        keys.add(key.key());
      }
    }
    return keys;
  }

  // ---- entities

  /** What becomes of an entity; null fields mean that it is deleted. */
  record EntityPending(long expected, @Nullable String fields) {
    boolean isNew() {
      return expected == Effects.ABSENT;
    }

    /** The version that the call sees, and the table will have. */
    long version() {
      return expected + 1;
    }
  }

  @Nullable EntityPending entity(EntityKey key) {
    return entities.get(key);
  }

  Map<EntityKey, EntityPending> entities() {
    return entities;
  }

  void insert(EntityKey key, String fields) throws HostException {
    count(fields.length());
    entities.put(key, new EntityPending(Effects.ABSENT, fields));
  }

  /**
   * @param expected the version in the store, unless the call has written it before
   * @param fields null deletes
   */
  void change(EntityKey key, long expected, @Nullable String fields) throws HostException {
    count(fields == null ? 0 : fields.length());
    EntityPending before = entities.get(key);
    if (before == null) {
      entities.put(key, new EntityPending(expected, fields));
    } else if (before.isNew() && fields == null) {
      entities.remove(key); // it never was
    } else {
      entities.put(key, new EntityPending(before.expected(), fields));
    }
  }

  // ---- numbering

  /** The last number of a series that this call knows of; null when the store has to be asked. */
  @Nullable Long last(String rule, String period) {
    Numbers numbers = numbering.get(new Series(rule, period));
    return numbers == null ? null : numbers.last();
  }

  /**
   * Takes the next number.
   *
   * @param last the last one before it
   */
  long next(String rule, String period, long last) throws HostException {
    count(0);
    numbering.merge(
        new Series(rule, period),
        new Numbers(last, last + 1),
        (before, now) -> new Numbers(before.expected(), before.last() + 1));
    return last + 1;
  }

  // ---- events

  void publish(Event event) throws HostException {
    if (events.size() >= EVENTS_MAX) {
      throw new HostException("a call publishes at most " + EVENTS_MAX + " events");
    }
    count(event.weight());
    events.add(event);
  }

  private void count(long weight) throws HostException {
    if (writes >= WRITES_MAX) {
      throw new HostException("a call writes at most " + WRITES_MAX + " times");
    }
    if (bytes + weight + WRITE_BYTES > BYTES_MAX) {
      throw new HostException("a call writes at most " + BYTES_MAX + " bytes");
    }
    writes++;
    bytes += weight + WRITE_BYTES;
  }

  /** What its writes weigh. */
  long bytes() {
    return bytes;
  }

  boolean isEmpty() {
    return kv.isEmpty() && entities.isEmpty() && numbering.isEmpty() && events.isEmpty();
  }

  List<Effects.KvWrite> kvWrites() {
    List<Effects.KvWrite> all = new ArrayList<>(kv.size());
    kv.forEach(
        (key, pending) -> {
          Seen stored = seen.get(key);
          all.add(
              new Effects.KvWrite(
                  key.collection(),
                  key.key(),
                  pending.value(),
                  stored == null ? null : stored.version()));
        });
    return all;
  }

  List<Effects.EntityWrite> entityWrites() {
    List<Effects.EntityWrite> all = new ArrayList<>(entities.size());
    entities.forEach((key, pending) -> all.add(write(key, pending)));
    return all;
  }

  private static Effects.EntityWrite write(EntityKey key, EntityPending pending) {
    String fields = pending.fields();
    if (fields == null) {
      return new Effects.EntityWrite.Delete(
          key.plugin(), key.entity(), key.id(), pending.expected());
    }
    return pending.isNew()
        ? new Effects.EntityWrite.Insert(key.plugin(), key.entity(), key.id(), fields)
        : new Effects.EntityWrite.Update(
            key.plugin(),
            key.entity(),
            key.id(),
            pending.expected(),
            Objects.requireNonNull(fields));
  }

  List<Effects.NumberingStep> steps(PluginId plugin) {
    List<Effects.NumberingStep> all = new ArrayList<>(numbering.size());
    numbering.forEach(
        (series, numbers) ->
            all.add(
                new Effects.NumberingStep(
                    plugin, series.rule(), series.period(), numbers.expected(), numbers.last())));
    return all;
  }

  List<Event> events() {
    return List.copyOf(events);
  }
}
