package dev.viesti.persistence.effects;

import dev.viesti.persistence.Database;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.plugin.PluginId;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;

/** Reads where series of numbers stand. Thread-safe; blocks. */
public final class NumberingRepository {
  private static final String LAST =
      """
      select last
      from numbering
      where app_id = ? and plugin_id = ? and rule = ? and period = ?
      """;

  private final Database database;

  public NumberingRepository(Database database) {
    this.database = database;
  }

  /** The last number that was taken, 0 when none was. */
  public long last(AppId app, PluginId plugin, String rule, String period) throws SQLException {
    try (Connection connection = database.connection();
        PreparedStatement statement = connection.prepareStatement(LAST)) {
      statement.setString(1, app.value());
      statement.setString(2, plugin.value());
      statement.setString(3, rule);
      statement.setString(4, period);
      try (ResultSet row = statement.executeQuery()) {
        return row.next() ? row.getLong(1) : 0;
      }
    }
  }
}
