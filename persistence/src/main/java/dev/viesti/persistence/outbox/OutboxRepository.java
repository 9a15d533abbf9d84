package dev.viesti.persistence.outbox;

import dev.viesti.persistence.Database;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.function.LongSupplier;

/**
 * The two statements of the hot path: rows of events that are accepted, and outcomes that are
 * settled, of many apps at once. Thread-safe; every method blocks.
 */
public final class OutboxRepository {
  /**
   * A copy writes one record of WAL for a page of rows, where an insert writes one for each: 46
   * bytes less for a row of 300, and less of PostgreSQL's time. It takes three round trips more,
   * which fewer rows do not repay.
   */
  private static final int COPY_ROWS = 300;

  private final Database database;
  private final InsertSql insertSql;

  public OutboxRepository(Database database) {
    this(database, COPY_ROWS);
  }

  OutboxRepository(Database database, int copyRows) {
    this.database = database;
    this.insertSql = new InsertSql(copyRows);
  }

  /**
   * Writes all rows of all inserts in one transaction; inserts with a stale epoch write nothing.
   *
   * @param seqs the next row number, growing
   * @return what became of each insert, in their order
   */
  public List<Inserted> insert(List<Insert> inserts, LongSupplier seqs) throws SQLException {
    var statement = new InsertStatement(inserts, seqs, insertSql);
    try (Connection connection = database.connection()) {
      return statement.execute(connection);
    }
  }

  /** Makes the changes of all apps durable in one transaction; a stale epoch changes nothing. */
  public Settled settle(List<Settling> group) throws SQLException {
    try (Connection connection = database.connection()) {
      return new SettleStatements(group, connection).execute();
    }
  }
}
