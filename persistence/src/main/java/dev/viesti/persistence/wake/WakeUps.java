package dev.viesti.persistence.wake;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGConnection;
import org.postgresql.PGNotification;

/**
 * A connection of its own that listens to the channel of clients' wake-ups. It sits idle for days,
 * which no pool's connection should. For one thread.
 */
public final class WakeUps implements AutoCloseable {
  /** What clients notify. */
  public static final String CHANNEL = "viesti";

  private final Connection connection;

  private WakeUps(Connection connection) {
    this.connection = connection;
  }

  /** Connects and listens. */
  public static WakeUps listen(String jdbcUrl, String user, @Nullable String password)
      throws SQLException {
    var properties = new Properties();
    properties.setProperty("user", user);
    if (password != null) {
      properties.setProperty("password", password);
    }
    properties.setProperty("ApplicationName", "viesti-wake");
    properties.setProperty("tcpKeepAlive", "true");
    properties.setProperty("loginTimeout", "5");
    properties.setProperty("socketTimeout", "30");
    Connection connection = DriverManager.getConnection(jdbcUrl, properties);
    try (var statement = connection.createStatement()) {
      statement.execute("listen " + CHANNEL);
      return new WakeUps(connection);
    } catch (SQLException failed) {
      connection.close();
      throw failed;
    }
  }

  /**
   * Waits for the next notifications.
   *
   * @param patience 1 ms or more
   * @return their payloads; empty when there were none in time
   */
  public List<String> await(Duration patience) throws SQLException {
    PGNotification[] heard =
        connection.unwrap(PGConnection.class).getNotifications((int) patience.toMillis());
    List<String> payloads = new ArrayList<>();
    for (PGNotification notification : heard) {
      payloads.add(notification.getParameter());
    }
    return payloads;
  }

  /** Throws when the server is gone, which a connection that only listens may never notice. */
  public void check() throws SQLException {
    try (var statement = connection.createStatement()) {
      statement.execute("select 1");
    }
  }

  @Override
  public void close() throws SQLException {
    connection.close();
  }
}
