package dev.viesti.persistence.outbox;

import dev.viesti.protocol.delivery.Delivery;
import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Makes a group of settlements, of many apps, durable: one statement for rows that go, one for rows
 * that are tried again, one for rows that die; only those that are needed.
 *
 * <p>Each row is found by its whole key and version. {@code lateral … limit 1} is not pulled up, so
 * the planner has no choice but one look-up by the primary key per row; then a tid scan writes.
 */
final class SettleStatements {
  private static final String DELETE =
      """
      with %s, gone as (
        delete from outbox
        where ctid = any (array (
          select found.ctid
          from (
              select unnest(?::int[]) as n, unnest(?::text[]) as app_id, unnest(?::bigint[]) as due,
                unnest(?::bigint[]) as seq, unnest(?::int[]) as attempt) as k,
            lateral (select d.ctid from outbox d %s) as found
          where k.n = any (array (select n from owned))))
        returning 1
      ) select n, (select count(*) from gone) from owned
      """
          .formatted(Fence.OWNED, RowVersion.IS_NAMED);

  /**
   * Rows that are due at once and fresh, which nearly all are: the numbers of each app go into one
   * scan of the index, which takes them leaf by leaf; a look-up for each costs three times as much.
   * Only from PostgreSQL 17 on: before, the planner may compare the numbers row by row instead.
   */
  private static final String DELETE_FRESH =
      """
      with %s, gone as (
        delete from outbox
        where ctid = any (array (
          select found.ctid
          from (
              select o.app_id, (?::int[])[o.n] as first, (?::int[])[o.n] as last
              from owned o
              offset 0) as k,
            lateral (
              select d.ctid
              from outbox d
              where d.app_id = k.app_id and d.due_at = '-infinity'
                and d.seq = any ((?::bigint[])[k.first:k.last]) and d.attempt = 0
              offset 0) as found))
        returning 1
      ) select n, (select count(*) from gone) from owned
      """
          .formatted(Fence.OWNED);

  /** The first version of PostgreSQL that takes a whole array into one scan of an index. */
  private static final int FRESH_SINCE = 17;

  private static final String RETRY =
      """
      with %s, later as (
        update outbox d
        set attempt = x.next_attempt,
            due_at = coalesce(timestamptz 'epoch' + x.next_due * interval '1 microsecond', '-infinity'),
            first_attempt_at = timestamptz 'epoch' + x.first_attempt * interval '1 microsecond',
            last_error = x.error, attempts = x.log,
            running_since = timestamptz 'epoch' + x.running * interval '1 microsecond',
            trigger_id = x.trigger_id, ordering_key = x.ordering_key
        from (
          select found.ctid, k.next_attempt, k.next_due, k.first_attempt, k.error, k.log, k.running,
              k.trigger_id, k.ordering_key
          from (
              select unnest(?::int[]) as n, unnest(?::text[]) as app_id, unnest(?::bigint[]) as due,
                unnest(?::bigint[]) as seq, unnest(?::int[]) as attempt,
                unnest(?::int[]) as next_attempt, unnest(?::bigint[]) as next_due,
                unnest(?::bigint[]) as first_attempt, unnest(?::text[]) as error,
                unnest(?::text[]) as log, unnest(?::bigint[]) as running,
                unnest(?::text[]) as trigger_id, unnest(?::text[]) as ordering_key) as k,
            lateral (select d.ctid from outbox d %s) as found
          where k.n = any (array (select n from owned))
          offset 0
        ) as x
        where d.ctid = x.ctid
        returning d.seq
      ) select n, (select array_agg(seq) from later) from owned
      """
          .formatted(Fence.OWNED, RowVersion.IS_NAMED);

  private static final String MARK =
      """
      with %s, marked as (
        update outbox d
        set running_since = timestamptz 'epoch' + x.running * interval '1 microsecond'
        from (
          select found.ctid, k.running
          from unnest(?::int[], ?::text[], ?::bigint[], ?::bigint[], ?::int[], ?::bigint[])
              as k(n, app_id, due, seq, attempt, running),
            lateral (select d.ctid from outbox d %s) as found
          where k.n = any (array (select n from owned))
          offset 0
        ) as x
        where d.ctid = x.ctid
        returning d.seq
      ) select n, (select array_agg(seq) from marked) from owned
      """
          .formatted(Fence.OWNED, RowVersion.IS_NAMED);

  /** Where a deferred row can be found by those who know its id only. */
  private static final String POINT =
      """
      insert into deferred_delivery (app_id, delivery_id, due_at, seq)
      select k.app_id, k.delivery_id, timestamptz 'epoch' + k.due * interval '1 microsecond', k.seq
      from unnest(?::text[], ?::uuid[], ?::bigint[], ?::bigint[])
        as k(app_id, delivery_id, due, seq)
      order by k.app_id, k.delivery_id
      on conflict (app_id, delivery_id) do update set due_at = excluded.due_at, seq = excluded.seq
      """;

  /**
   * What is buried is what the delete returns: a row that another lane settles meanwhile would
   * otherwise leave a dead letter as well.
   */
  private static final String BURY =
      """
      with %s, gone as (
        delete from outbox d
        using (
          select found.ctid, k.id, k.delivery_id, k.attempts_made, k.first_attempt, k.last_attempt,
              k.error, k.log, k.trigger_routed, k.key_routed
          from unnest(?::int[], ?::text[], ?::bigint[], ?::bigint[], ?::int[], ?::uuid[], ?::uuid[],
                ?::int[], ?::bigint[], ?::bigint[], ?::text[], ?::text[], ?::text[], ?::text[])
              as k(n, app_id, due, seq, attempt, id, delivery_id, attempts_made, first_attempt,
                last_attempt, error, log, trigger_routed, key_routed),
            lateral (select d.ctid from outbox d %s) as found
          where k.n = any (array (select n from owned))
          offset 0
        ) as x
        where d.ctid = x.ctid
        returning d.*, x.id, x.delivery_id, x.attempts_made, x.first_attempt, x.last_attempt,
            x.error, x.log, x.trigger_routed, x.key_routed
      ), buried as (
        insert into dead_letter (app_id, id, seq, event_id, trigger_id, delivery_id, attempt, created_at,
            accepted_at, first_attempt_at, last_attempt_at, ordering_key, priority, depth, root_id,
            data_binary, source, type, subject, external_id, attributes, principal, traceparent,
            last_error, attempts, data)
        select app_id, id, seq, event_id, trigger_routed, delivery_id, attempts_made, now(), accepted_at,
            timestamptz 'epoch' + first_attempt * interval '1 microsecond',
            timestamptz 'epoch' + last_attempt * interval '1 microsecond',
            key_routed, priority, depth, root_id, data_binary, source, type, subject, external_id,
            attributes, principal, traceparent, error, log, data
        from gone
        returning 1
      ) select n, (select count(*) from buried) from owned
      """
          .formatted(Fence.OWNED, RowVersion.IS_NAMED);

  private record Numbered<C extends RowChange>(int n, String app, C change) {}

  private final List<Settling> group;
  private final Connection connection;
  private final Fence fence = new Fence();
  private final Map<Integer, List<Long>> fresh = new HashMap<>();
  private final List<Numbered<RowChange.Delete>> deletes = new ArrayList<>();
  private final List<Numbered<RowChange.Later>> retries = new ArrayList<>();
  private final List<Numbered<RowChange.Mark>> marks = new ArrayList<>();
  private final List<Numbered<RowChange.Bury>> burials = new ArrayList<>();

  /**
   * @param connection runs the statements later; its server's version decides which
   */
  SettleStatements(List<Settling> group, Connection connection) throws SQLException {
    this.group = group;
    this.connection = connection;
    boolean byLeaf = connection.getMetaData().getDatabaseMajorVersion() >= FRESH_SINCE;
    for (Settling settling : group) {
      int n = fence.number(settling.app(), settling.epoch());
      String app = settling.app().value();
      for (RowChange change : settling.changes()) {
        switch (change) {
          case RowChange.Delete(var row) when byLeaf && row.dueAt() == null && row.attempt() == 0 ->
              fresh.computeIfAbsent(n, first -> new ArrayList<>()).add(row.seq());
          case RowChange.Delete delete -> deletes.add(new Numbered<>(n, app, delete));
          case RowChange.Later later -> retries.add(new Numbered<>(n, app, later));
          case RowChange.Mark mark -> marks.add(new Numbered<>(n, app, mark));
          case RowChange.Bury bury -> burials.add(new Numbered<>(n, app, bury));
        }
      }
    }
  }

  Settled execute() throws SQLException {
    if (isOneStatement()) {
      return run(); // one statement is one transaction: no further round trips
    }
    connection.setAutoCommit(false);
    try {
      Settled settled = run();
      connection.commit();
      return settled;
    } catch (SQLException | RuntimeException failed) {
      connection.rollback();
      throw failed;
    } finally {
      connection.setAutoCommit(true);
    }
  }

  private boolean isOneStatement() {
    int kinds = fresh.isEmpty() ? 0 : 1;
    for (List<?> changes : List.of(marks, deletes, retries, burials)) {
      kinds += changes.isEmpty() ? 0 : 1;
    }
    return kinds <= 1 && retries.stream().noneMatch(SettleStatements::isDeferred);
  }

  private static boolean isDeferred(Numbered<RowChange.Later> later) {
    return later.change() instanceof RowChange.Defer;
  }

  /** Part of the caller's transaction. Marks go first: a row that goes now was marked before. */
  Settled run() throws SQLException {
    Set<Integer> owned = new HashSet<>();
    int hits = 0;
    Set<Long> marked = Set.of();
    Set<Long> retried = Set.of();
    if (!marks.isEmpty()) {
      try (PreparedStatement statement = connection.prepareStatement(MARK)) {
        bindVersions(statement, marks)
            .longs(marks, numbered -> SqlArrays.micros(numbered.change().since()));
        marked = seqs(statement, owned);
      }
    }
    if (!fresh.isEmpty()) {
      try (PreparedStatement statement = connection.prepareStatement(DELETE_FRESH)) {
        bindFresh(statement);
        hits += hits(statement, owned);
      }
    }
    if (!deletes.isEmpty()) {
      try (PreparedStatement statement = connection.prepareStatement(DELETE)) {
        bindVersions(statement, deletes);
        hits += hits(statement, owned);
      }
    }
    if (!retries.isEmpty()) {
      try (PreparedStatement statement = connection.prepareStatement(RETRY)) {
        bindRetries(bindVersions(statement, retries));
        retried = seqs(statement, owned);
        hits += retried.size();
      }
      point(owned);
    }
    if (!burials.isEmpty()) {
      try (PreparedStatement statement = connection.prepareStatement(BURY)) {
        bindBurials(bindVersions(statement, burials));
        hits += hits(statement, owned);
      }
    }
    var held = new BitSet();
    int tried = 0;
    for (int i = 0; i < group.size(); i++) {
      Settling settling = group.get(i);
      if (owned.contains(fence.number(settling.app(), settling.epoch()))) {
        held.set(i);
        for (RowChange change : settling.changes()) {
          tried += change instanceof RowChange.Mark ? 0 : 1;
        }
      }
    }
    Set<Long> missedRows = missed(retries, owned, retried);
    missedRows.addAll(missed(marks, owned, marked));
    return new Settled(held, tried - hits, missedRows);
  }

  private void point(Set<Integer> owned) throws SQLException {
    List<Numbered<RowChange.Later>> deferred =
        retries.stream().filter(later -> isDeferred(later) && owned.contains(later.n())).toList();
    if (deferred.isEmpty()) {
      return;
    }
    try (PreparedStatement statement = connection.prepareStatement(POINT)) {
      var arrays = new SqlArrays(statement);
      arrays.texts(deferred, Numbered::app);
      arrays.uuids(deferred, numbered -> numbered.change().row().id().value());
      arrays.longs(deferred, numbered -> SqlArrays.micros(numbered.change().next().dueAt()));
      arrays.longs(deferred, numbered -> numbered.change().row().seq());
      statement.executeUpdate();
    }
  }

  /** The numbers of all apps one after the other, and for each app its first and last of them. */
  private void bindFresh(PreparedStatement statement) throws SQLException {
    List<Long> seqs = new ArrayList<>();
    List<Integer> firsts = new ArrayList<>();
    List<Integer> lasts = new ArrayList<>();
    for (int n = 1; n <= fence.size(); n++) {
      firsts.add(seqs.size() + 1);
      seqs.addAll(fresh.getOrDefault(n, List.of()));
      lasts.add(seqs.size());
    }
    var arrays = new SqlArrays(statement);
    fence.bind(arrays);
    arrays.ints(firsts, first -> first);
    arrays.ints(lasts, last -> last);
    arrays.longs(seqs, seq -> seq);
  }

  private <C extends RowChange> SqlArrays bindVersions(
      PreparedStatement statement, List<Numbered<C>> changes) throws SQLException {
    var arrays = new SqlArrays(statement);
    fence.bind(arrays);
    arrays.ints(changes, Numbered::n);
    arrays.texts(changes, Numbered::app);
    arrays.longs(changes, numbered -> SqlArrays.micros(numbered.change().row().dueAt()));
    arrays.longs(changes, numbered -> numbered.change().row().seq());
    arrays.ints(changes, numbered -> numbered.change().row().attempt());
    return arrays;
  }

  private void bindRetries(SqlArrays arrays) throws SQLException {
    List<Delivery> next = retries.stream().map(numbered -> numbered.change().next()).toList();
    arrays.ints(next, Delivery::attempt);
    arrays.longs(next, row -> SqlArrays.micros(row.dueAt()));
    arrays.longs(next, row -> SqlArrays.micros(row.firstAttemptAt()));
    arrays.texts(next, Delivery::lastError);
    arrays.texts(next, Delivery::attempts);
    arrays.longs(next, row -> SqlArrays.micros(row.runningSince()));
    arrays.texts(next, row -> row.trigger().value());
    arrays.texts(next, Delivery::orderingKey);
  }

  private void bindBurials(SqlArrays arrays) throws SQLException {
    List<RowChange.Bury> dead = burials.stream().map(Numbered::change).toList();
    arrays.uuids(dead, RowChange.Bury::deadLetterId);
    arrays.uuids(dead, bury -> bury.row().id().value());
    arrays.ints(dead, RowChange.Bury::attempts);
    arrays.longs(dead, bury -> SqlArrays.micros(bury.firstAttemptAt()));
    arrays.longs(dead, bury -> SqlArrays.micros(bury.lastAttemptAt()));
    arrays.texts(dead, RowChange.Bury::error);
    arrays.texts(dead, RowChange.Bury::attemptLog);
    arrays.texts(dead, bury -> bury.row().trigger().value());
    arrays.texts(dead, bury -> bury.row().orderingKey());
  }

  private static <C extends RowChange> Set<Long> missed(
      List<Numbered<C>> changes, Set<Integer> owned, Set<Long> hits) {
    Set<Long> missed = new HashSet<>();
    for (Numbered<C> numbered : changes) {
      long seq = numbered.change().row().seq();
      if (owned.contains(numbered.n()) && !hits.contains(seq)) {
        missed.add(seq);
      }
    }
    return missed;
  }

  private static Set<Long> seqs(PreparedStatement statement, Set<Integer> owned)
      throws SQLException {
    Set<Long> seqs = new HashSet<>();
    try (ResultSet result = statement.executeQuery()) {
      while (result.next()) {
        owned.add(result.getInt(1));
        Array hits = result.getArray(2);
        if (hits != null) {
          seqs.addAll(Arrays.asList((Long[]) hits.getArray()));
        }
      }
    }
    return seqs;
  }

  private static int hits(PreparedStatement statement, Set<Integer> owned) throws SQLException {
    int hits = 0;
    try (ResultSet result = statement.executeQuery()) {
      while (result.next()) {
        owned.add(result.getInt(1));
        hits = result.getInt(2);
      }
    }
    return hits;
  }
}
