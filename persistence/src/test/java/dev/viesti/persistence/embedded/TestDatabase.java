package dev.viesti.persistence.embedded;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import javax.sql.DataSource;

/**
 * An empty database of the JVM's test server.
 *
 * @param user a superuser
 */
public record TestDatabase(String url, String user, String password) {

  /** Unpooled: each connection is a new one. */
  public DataSource dataSource() {
    return new DriverDataSource(this);
  }

  public Connection connect() throws SQLException {
    return DriverManager.getConnection(url, user, password);
  }

  /** Runs statements, separated by semicolons. */
  public void execute(String sql) throws SQLException {
    try (var connection = connect();
        var statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  /** The first column of the first row. */
  public String queryText(String sql) throws SQLException {
    try (var connection = connect();
        var statement = connection.createStatement();
        var rows = statement.executeQuery(sql)) {
      if (!rows.next()) {
        throw new AssertionError("no row: " + sql);
      }
      return String.valueOf(rows.getString(1));
    }
  }
}
