package dev.viesti.persistence.outbox;

import dev.viesti.persistence.Database;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.delivery.Delivery;
import dev.viesti.protocol.delivery.DeliveryId;
import dev.viesti.protocol.trigger.TriggerId;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Types;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Reads the rows of {@code outbox}: pages for their owner, lists and look-ups for people. What
 * clients wrote is read by {@link ClientRowRepository}. Thread-safe; every method blocks.
 */
public final class DeliveryRepository {
  /**
   * Rows that the driver holds at a time while a page is read, so that a page is bounded by its
   * bytes: so many of any size, and more once they have turned out to be small.
   */
  private static final int FETCH_ROWS = 64;

  private static final int FETCH_ROWS_MAX = 1_024;

  /** Larger pieces save no more round trips that count. */
  private static final long FETCH_BYTES = 512 << 10;

  private static final String AT_ONCE =
      """
      select %s
      from outbox
      where app_id = ? and due_at = '-infinity' and seq > ?
        and trigger_id is not null
      order by seq
      limit ?
      """
          .formatted(DeliveryRows.COLUMNS);

  private static final String SCHEDULED =
      """
      select %s
      from outbox
      where app_id = ? and due_at > '-infinity' and due_at <= ? and (due_at, seq) > (?, ?)
        and trigger_id is not null
      order by outbox.due_at, seq
      limit ?
      """
          .formatted(DeliveryRows.COLUMNS);

  private static final String ORDERED =
      """
      select %s
      from outbox
      where app_id = ? and due_at > '-infinity' and due_at < 'infinity' and (due_at, seq) > (?, ?)
        and ordering_key is not null and trigger_id is not null
        and (attempt > 0 or last_error is not null or running_since is not null)
      order by outbox.due_at, seq
      limit ?
      """
          .formatted(DeliveryRows.COLUMNS);

  private static final String NEXT_DUE =
      """
      select due_at
      from outbox
      where app_id = ? and due_at > ? and due_at < 'infinity'
      order by due_at
      limit 1
      """;

  private static final String LIST =
      """
      select %s
      from outbox
      where app_id = ? and (due_at, seq) > (coalesce(?::timestamptz, '-infinity'), ?)
        and due_at < 'infinity' and trigger_id is not null
        and (?::text is null or trigger_id = ?)
      order by outbox.due_at, seq
      limit ?
      """
          .formatted(DeliveryRows.COLUMNS);

  /**
   * The same derivation as {@link DeliveryId#of}; its first 12 hex digits carry no version bits.
   */
  private static final String FIND =
      """
      select %s
      from outbox
      where app_id = ? and trigger_id is not null
        and substr(encode(sha256(
              int4send(36) || convert_to(event_id::text, 'UTF8')
              || int4send(octet_length(trigger_id)) || convert_to(trigger_id, 'UTF8')),
            'hex'), 1, 12) = ?
      """
          .formatted(DeliveryRows.COLUMNS);

  /** The row that a hint points at; the caller checks whether it is the one. */
  private static final String FIND_DEFERRED =
      """
      select %s
      from outbox
      where app_id = ?
        and due_at = (select due_at from deferred_delivery where app_id = ? and delivery_id = ?)
        and seq = (select seq from deferred_delivery where app_id = ? and delivery_id = ?)
      """
          .formatted(DeliveryRows.COLUMNS);

  private final Database database;

  public DeliveryRepository(Database database) {
    this.database = database;
  }

  /**
   * Rows that are due at once, by number.
   *
   * @param bytesMax the page ends with the row that goes beyond it
   */
  public Page atOnce(AppId app, long afterSeq, int rowsMax, long bytesMax) throws SQLException {
    return page(
        AT_ONCE,
        rowsMax,
        bytesMax,
        statement -> {
          statement.setString(1, app.value());
          statement.setLong(2, afterSeq);
          statement.setInt(3, rowsMax);
        });
  }

  /** Rows with a time of their own up to {@code until}, in the order of that time. */
  public Page scheduled(
      AppId app, Instant until, Instant afterDue, long afterSeq, int rowsMax, long bytesMax)
      throws SQLException {
    return page(
        SCHEDULED,
        rowsMax,
        bytesMax,
        statement -> {
          statement.setString(1, app.value());
          statement.setObject(2, DeliveryRows.timestamp(until));
          statement.setObject(3, DeliveryRows.timestamp(afterDue));
          statement.setLong(4, afterSeq);
          statement.setInt(5, rowsMax);
        });
  }

  /** Rows with an ordering key and a time of their own: the heads that hold others back. */
  public Page orderedHeads(AppId app, Instant afterDue, long afterSeq, int rowsMax, long bytesMax)
      throws SQLException {
    return page(
        ORDERED,
        rowsMax,
        bytesMax,
        statement -> {
          statement.setString(1, app.value());
          statement.setObject(2, DeliveryRows.timestamp(afterDue));
          statement.setLong(3, afterSeq);
          statement.setInt(4, rowsMax);
        });
  }

  /** When the first row that is due later than {@code after} is due; null when there is none. */
  public @Nullable Instant nextDue(AppId app, Instant after) throws SQLException {
    try (Connection connection = database.connection();
        PreparedStatement statement = connection.prepareStatement(NEXT_DUE)) {
      statement.setString(1, app.value());
      statement.setObject(2, DeliveryRows.timestamp(after));
      try (ResultSet row = statement.executeQuery()) {
        return row.next() ? DeliveryRows.instant(row, "due_at") : null;
      }
    }
  }

  /** A page for people, of every row in the order of due time and number. */
  public List<Delivery> list(
      AppId app, @Nullable TriggerId trigger, @Nullable Instant afterDue, long afterSeq, int limit)
      throws SQLException {
    return page(
            LIST,
            limit,
            Long.MAX_VALUE,
            statement -> {
              statement.setString(1, app.value());
              statement.setObject(
                  2, DeliveryRows.timestamp(afterDue), Types.TIMESTAMP_WITH_TIMEZONE);
              statement.setLong(3, afterSeq);
              statement.setString(4, trigger == null ? null : trigger.value());
              statement.setString(5, trigger == null ? null : trigger.value());
              statement.setInt(6, limit);
            })
        .rows();
  }

  /** Scans the app's rows; null when none of them is this delivery. */
  public @Nullable Delivery find(AppId app, DeliveryId id) throws SQLException {
    String hex = id.value().toString().replace("-", "").substring(0, 12);
    Page page =
        page(
            FIND,
            Integer.MAX_VALUE,
            Long.MAX_VALUE,
            statement -> {
              statement.setString(1, app.value());
              statement.setString(2, hex);
            });
    for (Delivery delivery : page.rows()) {
      if (delivery.id().equals(id)) {
        return delivery;
      }
    }
    return null;
  }

  /** A delivery whose outcome is deferred, found by its id at once; null when there is none. */
  public @Nullable Delivery findDeferred(AppId app, DeliveryId id) throws SQLException {
    Page page =
        page(
            FIND_DEFERRED,
            2,
            Long.MAX_VALUE,
            statement -> {
              statement.setString(1, app.value());
              statement.setString(2, app.value());
              statement.setObject(3, id.value());
              statement.setString(4, app.value());
              statement.setObject(5, id.value());
            });
    for (Delivery delivery : page.rows()) {
      if (delivery.isDeferred() && delivery.id().equals(id)) {
        return delivery;
      }
    }
    return null;
  }

  private interface Binding {
    void bind(PreparedStatement statement) throws SQLException;
  }

  private Page page(String sql, int rowsMax, long bytesMax, Binding binding) throws SQLException {
    List<Delivery> rows = new ArrayList<>();
    long bytes = 0;
    try (Connection connection = database.connection()) {
      connection.setAutoCommit(false); // only then the driver fetches piece by piece
      try (PreparedStatement statement = connection.prepareStatement(sql)) {
        statement.setFetchSize(FETCH_ROWS);
        binding.bind(statement);
        try (ResultSet row = statement.executeQuery()) {
          while (bytes < bytesMax && row.next()) {
            Delivery delivery = DeliveryRows.delivery(row);
            bytes += delivery.weight();
            rows.add(delivery);
            if (rows.size() % FETCH_ROWS == 0) {
              long fit = FETCH_BYTES * rows.size() / Math.max(1, bytes);
              row.setFetchSize(Math.clamp(fit, FETCH_ROWS, FETCH_ROWS_MAX));
            }
          }
        }
      } finally {
        connection.rollback();
        connection.setAutoCommit(true);
      }
    }
    return new Page(rows, rows.size() < rowsMax && bytes < bytesMax);
  }
}
