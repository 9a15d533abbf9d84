package dev.viesti.client;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.regex.Pattern;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * Writes events of one app into Viesti's outbox, in the caller's own transaction. Committed
 * together with the caller's own rows, or never seen.
 *
 * <pre>{@code
 * try (ViestiClient viesti = ViestiClient.builder("shop").dataSource(dataSource).build()) {
 *   viesti.inTransaction(connection -> {
 *     orders.save(connection, order);
 *     return viesti.append(connection, Event.of("shop", "orders.created").json(json).build());
 *   });
 * }
 * }</pre>
 *
 * <p>In a transaction that somebody else ends, call {@link #wake} after the commit. Without it, or
 * without a {@link DataSource}, the cluster finds the rows by itself within a few seconds.
 *
 * <p>The database is the cluster's own: the schema {@code viesti} is in it, and the user may insert
 * into {@code viesti.outbox} and {@code viesti.idempotency_key}, use {@code viesti.outbox_seq} and
 * read {@code viesti.app} and what it inserted. Thread-safe; make one for each app and keep it.
 */
public final class ViestiClient implements AutoCloseable {
  /** Most events of one {@link #append}: each of them may be 256 KiB. */
  public static final int EVENTS_MAX = 10_000;

  private static final Pattern APP = Pattern.compile("[a-z0-9-]{1,64}");

  /** What is done in a transaction. */
  @FunctionalInterface
  public interface Work<T, E extends Exception> {
    /**
     * @param connection in a transaction, which the caller of this method ends
     */
    T run(Connection connection) throws SQLException, E;
  }

  private final String app;
  private final boolean requireApp;
  private final @Nullable DataSource dataSource;
  private final @Nullable Waker waker;

  private ViestiClient(Builder from) {
    this.app = from.app;
    this.requireApp = from.requireApp;
    this.dataSource = from.dataSource;
    this.waker = from.dataSource == null ? null : new Waker(from.dataSource, from.wakeEvery);
  }

  /**
   * A client for {@code app} that wakes nobody.
   *
   * @throws IllegalArgumentException if {@code app} is not 1 to 64 characters of a-z, 0-9 and -
   */
  public static ViestiClient of(String app) {
    return builder(app).build();
  }

  /**
   * Begins a client for {@code app}.
   *
   * @throws IllegalArgumentException if {@code app} is not 1 to 64 characters of a-z, 0-9 and -
   */
  public static Builder builder(String app) {
    return new Builder(app);
  }

  /** Writes one event; see {@link #append(Connection, Collection)}. */
  public Receipt append(Connection connection, Event event) throws SQLException {
    return append(connection, List.of(event)).get(0);
  }

  /** Writes events; see {@link #append(Connection, Collection)}. */
  public List<Receipt> append(Connection connection, Event... events) throws SQLException {
    return append(connection, Arrays.asList(events));
  }

  /**
   * Writes events with one statement in the connection's transaction. It never commits, and changes
   * nothing else about the connection. With an open transaction nothing happens before its commit;
   * a connection in auto-commit mode commits here, and the cluster is woken.
   *
   * <p>Another transaction that has appended the same (source, id) and is still open is waited for:
   * if it commits, this event is a duplicate. In isolation above READ COMMITTED the wait may end as
   * a serialization failure (SQLSTATE 40001) instead: repeat the transaction.
   *
   * @param events at most {@value #EVENTS_MAX}
   * @return what became of each, in their order, provided the transaction commits
   * @throws UnknownAppException when the app is not in Viesti's directory; nothing was written. An
   *     app that is deleted after this, before the commit, leaves the rows until one of that name
   *     is created again
   * @throws SQLException as the driver says; nothing was written
   */
  public List<Receipt> append(Connection connection, Collection<Event> events) throws SQLException {
    if (events.isEmpty()) {
      return List.of();
    }
    if (events.size() > EVENTS_MAX) {
      throw new IllegalArgumentException(
          "at most " + EVENTS_MAX + " events go into one call, not " + events.size());
    }
    var statement =
        new AppendStatement(app, requireApp, List.copyOf(events), System.currentTimeMillis());
    List<Receipt> receipts = statement.execute(connection);
    if (connection.getAutoCommit()) {
      wake();
    }
    return receipts;
  }

  /**
   * To be called after the commit of a transaction that has appended: the cluster then looks at
   * once. Returns at once, needs no database, and may be left out or called too often. Wake-ups are
   * gathered: however many transactions commit, there is one {@code NOTIFY} in 5 ms, in a
   * transaction of its own.
   */
  public void wake() {
    if (waker != null) {
      waker.wake(app);
    }
  }

  /**
   * Runs {@code work} in a transaction on a connection of the data source, commits, and wakes the
   * cluster. Whatever is thrown rolls back and is thrown on.
   *
   * @throws IllegalStateException when the client was made without a data source
   */
  public <T, E extends Exception> T inTransaction(Work<T, E> work) throws SQLException, E {
    DataSource source = dataSource;
    if (source == null) {
      throw new IllegalStateException("this client was made without a data source");
    }
    T done;
    try (Connection connection = source.getConnection()) {
      boolean autoCommit = connection.getAutoCommit();
      connection.setAutoCommit(false);
      boolean committed = false;
      try {
        done = work.run(connection);
        connection.commit();
        committed = true;
      } finally {
        end(connection, committed, autoCommit);
      }
    }
    wake();
    return done;
  }

  /** A failure here must not hide the one that led to it, nor deny a commit that took effect. */
  private static void end(Connection connection, boolean committed, boolean autoCommit) {
    try {
      if (!committed) {
        connection.rollback();
      }
      connection.setAutoCommit(autoCommit);
    } catch (SQLException broken) {
      System.getLogger(ViestiClient.class.getName())
          .log(System.Logger.Level.DEBUG, "a connection broke at the end of its use", broken);
    }
  }

  /** Sends the last wake-up and ends the thread. The data source stays open. */
  @Override
  public void close() {
    if (waker != null) {
      waker.close();
    }
  }

  /** Collects what a client needs. */
  public static final class Builder {
    private final String app;
    private boolean requireApp = true;
    private @Nullable DataSource dataSource;
    private Duration wakeEvery = Duration.ofMillis(5);

    private Builder(String app) {
      if (!APP.matcher(app).matches()) {
        throw new IllegalArgumentException(
            "an app id is 1 to 64 characters of a-z, 0-9 and -, not '" + app + "'");
      }
      this.app = app;
    }

    /**
     * Where the wake-ups' own connection comes from, one at a time and only while there are some,
     * and those of {@link ViestiClient#inTransaction}.
     */
    public Builder dataSource(DataSource value) {
      dataSource = value;
      return this;
    }

    /**
     * Least time between two wake-ups: 5 ms unless given, 1 ms to 1 s. Shorter costs commits (they
     * share the database), longer costs latency.
     */
    public Builder wakeEvery(Duration value) {
      if (value.compareTo(Duration.ofMillis(1)) < 0 || value.compareTo(Duration.ofSeconds(1)) > 0) {
        throw new IllegalArgumentException("wakeEvery is 1 ms to 1 s, not " + value);
      }
      wakeEvery = value;
      return this;
    }

    /** Also writes events of an app that is not there yet: they wait until it is created. */
    public Builder evenBeforeTheAppExists() {
      requireApp = false;
      return this;
    }

    public ViestiClient build() {
      return new ViestiClient(this);
    }
  }
}
