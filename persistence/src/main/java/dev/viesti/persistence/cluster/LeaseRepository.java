package dev.viesti.persistence.cluster;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;

/**
 * Statements on {@code cluster_lease}. Opens a connection for each: they are rare, and must not
 * wait for a pool that is full. Thread-safe; every method blocks.
 */
public final class LeaseRepository {
  private static final String ACQUIRE =
      """
      insert into viesti.cluster_lease as l (name, owner, held_until)
      values (?, ?, now() + ? * interval '1 millisecond')
      on conflict (name) do update
        set owner = excluded.owner, held_until = excluded.held_until
        where l.owner = excluded.owner or l.held_until < now()
      """;

  private static final String RELEASE =
      """
      delete from viesti.cluster_lease
      where name = ? and owner = ?
      """;

  private final String jdbcUrl;
  private final String user;
  private final String password;

  public LeaseRepository(String jdbcUrl, String user, String password) {
    this.jdbcUrl = jdbcUrl;
    this.user = user;
    this.password = password;
  }

  /**
   * @return whether {@code owner} holds the lease now, for {@code timeToLive}
   */
  public boolean acquire(String name, String owner, Duration timeToLive) throws SQLException {
    try (Connection connection = DriverManager.getConnection(jdbcUrl, user, password);
        PreparedStatement statement = connection.prepareStatement(ACQUIRE)) {
      statement.setString(1, name);
      statement.setString(2, owner);
      statement.setLong(3, timeToLive.toMillis());
      return statement.executeUpdate() == 1;
    }
  }

  /** Gives it back; without effect when somebody else holds it. */
  public void release(String name, String owner) throws SQLException {
    try (Connection connection = DriverManager.getConnection(jdbcUrl, user, password);
        PreparedStatement statement = connection.prepareStatement(RELEASE)) {
      statement.setString(1, name);
      statement.setString(2, owner);
      statement.executeUpdate();
    }
  }
}
