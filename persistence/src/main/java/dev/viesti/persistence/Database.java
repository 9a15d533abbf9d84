package dev.viesti.persistence;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** A bounded pool of connections to the one PostgreSQL of a cluster. Thread-safe. */
public final class Database implements AutoCloseable {
  /**
   * A plan must not depend on the moment at which it was made: the outbox goes from empty to a
   * million rows in seconds, long before statistics follow, and a plan made on the empty table
   * stands still on the full one. So every statement here is written for one plan, by key, and the
   * alternatives are switched off for these connections.
   */
  private static final String STABLE_PLANS =
      "-c search_path=viesti -c plan_cache_mode=force_generic_plan -c enable_seqscan=off"
          + " -c enable_bitmapscan=off -c enable_hashjoin=off -c enable_mergejoin=off -c jit=off";

  /** A query of a plugin may look through all of its entities, but not for ever. */
  private static final String BOUNDED_READS =
      "-c search_path=viesti -c statement_timeout=10000 -c default_transaction_read_only=on";

  private final HikariDataSource pool;

  private Database(HikariDataSource pool) {
    this.pool = pool;
  }

  /**
   * Opens lazily: a database that is away is not an error here but at the first use.
   *
   * @param connectionsMax largest number of connections, 4 or more (two lanes, a reader, an
   *     operator's query)
   * @param patience how long {@link #connection()} waits before it fails
   */
  public static Database open(
      String jdbcUrl,
      String user,
      @Nullable String password,
      int connectionsMax,
      Duration patience) {
    if (connectionsMax < 4) {
      throw new IllegalArgumentException("connectionsMax is 4 or more, not " + connectionsMax);
    }
    var config = config("viesti", jdbcUrl, user, password, connectionsMax, patience);
    config.setMinimumIdle(2);
    config.addDataSourceProperty("options", STABLE_PLANS);
    config.addDataSourceProperty("prepareThreshold", "1");
    return new Database(new HikariDataSource(config));
  }

  /**
   * Connections for statements that are not Viesti's own: with PostgreSQL's default plans and the
   * user's search path. None is open while none is used.
   *
   * @param connectionsMax 1 or more
   * @param patience how long {@link #connection()} waits before it fails
   */
  public static Database openPlain(
      String jdbcUrl,
      String user,
      @Nullable String password,
      int connectionsMax,
      Duration patience) {
    var config = config("viesti-effects", jdbcUrl, user, password, connectionsMax, patience);
    config.setMinimumIdle(0);
    return new Database(new HikariDataSource(config));
  }

  /**
   * Connections for reads whose form others choose: with PostgreSQL's default plans in Viesti's
   * schema, and an end to what takes too long. None is open while none is used.
   *
   * @param connectionsMax 1 or more
   * @param patience how long {@link #connection()} waits before it fails
   */
  public static Database openForPlugins(
      String jdbcUrl,
      String user,
      @Nullable String password,
      int connectionsMax,
      Duration patience) {
    var config = config("viesti-plugins", jdbcUrl, user, password, connectionsMax, patience);
    config.setMinimumIdle(0);
    config.addDataSourceProperty("options", BOUNDED_READS);
    return new Database(new HikariDataSource(config));
  }

  private static HikariConfig config(
      String name,
      String jdbcUrl,
      String user,
      @Nullable String password,
      int connectionsMax,
      Duration patience) {
    var config = new HikariConfig();
    config.setPoolName(name);
    config.setJdbcUrl(jdbcUrl);
    config.setUsername(user);
    config.setPassword(password);
    config.setMaximumPoolSize(connectionsMax);
    config.setConnectionTimeout(patience.toMillis());
    config.setInitializationFailTimeout(-1);
    config.addDataSourceProperty("ApplicationName", "viesti");
    config.addDataSourceProperty("tcpKeepAlive", "true");
    config.addDataSourceProperty("loginTimeout", Long.toString(Math.max(1, patience.toSeconds())));
    // a server that went without a word (power, partition) must not hold a lane for hours
    config.addDataSourceProperty("socketTimeout", "30");
    return config;
  }

  /**
   * Waits for a free connection, in auto-commit mode. Closing it gives it back.
   *
   * @throws SQLException when there is none within the patience
   */
  public Connection connection() throws SQLException {
    return pool.getConnection();
  }

  /** Whether a statement goes through right now. */
  public boolean answers() {
    try (Connection connection = pool.getConnection()) {
      return connection.isValid(1);
    } catch (SQLException away) {
      return false;
    }
  }

  @Override
  public void close() {
    pool.close();
  }
}
