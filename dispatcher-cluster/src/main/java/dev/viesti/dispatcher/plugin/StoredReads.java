package dev.viesti.dispatcher.plugin;

import dev.viesti.persistence.Database;
import dev.viesti.persistence.effects.EntityQuery;
import dev.viesti.persistence.effects.EntityRepository;
import dev.viesti.persistence.effects.KvRepository;
import dev.viesti.persistence.effects.NumberingRepository;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.plugin.EntityType;
import dev.viesti.protocol.plugin.PluginId;
import java.sql.SQLException;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** What is stored in PostgreSQL. Thread-safe; blocks. */
public final class StoredReads implements Reads {
  private final KvRepository kv;
  private final EntityRepository entities;
  private final NumberingRepository numbering;

  public StoredReads(Database database) {
    this.kv = new KvRepository(database);
    this.entities = new EntityRepository(database);
    this.numbering = new NumberingRepository(database);
  }

  @Override
  public @Nullable Value kv(AppId app, String collection, String key) throws SQLException {
    KvRepository.Value found = kv.get(app, collection, key);
    return found == null ? null : new Value(found.data(), found.version());
  }

  @Override
  public List<String> keys(AppId app, String collection, String prefix, String after, int limit)
      throws SQLException {
    return kv.list(app, collection, prefix, after, limit).stream()
        .map(KvRepository.Key::key)
        .toList();
  }

  @Override
  public EntityRepository.@Nullable Entity entity(
      AppId app, PluginId plugin, String entity, UUID id) throws SQLException {
    return entities.get(app, plugin, entity, id);
  }

  @Override
  public EntityRepository.Page query(
      AppId app,
      PluginId plugin,
      EntityType type,
      EntityQuery query,
      EntityRepository.Unwritten unwritten)
      throws SQLException {
    return entities.query(app, plugin, type, query, unwritten);
  }

  @Override
  public long lastNumber(AppId app, PluginId plugin, String rule, String period)
      throws SQLException {
    return numbering.last(app, plugin, rule, period);
  }
}
