package dev.viesti.dispatcher.plugin;

import dev.viesti.persistence.effects.EntityQuery;
import dev.viesti.persistence.effects.EntityRepository;
import dev.viesti.persistence.effects.InvalidQueryException;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.event.Payload;
import dev.viesti.protocol.plugin.EntityType;
import dev.viesti.protocol.plugin.PluginId;
import java.sql.SQLException;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What calls may read of what is stored. Thread-safe; blocks. Always of one app: nothing here can
 * name two.
 */
public interface Reads {
  /** A kv value; its version grows with every write of the key. */
  record Value(Payload value, long version) {}

  /** Null when there is none. */
  @Nullable Value kv(AppId app, String collection, String key) throws SQLException;

  /**
   * Keys of a collection in the order of their code points.
   *
   * @param after the last key of the page before; empty for the first page
   */
  List<String> keys(AppId app, String collection, String prefix, String after, int limit)
      throws SQLException;

  /** Null when there is none, or it was deleted. */
  EntityRepository.@Nullable Entity entity(AppId app, PluginId plugin, String entity, UUID id)
      throws SQLException;

  /**
   * A page of entities.
   *
   * @param unwritten what the caller has changed and not written yet
   * @throws InvalidQueryException naming the part that does not fit the type
   */
  EntityRepository.Page query(
      AppId app,
      PluginId plugin,
      EntityType type,
      EntityQuery query,
      EntityRepository.Unwritten unwritten)
      throws SQLException;

  /** The last number taken; 0 if none was. */
  long lastNumber(AppId app, PluginId plugin, String rule, String period) throws SQLException;
}
