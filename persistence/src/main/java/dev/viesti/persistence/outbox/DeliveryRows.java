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

/** A row of {@code outbox} or {@code dead_letter} as a value. Columns are read by name. */
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

  static Delivery delivery(ResultSet row) throws SQLException {
    return new Delivery(
        instantOrNull(row, "due_at"),
        row.getLong("seq"),
        event(row),
        new TriggerId(row.getString("trigger_id")),
        row.getString("ordering_key"),
        row.getInt("attempt"),
        instant(row, "accepted_at"),
        instantOrNull(row, "first_attempt_at"),
        row.getString("last_error"),
        row.getString("attempts"),
        instantOrNull(row, "running_since"));
  }

  /** The event of the current row. */
  public static Event event(ResultSet row) throws SQLException {
    byte[] data = row.getBytes("data");
    return new Event(
        row.getObject("event_id", UUID.class),
        row.getString("external_id"),
        row.getString("source"),
        row.getString("type"),
        row.getString("subject"),
        row.getString("attributes"),
        data == null ? Payload.NONE : Payload.of(data),
        row.getBoolean("data_binary"),
        row.getString("principal"),
        row.getInt("depth"),
        row.getObject("root_id", UUID.class),
        row.getString("traceparent"));
  }

  /** A time that is always there. */
  public static Instant instant(ResultSet row, String column) throws SQLException {
    return row.getObject(column, OffsetDateTime.class).toInstant();
  }

  /** A time that may be missing. */
  public static @Nullable Instant instantOrNull(ResultSet row, String column) throws SQLException {
    OffsetDateTime time = row.getObject(column, OffsetDateTime.class);
    return time == null ? null : time.toInstant();
  }

  /** The same time as the driver wants it. */
  public static @Nullable OffsetDateTime timestamp(@Nullable Instant instant) {
    return instant == null ? null : instant.atOffset(ZoneOffset.UTC);
  }
}
