package dev.viesti.persistence.plugin;

import dev.viesti.persistence.Database;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.plugin.PluginId;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.Collection;
import java.util.function.Function;

/**
 * Which modules apps need, for {@link ArtifactRepository#sweep}. An app's owner writes a use down
 * before its journal says that there is one, and removes it afterwards; {@code seq} is a number of
 * that journal, which only grows, so that a former owner removes nothing that it does not know of.
 * Thread-safe; every method blocks.
 */
public final class ModuleUseRepository {
  /** What a plugin of an app needs. */
  public record Use(PluginId plugin, String sha256) {}

  /** The update makes a sweep that is about to delete the module look again. */
  private static final String ADD =
      """
      with there as (
        update plugin_artifact set created_at = now() where sha256 = ? returning sha256
      )
      insert into module_use (since, app_id, plugin_id, sha256)
      select ?, ?, ?, there.sha256 from there
      on conflict (app_id, plugin_id, sha256)
      do update set since = greatest(module_use.since, excluded.since)
      """;

  /** Modules that are not there any more have no uses. */
  private static final String ADD_MISSING =
      """
      insert into module_use (since, app_id, plugin_id, sha256)
      select ?, ?, n.plugin_id, n.sha256
      from unnest(?::text[], ?::text[]) as n (plugin_id, sha256)
      join plugin_artifact a on a.sha256 = n.sha256
      on conflict (app_id, plugin_id, sha256) do nothing
      """;

  private static final String REMOVE_OTHERS =
      """
      delete from module_use
      where app_id = ?
        and since <= ?
        and (plugin_id, sha256) not in (select * from unnest(?::text[], ?::text[]))
      """;

  private final Database database;

  public ModuleUseRepository(Database database) {
    this.database = database;
  }

  /**
   * Writes down that the event {@code seq} of an app may need a module.
   *
   * @return false when there is no such module any more: it has to be uploaded again
   */
  public boolean add(AppId app, Use use, long seq) throws SQLException {
    try (Connection connection = database.connection();
        PreparedStatement statement = connection.prepareStatement(ADD)) {
      statement.setString(1, use.sha256());
      statement.setLong(2, seq);
      statement.setString(3, app.value());
      statement.setString(4, use.plugin().value());
      return statement.executeUpdate() == 1;
    }
  }

  /**
   * Removes all uses of an app but these, unless they are of later events; adds what is missing.
   *
   * @param uses that the app has after its event {@code seq}, and those that it is about to have
   */
  public void keep(AppId app, Collection<Use> uses, long seq) throws SQLException {
    Object[] plugins = column(uses, use -> use.plugin().value());
    Object[] modules = column(uses, Use::sha256);
    try (Connection connection = database.connection()) {
      if (!uses.isEmpty()) {
        try (PreparedStatement statement = connection.prepareStatement(ADD_MISSING)) {
          statement.setLong(1, seq);
          statement.setString(2, app.value());
          statement.setArray(3, connection.createArrayOf("text", plugins));
          statement.setArray(4, connection.createArrayOf("text", modules));
          statement.executeUpdate();
        }
      }
      try (PreparedStatement statement = connection.prepareStatement(REMOVE_OTHERS)) {
        statement.setString(1, app.value());
        statement.setLong(2, seq);
        statement.setArray(3, connection.createArrayOf("text", plugins));
        statement.setArray(4, connection.createArrayOf("text", modules));
        statement.executeUpdate();
      }
    }
  }

  private static Object[] column(Collection<Use> uses, Function<Use, String> value) {
    return uses.stream().map(value).toArray();
  }
}
