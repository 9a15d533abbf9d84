package dev.viesti.client;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Writes events of one app, in one statement of the transaction that the caller has open. */
final class AppendStatement {
  /**
   * What a reader of the numbers relies on: the transaction has its id <em>before</em> it takes a
   * number. {@code pg_current_xact_id() is not null} depends on no row, so it is evaluated once and
   * before the first of them. The numbers come outside of the sorted rows, in their order.
   */
  static final String APPEND =
      """
      with app as materialized (
        select ?::text as app_id
        where not ?::boolean or exists (select from viesti.app where app_id = ?)
      ), fresh as (
        insert into viesti.idempotency_key (app_id, event_id)
        select app.app_id, k.event_id
        from app, unnest(?::uuid[]) as k(event_id)
        order by k.event_id
        on conflict do nothing
        returning event_id
      ), put as (
        insert into viesti.outbox (due_at, seq, event_id, accepted_at, data_binary, app_id, source,
            type, subject, external_id, attributes, principal, traceparent, deliver_at, data)
        select 'infinity', nextval('viesti.outbox_seq'), k.event_id, now(), k.data_binary, k.app_id,
            k.source, k.type, k.subject, k.external_id, k.attributes, k.principal, k.traceparent,
            timestamptz 'epoch' + k.deliver * interval '1 microsecond', k.data
        from (
          select app.app_id, u.*
          from app, unnest(?::uuid[], ?::boolean[], ?::text[], ?::text[], ?::text[], ?::text[],
                ?::text[], ?::text[], ?::text[], ?::bigint[], ?::bytea[]) with ordinality
              as u(event_id, data_binary, source, type, subject, external_id, attributes, principal,
                traceparent, deliver, data, n)
          where u.external_id is null or u.event_id in (select event_id from fresh)
          order by u.n
          offset 0
        ) as k
        where pg_current_xact_id() is not null
        returning event_id, seq
      )
      select null::uuid, null::bigint from app
      union all
      select event_id, seq from put
      """;

  private record Row(UUID id, Event event) {}

  private final String app;
  private final boolean requireApp;
  private final List<UUID> ids = new ArrayList<>();
  private final List<Row> rows = new ArrayList<>();

  /**
   * @param epochMillis the time of ids that are made here
   */
  AppendStatement(String app, boolean requireApp, List<Event> events, long epochMillis) {
    this.app = app;
    this.requireApp = requireApp;
    Set<UUID> keys = new HashSet<>();
    for (Event event : events) {
      String id = event.id();
      UUID eventId =
          id == null ? EventIds.fresh(epochMillis) : EventIds.derived(event.source(), id);
      ids.add(eventId);
      if (id == null || keys.add(eventId)) {
        rows.add(new Row(eventId, event));
      }
    }
  }

  List<Receipt> execute(Connection connection) throws SQLException {
    boolean known = false;
    Map<UUID, Long> seqs = new HashMap<>();
    try (PreparedStatement statement = connection.prepareStatement(APPEND)) {
      bind(connection, statement);
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          UUID id = row.getObject(1, UUID.class);
          if (id == null) {
            known = true;
          } else {
            seqs.put(id, row.getLong(2));
          }
        }
      }
    }
    if (!known) {
      throw new UnknownAppException(app);
    }
    List<Receipt> receipts = new ArrayList<>(ids.size());
    for (UUID id : ids) {
      Long seq = seqs.remove(id); // the second one of its id in this batch finds none
      receipts.add(new Receipt(id, seq, seq == null));
    }
    return receipts;
  }

  private void bind(Connection connection, PreparedStatement statement) throws SQLException {
    statement.setString(1, app);
    statement.setBoolean(2, requireApp);
    statement.setString(3, app);
    List<UUID> keyed = rows.stream().filter(row -> row.event().id() != null).map(Row::id).toList();
    statement.setArray(4, connection.createArrayOf("uuid", keyed.toArray(new UUID[0])));
    statement.setArray(5, array(connection, "uuid", new UUID[rows.size()], Row::id));
    statement.setArray(
        6, array(connection, "bool", new Boolean[rows.size()], row -> row.event().binary()));
    text(connection, statement, 7, Event::source);
    text(connection, statement, 8, Event::type);
    text(connection, statement, 9, Event::subject);
    text(connection, statement, 10, Event::id);
    text(connection, statement, 11, Event::attributes);
    text(connection, statement, 12, Event::principal);
    text(connection, statement, 13, Event::traceparent);
    statement.setArray(
        14,
        array(connection, "int8", new Long[rows.size()], row -> micros(row.event().deliverAt())));
    statement.setArray(
        15, array(connection, "bytea", new byte[rows.size()][], row -> row.event().data()));
  }

  private void text(
      Connection connection,
      PreparedStatement statement,
      int index,
      Function<Event, @Nullable String> column)
      throws SQLException {
    statement.setArray(
        index,
        array(connection, "text", new String[rows.size()], row -> column.apply(row.event())));
  }

  private <T> java.sql.Array array(
      Connection connection,
      String type,
      @Nullable T[] values,
      Function<Row, ? extends @Nullable T> column)
      throws SQLException {
    for (int i = 0; i < values.length; i++) {
      values[i] = column.apply(rows.get(i));
    }
    return connection.createArrayOf(type, values);
  }

  /** What {@code timestamptz} holds. */
  private static @Nullable Long micros(@Nullable Instant time) {
    return time == null
        ? null
        : Math.addExact(
            Math.multiplyExact(time.getEpochSecond(), 1_000_000L), time.getNano() / 1_000);
  }
}
