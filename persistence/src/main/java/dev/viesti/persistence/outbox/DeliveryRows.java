package dev.viesti.persistence.outbox;

import dev.viesti.protocol.delivery.Delivery;
import dev.viesti.protocol.event.Event;
import dev.viesti.protocol.event.Payload;
import dev.viesti.protocol.trigger.TriggerId;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A row of {@code outbox} or {@code dead_letter} as a value. Columns of the outbox are read by
 * position: finding each by its name took a sixth of the time that a backlog is read in.
 */
public final class DeliveryRows {
  /** The columns that {@link #event} reads; both tables have them. */
  public static final String EVENT_COLUMNS =
      "event_id, external_id, source, type, subject, attributes, data, data_binary, principal,"
          + " depth, root_id, traceparent";

  static final String COLUMNS =
      "nullif(due_at, '-infinity') as due_at, seq, trigger_id, ordering_key, attempt, accepted_at,"
          + " first_attempt_at, last_error, attempts, running_since, "
          + EVENT_COLUMNS;

  private DeliveryRows() {}

  /** Of a row whose columns begin with {@link #COLUMNS}. */
  static Delivery delivery(ResultSet row) throws SQLException {
    return new Delivery(
        instantOrNull(row, 1),
        row.getLong(2),
        event(row, 11),
        new TriggerId(row.getString(3)),
        row.getString(4),
        row.getInt(5),
        instant(row, 6),
        instantOrNull(row, 7),
        row.getString(8),
        row.getString(9),
        instantOrNull(row, 10));
  }

  /**
   * The event of the current row.
   *
   * @param first which column {@link #EVENT_COLUMNS} begin with
   */
  public static Event event(ResultSet row, int first) throws SQLException {
    byte[] data = row.getBytes(first + 6);
    return new Event(
        row.getObject(first, UUID.class),
        row.getString(first + 1),
        row.getString(first + 2),
        row.getString(first + 3),
        row.getString(first + 4),
        row.getString(first + 5),
        data == null ? Payload.NONE : Payload.of(data),
        row.getBoolean(first + 7),
        row.getString(first + 8),
        row.getInt(first + 9),
        row.getObject(first + 10, UUID.class),
        row.getString(first + 11));
  }

  private static Instant instant(ResultSet row, int column) throws SQLException {
    return row.getObject(column, OffsetDateTime.class).toInstant();
  }

  private static @Nullable Instant instantOrNull(ResultSet row, int column) throws SQLException {
    OffsetDateTime time = row.getObject(column, OffsetDateTime.class);
    return time == null ? null : time.toInstant();
  }

  /** A time that is always there. */
  public static Instant instant(ResultSet row, String column) throws SQLException {
    return instant(row, row.findColumn(column));
  }

  /** A time that may be missing. */
  public static @Nullable Instant instantOrNull(ResultSet row, String column) throws SQLException {
    return instantOrNull(row, row.findColumn(column));
  }

  /** The same time as the driver wants it. */
  public static @Nullable OffsetDateTime timestamp(@Nullable Instant instant) {
    return instant == null ? null : instant.atOffset(ZoneOffset.UTC);
  }
}
