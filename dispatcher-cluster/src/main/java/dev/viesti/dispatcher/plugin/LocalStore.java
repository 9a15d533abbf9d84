package dev.viesti.dispatcher.plugin;

import dev.viesti.dispatcher.commit.EffectsLane;
import dev.viesti.persistence.effects.Effects;
import dev.viesti.persistence.effects.Effects.Result;
import dev.viesti.persistence.effects.EntityQuery;
import dev.viesti.persistence.effects.EntityRepository.Entity;
import dev.viesti.persistence.effects.EntityRepository.Page;
import dev.viesti.persistence.effects.EntityRepository.Unwritten;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.event.Event;
import dev.viesti.protocol.event.Payload;
import dev.viesti.protocol.plugin.EntityType;
import dev.viesti.protocol.plugin.PluginId;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What is stored, in memory: for plugins that are tried out without a server. Keeps the rules of
 * the database (versions, all or nothing, in turn), but knows no owners and no deliveries.
 * Thread-safe.
 */
public final class LocalStore implements Reads, EffectsLane.Commits {
  private record KvKey(AppId app, String collection, String key) {}

  private record Series(AppId app, PluginId plugin, String rule, String period) {}

  private record EntityKey(AppId app, PluginId plugin, String entity, UUID id) {}

  private final Map<KvKey, Value> kv = new HashMap<>();
  private final Map<Series, Long> numbers = new HashMap<>();
  private final Map<EntityKey, Entity> entities = new HashMap<>();
  private final Set<EntityKey> deleted = new HashSet<>();
  private final List<Event> events = new ArrayList<>();
  private final Clock clock;
  private long versions;

  public LocalStore(Clock clock) {
    this.clock = clock;
  }

  @Override
  public synchronized @Nullable Value kv(AppId app, String collection, String key) {
    return kv.get(new KvKey(app, collection, key));
  }

  @Override
  public synchronized List<String> keys(
      AppId app, String collection, String prefix, String after, int limit) {
    return kv.keySet().stream()
        .filter(key -> key.app().equals(app) && key.collection().equals(collection))
        .map(KvKey::key)
        .filter(key -> key.startsWith(prefix))
        .filter(key -> JsonText.BY_CODE_POINT.compare(key, after) > 0)
        .sorted(JsonText.BY_CODE_POINT)
        .limit(limit)
        .toList();
  }

  /** All values of an app, by {@code collection/key}. */
  public synchronized Map<String, Payload> kv(AppId app) {
    var all = new TreeMap<String, Payload>();
    kv.forEach(
        (key, value) -> {
          if (key.app().equals(app)) {
            all.put(key.collection() + "/" + key.key(), value.value());
          }
        });
    return all;
  }

  @Override
  public synchronized long lastNumber(AppId app, PluginId plugin, String rule, String period) {
    return Objects.requireNonNullElse(
        numbers.get(new Series(app, plugin, rule, period)), Effects.ABSENT);
  }

  @Override
  public synchronized @Nullable Entity entity(AppId app, PluginId plugin, String entity, UUID id) {
    return entities.get(new EntityKey(app, plugin, entity, id));
  }

  @Override
  public synchronized Page query(
      AppId app, PluginId plugin, EntityType type, EntityQuery query, Unwritten unwritten) {
    List<Entity> all = new ArrayList<>(unwritten.there());
    entities.forEach(
        (key, entity) -> {
          if (key.app().equals(app)
              && key.plugin().equals(plugin)
              && key.entity().equals(type.name())
              && !unwritten.touched().contains(key.id())) {
            all.add(entity);
          }
        });
    return LocalEntities.query(type, query, all);
  }

  /** All entities of a plugin by {@code type/id}. */
  public synchronized Map<String, Entity> entities(AppId app, PluginId plugin) {
    var all = new TreeMap<String, Entity>();
    entities.forEach(
        (key, entity) -> {
          if (key.app().equals(app) && key.plugin().equals(plugin)) {
            all.put(key.entity() + "/" + key.id(), entity);
          }
        });
    return all;
  }

  /** What was published, in the order of the commits. */
  public synchronized List<Event> events() {
    return List.copyOf(events);
  }

  @Override
  public synchronized List<Result> commit(List<Effects> group) {
    return group.stream().map(this::commit).toList();
  }

  private Result commit(Effects effects) {
    String overtaken = overtaken(effects);
    if (overtaken != null) {
      return new Result.Conflict(overtaken);
    }
    for (Effects.KvWrite write : effects.kv()) {
      var key = new KvKey(effects.app(), write.collection(), write.key());
      Payload value = write.value();
      if (value == null) {
        kv.remove(key);
      } else {
        kv.put(key, new Value(value, ++versions));
      }
    }
    for (Effects.EntityWrite write : effects.entities()) {
      write(effects, write);
    }
    for (Effects.NumberingStep step : effects.numbering()) {
      numbers.put(
          new Series(effects.app(), step.plugin(), step.rule(), step.period()), step.last());
    }
    events.addAll(effects.events());
    return new Result.Committed();
  }

  private static EntityKey key(Effects effects, Effects.EntityWrite write) {
    return new EntityKey(effects.app(), write.plugin(), write.entity(), write.id());
  }

  private void write(Effects effects, Effects.EntityWrite write) {
    EntityKey key = key(effects, write);
    Instant now = clock.instant();
    switch (write) {
      case Effects.EntityWrite.Insert insert ->
          entities.put(
              key, new Entity(key.id(), 1, insert.json(), now, effects.by(), now, effects.by()));
      case Effects.EntityWrite.Update update ->
          entities.computeIfPresent(
              key,
              (same, before) ->
                  new Entity(
                      key.id(),
                      update.expected() + 1,
                      update.json(),
                      before.createdAt(),
                      before.createdBy(),
                      now,
                      effects.by()));
      case Effects.EntityWrite.Delete delete -> {
        entities.remove(key);
        deleted.add(key);
      }
    }
  }

  private boolean isOvertaken(Effects effects, Effects.EntityWrite write) {
    EntityKey key = key(effects, write);
    Entity stored = entities.get(key);
    long version = stored == null ? Effects.ABSENT : stored.version();
    return switch (write) {
      case Effects.EntityWrite.Insert insert -> stored != null || deleted.contains(key);
      case Effects.EntityWrite.Update update -> version != update.expected();
      case Effects.EntityWrite.Delete delete -> version != delete.expected();
    };
  }

  private @Nullable String overtaken(Effects effects) {
    for (Effects.KvWrite write : effects.kv()) {
      Value stored = kv.get(new KvKey(effects.app(), write.collection(), write.key()));
      Long expected = write.expected();
      long version = stored == null ? Effects.ABSENT : stored.version();
      if (expected != null && expected != version) {
        return "kv " + write.collection() + "/" + write.key();
      }
    }
    for (Effects.EntityWrite write : effects.entities()) {
      if (isOvertaken(effects, write)) {
        return "entity " + write.entity() + " " + write.id();
      }
    }
    for (Effects.NumberingStep step : effects.numbering()) {
      long last = lastNumber(effects.app(), step.plugin(), step.rule(), step.period());
      if (last != step.expected()) {
        return "numbering " + step.rule();
      }
    }
    return null;
  }
}
