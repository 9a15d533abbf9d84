package dev.viesti.persistence.outbox;

import dev.viesti.persistence.Database;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.trigger.TriggerId;
import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Statements on the rows of {@code outbox} that clients write: those with {@code due_at =
 * 'infinity'}. Thread-safe; every method blocks.
 */
public final class ClientRowRepository {
  /**
   * A moment in the sequence of row numbers: each client that has taken a number up to {@code seq}
   * did so in a transaction whose id is below {@code transaction}.
   */
  public record Horizon(long seq, long transaction) {}

  /**
   * Rows in the order of their numbers.
   *
   * @param oldestRunning the oldest transaction that had not ended when the page was read: of those
   *     below it, the page saw everything
   * @param complete no row followed
   */
  public record ClientPage(long oldestRunning, List<ClientRow> rows, boolean complete) {}

  /** A row to be replaced by {@code into}, maybe none. */
  public record Move(long seq, List<Placed> into) {}

  /**
   * One of the owner's own rows.
   *
   * @param dueAt null means at once
   */
  public record Placed(
      long seq, TriggerId trigger, @Nullable String orderingKey, @Nullable Instant dueAt) {}

  /**
   * What became of moves.
   *
   * @param fenced the epoch was not the owner's: nothing was written
   * @param gone numbers of the rows that were there, and are replaced now
   */
  public record Moved(boolean fenced, Set<Long> gone) {}

  /** Longest list of {@link #move}: its rows are joined in a loop. */
  public static final int MOVES_MAX = 100;

  private static final int FETCH_ROWS = 64;

  /**
   * The number first, and only then the transaction id: a column list is evaluated on the row that
   * was read. A sequence that was never used shows the number that it will give out.
   */
  private static final String HORIZON =
      """
      with f as materialized (
        select case when is_called then last_value else last_value - 1 end as seq from outbox_seq
      )
      select f.seq, pg_current_xact_id()::text::bigint from f
      """;

  /** One statement, and so one snapshot for the rows and for what it says about itself. */
  private static final String READ =
      """
      select s.oldest_running, o.*
      from (
        select pg_snapshot_xmin(pg_current_snapshot())::text::bigint as oldest_running offset 0
      ) as s
      left join lateral (
        select seq, accepted_at, deliver_at, running_since, %s
        from outbox
        where app_id = ? and due_at = 'infinity' and seq > ?
        order by seq
        limit ?
      ) as o on true
      order by o.seq
      """
          .formatted(DeliveryRows.EVENT_COLUMNS);

  private static final String FIND =
      """
      select seq, accepted_at, deliver_at, running_since, %s
      from outbox
      where app_id = ? and due_at = 'infinity' and seq = any (?)
      order by seq
      """
          .formatted(DeliveryRows.EVENT_COLUMNS);

  /** What is inserted is made of what the delete returns: each row is replaced once. */
  private static final String MOVE =
      """
      with %s, gone as (
        delete from outbox
        where ctid = any (array (
          select found.ctid
          from unnest(?::bigint[]) as k(seq),
            lateral (
              select d.ctid from outbox d
              where d.app_id = ? and d.due_at = 'infinity' and d.seq = k.seq
              limit 1) as found
          where exists (select from owned)))
        returning *
      ), put as (
        insert into outbox (due_at, seq, event_id, accepted_at, root_id, depth, data_binary, app_id,
            trigger_id, ordering_key, source, type, subject, external_id, attributes, principal,
            traceparent, data)
        select coalesce(timestamptz 'epoch' + k.due * interval '1 microsecond', '-infinity'), k.seq,
            g.event_id, g.accepted_at, g.root_id, g.depth, g.data_binary, g.app_id, k.trigger_id,
            k.ordering_key, g.source, g.type, g.subject, g.external_id, g.attributes, g.principal,
            g.traceparent, g.data
        from unnest(?::bigint[], ?::bigint[], ?::text[], ?::text[], ?::bigint[])
              as k(came_from, seq, trigger_id, ordering_key, due)
          join gone g on g.seq = k.came_from
      ) select n, (select array_agg(seq) from gone) from owned
      """
          .formatted(Fence.OWNED);

  private record Target(long from, Placed placed) {}

  private final Database database;

  public ClientRowRepository(Database database) {
    this.database = database;
  }

  /** Where the sequence stands now; takes a transaction id. */
  public Horizon horizon() throws SQLException {
    try (Connection connection = database.connection();
        PreparedStatement statement = connection.prepareStatement(HORIZON);
        ResultSet row = statement.executeQuery()) {
      row.next();
      return new Horizon(row.getLong(1), row.getLong(2));
    }
  }

  /**
   * Rows that are not routed, by number.
   *
   * @param bytesMax the page ends with the row that goes beyond it
   */
  public ClientPage read(AppId app, long afterSeq, int rowsMax, long bytesMax) throws SQLException {
    List<ClientRow> rows = new ArrayList<>();
    long oldestRunning = 0;
    long bytes = 0;
    try (Connection connection = database.connection()) {
      connection.setAutoCommit(false); // only then the driver fetches piece by piece
      try (PreparedStatement statement = connection.prepareStatement(READ)) {
        statement.setFetchSize(FETCH_ROWS);
        statement.setString(1, app.value());
        statement.setLong(2, afterSeq);
        statement.setInt(3, rowsMax);
        try (ResultSet row = statement.executeQuery()) {
          while (bytes < bytesMax && row.next()) {
            oldestRunning = row.getLong("oldest_running");
            if (row.getString("source") != null) {
              ClientRow read = clientRow(row);
              bytes += read.event().weight();
              rows.add(read);
            }
          }
        }
      } finally {
        connection.rollback();
        connection.setAutoCommit(true);
      }
    }
    return new ClientPage(oldestRunning, rows, rows.size() < rowsMax && bytes < bytesMax);
  }

  private static ClientRow clientRow(ResultSet row) throws SQLException {
    return new ClientRow(
        row.getLong("seq"),
        DeliveryRows.instant(row, "accepted_at"),
        DeliveryRows.instantOrNull(row, "running_since"),
        DeliveryRows.event(row, row.findColumn("event_id"))
            .deliveredAt(DeliveryRows.instantOrNull(row, "deliver_at")));
  }

  /** Those of the rows with these numbers that are there, by number. */
  public List<ClientRow> find(AppId app, List<Long> seqs) throws SQLException {
    List<ClientRow> rows = new ArrayList<>();
    try (Connection connection = database.connection();
        PreparedStatement statement = connection.prepareStatement(FIND)) {
      statement.setString(1, app.value());
      statement.setArray(2, connection.createArrayOf("int8", seqs.toArray()));
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          rows.add(clientRow(row));
        }
      }
    }
    return rows;
  }

  /**
   * Replaces rows by rows of the owner's own, or by none, in one transaction.
   *
   * @param moves at most {@value #MOVES_MAX}
   */
  public Moved move(AppId app, long epoch, List<Move> moves) throws SQLException {
    var fence = new Fence();
    fence.number(app, epoch);
    List<Target> targets = new ArrayList<>();
    for (Move move : moves) {
      move.into().forEach(placed -> targets.add(new Target(move.seq(), placed)));
    }
    try (Connection connection = database.connection();
        PreparedStatement statement = connection.prepareStatement(MOVE)) {
      var arrays = new SqlArrays(statement);
      fence.bind(arrays);
      arrays.longs(moves, Move::seq);
      arrays.text(app.value());
      arrays.longs(targets, Target::from);
      arrays.longs(targets, target -> target.placed().seq());
      arrays.texts(targets, target -> target.placed().trigger().value());
      arrays.texts(targets, target -> target.placed().orderingKey());
      arrays.longs(targets, target -> SqlArrays.micros(target.placed().dueAt()));
      try (ResultSet row = statement.executeQuery()) {
        if (!row.next()) {
          return new Moved(true, Set.of());
        }
        Array gone = row.getArray(2);
        return new Moved(
            false,
            gone == null ? Set.of() : new HashSet<>(Arrays.asList((Long[]) gone.getArray())));
      }
    }
  }
}
