package dev.viesti.dispatcher.plugin;

import com.fasterxml.jackson.core.JsonPointer;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import dev.viesti.dispatcher.json.Json;
import dev.viesti.dispatcher.wasm.WasmTrapException;
import dev.viesti.persistence.effects.Effects;
import dev.viesti.protocol.event.Event;
import dev.viesti.protocol.event.Payload;
import dev.viesti.protocol.plugin.Manifest;
import dev.viesti.protocol.plugin.NumberingRule;
import dev.viesti.protocol.plugin.Permission;
import dev.viesti.protocol.plugin.Permission.Action;
import dev.viesti.protocol.plugin.PluginId;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.List;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What a call may ask of its host: the same for modules and scripts. Checks each request against
 * the caller's permissions and the call's limits; whatever is wrong with it becomes a {@link
 * HostException}, which the caller sees as an error and may live with. For one call, on one thread.
 */
final class HostApi {
  /** How stores are read: off the processor, with the call's deadline in view. */
  interface Store {
    /**
     * @throws WasmTrapException when the store does not answer, or the call's time is up: either
     *     ends the call, so that no plugin takes an outage for a missing value
     */
    <T extends @Nullable Object> T read(Callable<T> read) throws WasmTrapException;
  }

  /** As the table has it: names, not texts. */
  private static final int KEY_MAX = 256;

  /** A megabyte in a row is for a store of files, not for this one. */
  private static final int VALUE_BYTES_MAX = 1 << 20;

  /** As large as an event from outside may be by default. */
  private static final int EVENT_BYTES_MAX = 1 << 20;

  private static final int LIST_MAX = 1_000;

  /** A line of the log, not a document. */
  private static final int LOG_CHARS_MAX = 4_096;

  /** Enough to see what happens; more would drown what others have to say. */
  private static final int LOG_LINES_MAX = 100;

  /**
   * What it asks in turn.
   *
   * @param log takes lines; on the call's own thread, maybe at the very end of its stack
   * @param ids fresh UUIDv7s
   * @param others manifests of the app's other plugins
   * @param depthMax events in a row that may each be published because of the one before
   */
  record Parts(
      Reads reads,
      Store store,
      Consumer<PluginCall.LogLine> log,
      Supplier<UUID> ids,
      Function<PluginId, @Nullable Manifest> others,
      int depthMax) {}

  private final CallScope scope;
  private final CallBuffer buffer;
  private final Parts parts;
  private final HostEntities entities;
  private int logLines;

  HostApi(CallScope scope, CallBuffer buffer, Parts parts) {
    this.scope = scope;
    this.buffer = buffer;
    this.parts = parts;
    this.entities = new HostEntities(scope, buffer, parts);
  }

  // ---- kv

  byte @Nullable [] kvGet(String collection, String key) throws HostException, WasmTrapException {
    require(Action.KV_READ, collection);
    Payload value = seen(kvKey(collection, key)).value();
    return value == null ? null : value.bytes();
  }

  void kvPut(String collection, String key, byte[] value) throws HostException {
    require(Action.KV_WRITE, collection);
    if (value.length > VALUE_BYTES_MAX) {
      throw new HostException("a value has at most " + VALUE_BYTES_MAX + " bytes");
    }
    buffer.writeKv(kvKey(collection, key), Payload.of(value));
  }

  /**
   * @return whether there was a value
   */
  boolean kvDelete(String collection, String key) throws HostException, WasmTrapException {
    require(Action.KV_WRITE, collection);
    CallBuffer.KvKey named = kvKey(collection, key);
    boolean wasThere = seen(named).value() != null;
    buffer.writeKv(named, null);
    return wasThere;
  }

  /**
   * Keys after {@code after} in the order of their code points, at most {@code limit} or 1,000;
   * fewer mean that there are no more.
   */
  List<String> kvList(String collection, String prefix, String after, long limit)
      throws HostException, WasmTrapException {
    require(Action.KV_READ, collection);
    if (limit < 1) {
      throw new HostException("limit is 1 or more");
    }
    int most = (int) Math.min(limit, LIST_MAX);
    var keys = new TreeSet<>(JsonText.BY_CODE_POINT);
    String from = after;
    boolean more = true;
    while (more && keys.size() < most) {
      String start = from;
      List<String> page =
          parts
              .store()
              .read(() -> parts.reads().keys(scope.app(), collection, prefix, start, most));
      for (String key : page) {
        if (!buffer.deletes(new CallBuffer.KvKey(collection, key))) {
          keys.add(key);
        }
      }
      more = page.size() == most;
      from = more ? page.getLast() : from;
    }
    for (String key : buffer.putKeys(collection, prefix)) {
      // beyond what was read the store may have keys that come first
      if (JsonText.BY_CODE_POINT.compare(key, after) > 0
          && (!more || JsonText.BY_CODE_POINT.compare(key, from) <= 0)) {
        keys.add(key);
      }
    }
    return keys.stream().limit(most).toList();
  }

  private CallBuffer.Seen seen(CallBuffer.KvKey key) throws HostException, WasmTrapException {
    CallBuffer.Seen known = buffer.kv(key);
    if (known != null) {
      return known;
    }
    Reads.Value stored =
        parts.store().read(() -> parts.reads().kv(scope.app(), key.collection(), key.key()));
    var seen =
        stored == null
            ? new CallBuffer.Seen(null, Effects.ABSENT)
            : new CallBuffer.Seen(stored.value(), stored.version());
    buffer.sawKv(key, seen);
    return seen;
  }

  private static CallBuffer.KvKey kvKey(String collection, String key) throws HostException {
    requireName("collection", collection);
    requireName("key", key);
    return new CallBuffer.KvKey(collection, key);
  }

  private static void requireName(String what, String name) throws HostException {
    if (name.isEmpty() || name.length() > KEY_MAX) {
      throw new HostException(what + " has 1 to " + KEY_MAX + " characters, not " + name.length());
    }
    if (name.chars().anyMatch(Character::isISOControl)) {
      throw new HostException(what + " must not contain control characters");
    }
  }

  // ---- entities

  String entityInsert(String entity, String fields) throws HostException, WasmTrapException {
    var unused = requirePlugin("entities are written by the plugin that they belong to");
    require(Action.ENTITY_WRITE, entity);
    return entities.insert(entity, fields);
  }

  long entityUpdate(String entity, String id, long version, String fields)
      throws HostException, WasmTrapException {
    var unused = requirePlugin("entities are written by the plugin that they belong to");
    require(Action.ENTITY_WRITE, entity);
    return entities.update(entity, id, version, fields);
  }

  void entityDelete(String entity, String id, long version)
      throws HostException, WasmTrapException {
    var unused = requirePlugin("entities are written by the plugin that they belong to");
    require(Action.ENTITY_WRITE, entity);
    entities.delete(entity, id, version);
  }

  String entityQuery(String entity, String query) throws HostException, WasmTrapException {
    require(Action.ENTITY_READ, entity);
    return entities.query(entity, query);
  }

  // ---- numbering

  String numberingNext(String rule) throws HostException, WasmTrapException {
    InstalledPlugin plugin = requirePlugin("numbers are counted by plugins");
    require(Action.NUMBERING_NEXT, rule);
    NumberingRule known = plugin.manifest().numbering(rule);
    if (known == null) {
      throw new HostException("the manifest has no numbering rule '" + rule + "'");
    }
    LocalDate day = LocalDate.ofInstant(scope.now(), ZoneOffset.UTC);
    String period = known.period(day);
    Long last = buffer.last(rule, period);
    if (last == null) {
      last =
          parts
              .store()
              .read(() -> parts.reads().lastNumber(scope.app(), plugin.id(), rule, period));
    }
    return known.format(day, buffer.next(rule, period, last));
  }

  // ---- config

  /**
   * @param pointer JSON Pointer; empty for all of it
   * @return JSON; null when there is nothing
   */
  @Nullable String configGet(String pointer) throws HostException {
    String config = requirePlugin("a configuration belongs to a plugin").config();
    require(Action.CONFIG_READ, "");
    if (config == null) {
      return null;
    }
    try {
      JsonNode found = Json.MAPPER.readTree(config).at(JsonPointer.compile(pointer));
      return found.isMissingNode() ? null : found.toString();
    } catch (JsonProcessingException impossible) {
      throw new HostException("the configuration cannot be read");
    } catch (IllegalArgumentException wrong) {
      throw new HostException(
          "a JSON Pointer is empty or begins with '/', as in /limits/daily, not '" + pointer + "'");
    }
  }

  // ---- events

  /**
   * @param subject empty for none
   * @return the event's id
   */
  String publish(String type, String subject, byte[] payload) throws HostException {
    require(Action.EVENT_PUBLISH, type);
    if (payload.length > EVENT_BYTES_MAX) {
      throw new HostException("an event has at most " + EVENT_BYTES_MAX + " bytes");
    }
    Event cause = scope.cause();
    int depth = cause == null ? 0 : cause.depth() + 1;
    if (depth > parts.depthMax()) {
      throw new HostException(
          "events that were published because of events: %d in a row are enough"
              .formatted(parts.depthMax()));
    }
    try {
      var event =
          new Event(
              parts.ids().get(),
              null,
              scope.caller().kind() + "/" + scope.caller().name(),
              type,
              subject.isEmpty() ? null : subject,
              null,
              Payload.of(payload),
              payload.length > 0 && !JsonText.isJson(payload),
              scope.principal(),
              depth,
              cause == null ? null : cause.root(),
              cause == null ? null : cause.traceparent());
      buffer.publish(event);
      return event.id().toString();
    } catch (IllegalArgumentException wrong) {
      throw new HostException(String.valueOf(wrong.getMessage()));
    }
  }

  // ---- log

  void log(String level, String message) throws HostException {
    require(Action.LOG_WRITE, "");
    if (++logLines > LOG_LINES_MAX) {
      throw new HostException("a call writes at most " + LOG_LINES_MAX + " lines to the log");
    }
    parts.log().accept(new PluginCall.LogLine(level, JsonText.oneLine(message, LOG_CHARS_MAX)));
  }

  // ---- context

  /** What the call is about. */
  CallScope scope() {
    return scope;
  }

  /** What the call is about, for those who may know. */
  CallScope context() throws HostException {
    require(Action.CONTEXT_READ, "");
    return scope;
  }

  List<String> permissions() throws HostException {
    return context().caller().permissions().stream().map(Permission::toString).toList();
  }

  private void require(Action action, String what) throws HostException {
    Caller caller = scope.caller();
    if (!caller.allows(action, what)) {
      throw new HostException(
          "%s does not permit %s%s"
              .formatted(
                  caller.grantor(), action.text(), what.isEmpty() ? "" : " on '" + what + "'"));
    }
  }

  /**
   * @param why scripts have none of it
   */
  private InstalledPlugin requirePlugin(String why) throws HostException {
    InstalledPlugin plugin = scope.plugin();
    if (plugin == null) {
      throw new HostException(why + ": a script cannot ask for it");
    }
    return plugin;
  }
}
