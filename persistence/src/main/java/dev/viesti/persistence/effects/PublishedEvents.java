package dev.viesti.persistence.effects;

import dev.viesti.persistence.BinaryArray;
import dev.viesti.persistence.outbox.SqlArrays;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.event.Event;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;

/** Events that calls publish: rows that are not routed, as a client writes them. */
final class PublishedEvents implements Writes {
  /**
   * As for a client, the transaction has its id <em>before</em> it takes a number: {@code
   * pg_current_xact_id() is not null} depends on no row, so it is evaluated once and before the
   * first of them.
   */
  private static final String APPEND =
      """
      with fresh as (
        insert into idempotency_key (app_id, event_id)
        select e.app_id, e.event_id
        from (select unnest(?::text[]) as app_id, unnest(?::uuid[]) as event_id) as e
        on conflict do nothing
        returning app_id, event_id
      )
      insert into outbox (due_at, seq, event_id, accepted_at, root_id, depth, data_binary, app_id,
          source, type, subject, external_id, attributes, principal, traceparent, deliver_at, data)
      select 'infinity', nextval('viesti.outbox_seq'), k.event_id, now(), k.root_id, k.depth,
          k.data_binary, k.app_id, k.source, k.type, k.subject, k.external_id, k.attributes,
          k.principal, k.traceparent, timestamptz 'epoch' + k.deliver * interval '1 microsecond',
          k.data
      from (
          select unnest(?::text[]) as app_id, unnest(?::uuid[]) as event_id,
            unnest(?::uuid[]) as root_id, unnest(?::int[]) as depth,
            unnest(?::boolean[]) as data_binary, unnest(?::text[]) as source,
            unnest(?::text[]) as type, unnest(?::text[]) as subject,
            unnest(?::text[]) as external_id, unnest(?::text[]) as attributes,
            unnest(?::text[]) as principal, unnest(?::text[]) as traceparent,
            unnest(?::bigint[]) as deliver, unnest(?::bytea[]) as data) as k
      where pg_current_xact_id() is not null
        and (k.external_id is null
          or (k.app_id, k.event_id) in (select app_id, event_id from fresh))
      """;

  private record Published(AppId app, Event event) {
    UUID id() {
      return event.id();
    }
  }

  private record Key(AppId app, UUID eventId) {}

  private final List<Published> rows = new ArrayList<>();

  /** Of the events with an id of their publisher's, in the order in which all lock them. */
  private final List<Key> keys;

  PublishedEvents(List<Call> calls) {
    Set<Key> seen = new HashSet<>();
    for (Call call : calls) {
      AppId app = call.effects().app();
      for (Event event : call.effects().events()) {
        if (event.externalId() == null || seen.add(new Key(app, event.id()))) {
          rows.add(new Published(app, event));
        }
      }
    }
    this.keys =
        seen.stream().sorted(Comparator.comparing(Key::app).thenComparing(Key::eventId)).toList();
  }

  @Override
  public boolean isEmpty() {
    return rows.isEmpty();
  }

  /** An event that was published before is no miss: it is not stored again. */
  @Override
  public List<Miss> run(Connection connection) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(APPEND)) {
      var arrays = new SqlArrays(statement);
      arrays.texts(keys, key -> key.app().value());
      arrays.uuids(keys, Key::eventId);
      arrays.texts(rows, row -> row.app().value());
      arrays.uuids(rows, Published::id);
      arrays.uuids(rows, row -> row.event().rootId());
      arrays.ints(rows, row -> row.event().depth());
      var binary = new BinaryArray(BinaryArray.Type.BOOL, rows.size());
      rows.forEach(row -> binary.add(row.event().dataBinary()));
      arrays.array(binary);
      arrays.texts(rows, row -> row.event().source());
      arrays.texts(rows, row -> row.event().type());
      arrays.texts(rows, row -> row.event().subject());
      arrays.texts(rows, row -> row.event().externalId());
      arrays.texts(rows, row -> row.event().attributes());
      arrays.texts(rows, row -> row.event().principal());
      arrays.texts(rows, row -> row.event().traceparent());
      arrays.longs(rows, row -> SqlArrays.micros(row.event().deliverAt()));
      var data = new BinaryArray(BinaryArray.Type.BYTEA, rows.size());
      rows.forEach(
          row -> data.add(row.event().data().isEmpty() ? null : row.event().data().bytes()));
      arrays.array(data);
      statement.executeUpdate();
    }
    return List.of();
  }
}
