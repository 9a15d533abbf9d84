package dev.viesti.persistence.effects;

import dev.viesti.persistence.Database;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.plugin.PluginId;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.List;

/**
 * Removes what plugins kept, for good, when an app is deleted or a plugin is uninstalled. In
 * batches: repeat until nothing was left. Rows that are being written are passed over, so it waits
 * for nobody; end the calls first, or their effects stay. Thread-safe; blocks.
 */
public final class ForgetRepository {
  private static final String KV =
      """
      delete from kv
      where ctid = any (array (
        select ctid from kv where app_id = ? limit ? for update skip locked))
      """;

  private static final String ENTITIES =
      """
      delete from plugin_entity
      where ctid = any (array (
        select ctid from plugin_entity where app_id = ? limit ? for update skip locked))
      """;

  private static final String NUMBERING =
      """
      delete from numbering
      where ctid = any (array (
        select ctid from numbering where app_id = ? limit ? for update skip locked))
      """;

  private static final String ENTITIES_OF_PLUGIN =
      """
      delete from plugin_entity
      where ctid = any (array (
        select ctid from plugin_entity
        where app_id = ? and plugin_id = ?
        limit ?
        for update skip locked))
      """;

  private static final String NUMBERING_OF_PLUGIN =
      """
      delete from numbering
      where ctid = any (array (
        select ctid from numbering
        where app_id = ? and plugin_id = ?
        limit ?
        for update skip locked))
      """;

  private final Database database;

  public ForgetRepository(Database database) {
    this.database = database;
  }

  /**
   * Removes up to {@code limit} rows of an app: values, entities (also deleted ones), numbers.
   *
   * @return how many it were; fewer than {@code limit} when nothing is left
   */
  public int forget(AppId app, int limit) throws SQLException {
    return remove(List.of(KV, ENTITIES, NUMBERING), limit, app.value());
  }

  /**
   * Removes up to {@code limit} entities and numbers of a plugin. Values belong to the app, and
   * stay.
   *
   * @return how many it were; fewer than {@code limit} when nothing is left
   */
  public int forget(AppId app, PluginId plugin, int limit) throws SQLException {
    return remove(
        List.of(ENTITIES_OF_PLUGIN, NUMBERING_OF_PLUGIN), limit, app.value(), plugin.value());
  }

  private int remove(List<String> deletes, int limit, String... names) throws SQLException {
    int removed = 0;
    try (Connection connection = database.connection()) {
      for (String delete : deletes) {
        if (removed < limit) {
          try (PreparedStatement statement = connection.prepareStatement(delete)) {
            for (int i = 0; i < names.length; i++) {
              statement.setString(i + 1, names[i]);
            }
            statement.setInt(names.length + 1, limit - removed);
            removed += statement.executeUpdate();
          }
        }
      }
    }
    return removed;
  }
}
