package dev.viesti.persistence.outbox;

import dev.viesti.protocol.delivery.Delivery;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/** Accepts a group of inserts, of many apps, in one statement and thereby one transaction. */
final class InsertStatement {
  /**
   * In the select list, arrays are unnested side by side as rows are asked for. In the from clause,
   * each would be put into a store of its own first: a quarter of the statement's time.
   */
  private static final String PUT =
      """
      insert into outbox (due_at, seq, event_id, accepted_at, root_id, depth, data_binary, app_id,
          trigger_id, ordering_key, source, type, subject, external_id, attributes, principal,
          traceparent, data)
      select %s, k.seq, k.event_id,
          timestamptz 'epoch' + k.accepted * interval '1 microsecond', k.root_id, k.depth,
          k.data_binary, k.app_id, k.trigger_id, k.ordering_key, k.source, k.type, k.subject,
          k.external_id, k.attributes, k.principal, k.traceparent, k.data
      from (
        select unnest(?::int[]) as n, unnest(?::bigint[]) as seq, unnest(?::uuid[]) as event_id,
          unnest(?::bigint[]) as accepted, unnest(?::uuid[]) as root_id, unnest(?::int[]) as depth,
          unnest(?::boolean[]) as data_binary, unnest(?::text[]) as app_id,
          unnest(?::text[]) as trigger_id, unnest(?::text[]) as ordering_key,
          unnest(?::text[]) as source, unnest(?::text[]) as type, unnest(?::text[]) as subject,
          unnest(?::text[]) as external_id, unnest(?::text[]) as attributes,
          unnest(?::text[]) as principal, unnest(?::text[]) as traceparent,
          unnest(?::bytea[]) as data%s) as k
      where k.n = any (array (select n from owned))
      """;

  /** Nearly all rows are due at once: those that are not have their time in one array more. */
  private static final String PUT_AT_ONCE = PUT.formatted("'-infinity'", "");

  private static final String PUT_LATER =
      PUT.formatted(
          "coalesce(timestamptz 'epoch' + k.due * interval '1 microsecond', '-infinity')",
          ", unnest(?::bigint[]) as due");

  /** The order of the keys keeps two groups from waiting for each other. */
  private static final String FRESH =
      """
      , fresh as (
        insert into idempotency_key (app_id, event_id)
        select e.app_id, e.event_id
        from unnest(?::int[], ?::text[], ?::uuid[]) as e(n, app_id, event_id)
        where e.n = any (array (select n from owned))
        order by e.app_id, e.event_id
        on conflict do nothing
        returning app_id, event_id
      )""";

  private static final String INSERT = plain(PUT_AT_ONCE);
  private static final String INSERT_LATER = plain(PUT_LATER);
  private static final String INSERT_KEYED = keyed(PUT_AT_ONCE);
  private static final String INSERT_KEYED_LATER = keyed(PUT_LATER);

  private static String plain(String put) {
    return "with " + Fence.OWNED + ", put as (" + put + ") select n, null::uuid from owned";
  }

  private static String keyed(String put) {
    return "with "
        + Fence.OWNED
        + FRESH
        + ", put as ("
        + put
        + """
            and (k.external_id is null or (k.app_id, k.event_id) in (select app_id, event_id from fresh))
          ) select n, null::uuid, null::text from owned
          union all select 0, event_id, app_id from fresh
          """;
  }

  private record Row(int n, Delivery delivery, Insert insert) {}

  private record Key(int n, String app, UUID eventId) {}

  private record AppEvent(String app, UUID eventId) {}

  private final List<Insert> inserts;
  private final Fence fence = new Fence();
  private final List<Row> rows = new ArrayList<>();
  private final List<Key> keys = new ArrayList<>();
  private boolean later;

  /** Per insert, events whose id another event of this very group had before. */
  private final List<BitSet> repeated = new ArrayList<>();

  InsertStatement(List<Insert> inserts, LongSupplier seqs) {
    this.inserts = inserts;
    Set<Key> seen = new HashSet<>(); // by epoch: what a stale one claims is not written
    for (Insert insert : inserts) {
      int n = fence.number(insert.app(), insert.epoch());
      var repeats = new BitSet();
      repeated.add(repeats);
      for (int i = 0; i < insert.events().size(); i++) {
        Insert.Routed routed = insert.events().get(i);
        var event = routed.event();
        if (event.externalId() != null) {
          var key = new Key(n, insert.app().value(), event.id());
          if (!seen.add(key)) {
            repeats.set(i);
            continue;
          }
          keys.add(key);
        }
        later |= event.deliverAt() != null;
        for (Insert.Route route : routed.routes()) {
          rows.add(
              new Row(
                  n,
                  Delivery.fresh(
                      seqs.getAsLong(),
                      event,
                      route.trigger(),
                      route.orderingKey(),
                      insert.acceptedAt()),
                  insert));
        }
      }
    }
  }

  List<Inserted> execute(Connection connection) throws SQLException {
    Set<Integer> owned = new HashSet<>();
    Set<AppEvent> fresh = new HashSet<>();
    try (PreparedStatement statement = connection.prepareStatement(sql())) {
      bind(statement);
      try (ResultSet result = statement.executeQuery()) {
        while (result.next()) {
          UUID eventId = result.getObject(2, UUID.class);
          if (eventId == null) {
            owned.add(result.getInt(1));
          } else {
            fresh.add(new AppEvent(result.getString(3), eventId));
          }
        }
      }
    }
    return answers(owned, fresh);
  }

  private String sql() {
    if (keys.isEmpty()) {
      return later ? INSERT_LATER : INSERT;
    }
    return later ? INSERT_KEYED_LATER : INSERT_KEYED;
  }

  private void bind(PreparedStatement statement) throws SQLException {
    var arrays = new SqlArrays(statement);
    fence.bind(arrays);
    if (!keys.isEmpty()) {
      arrays.ints(keys, Key::n);
      arrays.texts(keys, Key::app);
      arrays.uuids(keys, Key::eventId);
    }
    arrays.ints(rows, Row::n);
    arrays.longs(rows, row -> row.delivery().seq());
    arrays.uuids(rows, row -> row.delivery().event().id());
    arrays.longs(rows, row -> SqlArrays.micros(row.delivery().acceptedAt()));
    arrays.uuids(rows, row -> row.delivery().event().rootId());
    arrays.ints(rows, row -> row.delivery().event().depth());
    arrays.booleans(rows, row -> row.delivery().event().dataBinary());
    arrays.texts(rows, row -> row.insert().app().value());
    arrays.texts(rows, row -> row.delivery().trigger().value());
    arrays.texts(rows, row -> row.delivery().orderingKey());
    arrays.texts(rows, row -> row.delivery().event().source());
    arrays.texts(rows, row -> row.delivery().event().type());
    arrays.texts(rows, row -> row.delivery().event().subject());
    arrays.texts(rows, row -> row.delivery().event().externalId());
    arrays.texts(rows, row -> row.delivery().event().attributes());
    arrays.texts(rows, row -> row.delivery().event().principal());
    arrays.texts(rows, row -> row.delivery().event().traceparent());
    arrays.bytes(rows, row -> bytesOrNull(row.delivery()));
    if (later) {
      arrays.longs(rows, row -> SqlArrays.micros(row.delivery().dueAt()));
    }
  }

  private static byte @Nullable [] bytesOrNull(Delivery delivery) {
    return delivery.event().data().isEmpty() ? null : delivery.event().data().bytes();
  }

  private List<Inserted> answers(Set<Integer> owned, Set<AppEvent> fresh) {
    List<Inserted> answers = new ArrayList<>(inserts.size());
    int row = 0;
    for (int i = 0; i < inserts.size(); i++) {
      Insert insert = inserts.get(i);
      boolean held = owned.contains(fence.number(insert.app(), insert.epoch()));
      var duplicates = new BitSet();
      List<Delivery> written = new ArrayList<>(insert.rows());
      for (int e = 0; e < insert.events().size(); e++) {
        Insert.Routed routed = insert.events().get(e);
        if (repeated.get(i).get(e)) {
          duplicates.set(e);
          continue;
        }
        var event = routed.event();
        if (event.externalId() != null
            && !fresh.contains(new AppEvent(insert.app().value(), event.id()))) {
          duplicates.set(e);
        }
        for (int r = 0; r < routed.routes().size(); r++, row++) {
          if (!duplicates.get(e)) {
            written.add(rows.get(row).delivery());
          }
        }
      }
      answers.add(held ? new Inserted(false, written, duplicates) : Inserted.FENCED);
    }
    return answers;
  }
}
