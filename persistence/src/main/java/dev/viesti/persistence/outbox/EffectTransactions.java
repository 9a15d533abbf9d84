package dev.viesti.persistence.outbox;

import dev.viesti.persistence.Database;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Set;

/**
 * Transactions of work that writes in the same database: its effects and the settling of its
 * delivery take effect together, or not at all. They have connections of their own, with
 * PostgreSQL's default plans, so work that takes long keeps nobody else from settling. Thread-safe.
 */
public final class EffectTransactions implements AutoCloseable {
  /** How an attempt to commit ended; all but the first have rolled back. */
  public enum Result {
    COMMITTED,
    /** The row is not there in the version that was named: it was settled before. */
    GONE,
    /** The epoch is not the owner's any more. */
    FENCED
  }

  /** There is no connection within the patience; nothing was begun. */
  public static final class NoConnectionException extends SQLException {
    private static final long serialVersionUID = 1L;

    NoConnectionException(SQLException cause) {
      super(cause.getMessage(), cause.getSQLState(), cause);
    }
  }

  /** For the rest of the transaction, as the connections of the hot path have it from the start. */
  private static final String SETTLE_LIKE_THE_HOT_PATH =
      "set local search_path = viesti; set local plan_cache_mode = force_generic_plan;"
          + " set local enable_seqscan = off; set local enable_bitmapscan = off;"
          + " set local enable_hashjoin = off; set local enable_mergejoin = off";

  private static final Set<String> REFUSED =
      Set.of("commit", "rollback", "setAutoCommit", "close", "abort", "unwrap", "setReadOnly");

  private final Database database;

  /**
   * @param database a pool of its own, made by {@link Database#openPlain}; closed with this
   */
  public EffectTransactions(Database database) {
    this.database = database;
  }

  /**
   * Begins a transaction, read committed. Close it; without a {@link Effects#commit} that rolls
   * back.
   */
  public Effects begin() throws NoConnectionException {
    try {
      Connection connection = database.connection();
      connection.setAutoCommit(false);
      return new Effects(connection);
    } catch (SQLException away) {
      throw new NoConnectionException(away);
    }
  }

  @Override
  public void close() {
    database.close();
  }

  /** One transaction. For one thread. */
  public static final class Effects implements AutoCloseable {
    private final Connection real;
    private final Connection guarded;

    private Effects(Connection real) {
      this.real = real;
      this.guarded =
          (Connection)
              Proxy.newProxyInstance(
                  Connection.class.getClassLoader(),
                  new Class<?>[] {Connection.class},
                  (proxy, method, arguments) -> {
                    boolean toSavepoint = arguments != null && arguments.length == 1;
                    if (REFUSED.contains(method.getName())
                        && !(method.getName().equals("rollback") && toSavepoint)) {
                      throw new SQLException(
                          "Connection."
                              + method.getName()
                              + " belongs to Viesti here: the transaction ends with the handler");
                    }
                    try {
                      return method.invoke(real, arguments);
                    } catch (InvocationTargetException failed) {
                      throw failed.getTargetException();
                    }
                  });
    }

    /** What the work may use until {@link #commit}. */
    public Connection connection() {
      return guarded;
    }

    /**
     * Settles and commits.
     *
     * @param settling exactly one change
     * @throws SQLException when it is not known, or known not, to be committed
     */
    public Result commit(Settling settling) throws SQLException {
      try (Statement statement = real.createStatement()) {
        statement.execute(SETTLE_LIKE_THE_HOT_PATH);
      }
      Settled settled = new SettleStatements(List.of(settling), real).run();
      if (!settled.held().get(0)) {
        real.rollback();
        return Result.FENCED;
      }
      if (settled.missed() > 0) {
        real.rollback();
        return Result.GONE;
      }
      real.commit();
      return Result.COMMITTED;
    }

    /**
     * Rolls back what is not committed, and gives the connection back; the pool drops a broken one.
     */
    @Override
    public void close() throws SQLException {
      try (real) {
        real.rollback();
        real.setAutoCommit(true);
      }
    }
  }
}
