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
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Makes a group of settlements, of many apps, durable: one statement for rows that go, one for rows
 * that are tried again, one for rows that die; only those that are needed.
 *
 * <p>Each row is found by its whole key and version. {@code lateral … limit 1} is not pulled up, so
 * the planner has no choice but one look-up by the primary key per row; then a tid scan writes.
 */
final class SettleStatements {
  private static final String VERSION =
      """
      where d.app_id = k.app_id
            and d.due_at = case when k.due = 9223372036854775807 then 'infinity'
              else coalesce(timestamptz 'epoch' + k.due * interval '1 microsecond', '-infinity') end
            and d.seq = k.seq and d.attempt = k.attempt
          limit 1""";

  private static final String DELETE =
      """
      with %s, gone as (
        delete from outbox
        where ctid = any (array (
          select found.ctid
          from unnest(?::int[], ?::text[], ?::bigint[], ?::bigint[], ?::int[])
              as k(n, app_id, due, seq, attempt),
            lateral (select d.ctid from outbox d %s) as found
          where k.n = any (array (select n from owned))))
        returning 1
      ) select n, (select count(*) from gone) from owned
      """
          .formatted(Fence.OWNED, VERSION);

  private static final String RETRY =
      """
      with %s, later as (
        update outbox d
        set attempt = x.next_attempt,
            due_at = coalesce(timestamptz 'epoch' + x.next_due * interval '1 microsecond', '-infinity'),
            first_attempt_at = timestamptz 'epoch' + x.first_attempt * interval '1 microsecond',
            last_error = x.error, attempts = x.log, running_since = null,
            trigger_id = x.trigger_id
        from (
          select found.ctid, k.next_attempt, k.next_due, k.first_attempt, k.error, k.log,
              k.trigger_id
          from unnest(?::int[], ?::text[], ?::bigint[], ?::bigint[], ?::int[], ?::int[],
                ?::bigint[], ?::bigint[], ?::text[], ?::text[], ?::text[])
              as k(n, app_id, due, seq, attempt, next_attempt, next_due, first_attempt, error, log,
                trigger_id),
            lateral (select d.ctid from outbox d %s) as found
          where k.n = any (array (select n from owned))
          offset 0
        ) as x
        where d.ctid = x.ctid
        returning d.seq
      ) select n, (select array_agg(seq) from later) from owned
      """
          .formatted(Fence.OWNED, VERSION);

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
              k.error, k.log, k.routed_to
          from unnest(?::int[], ?::text[], ?::bigint[], ?::bigint[], ?::int[], ?::uuid[], ?::uuid[],
                ?::int[], ?::bigint[], ?::bigint[], ?::text[], ?::text[], ?::text[])
              as k(n, app_id, due, seq, attempt, id, delivery_id, attempts_made, first_attempt,
                last_attempt, error, log, routed_to),
            lateral (select d.ctid from outbox d %s) as found
          where k.n = any (array (select n from owned))
          offset 0
        ) as x
        where d.ctid = x.ctid
        returning d.*, x.id, x.delivery_id, x.attempts_made, x.first_attempt, x.last_attempt,
            x.error, x.log, x.routed_to
      ), buried as (
        insert into dead_letter (app_id, id, event_id, trigger_id, delivery_id, attempt, created_at,
            accepted_at, first_attempt_at, last_attempt_at, ordering_key, priority, depth, root_id,
            data_binary, source, type, subject, external_id, attributes, principal, traceparent,
            last_error, attempts, data)
        select app_id, id, event_id, routed_to, delivery_id, attempts_made, now(), accepted_at,
            timestamptz 'epoch' + first_attempt * interval '1 microsecond',
            timestamptz 'epoch' + last_attempt * interval '1 microsecond',
            ordering_key, priority, depth, root_id, data_binary, source, type, subject, external_id,
            attributes, principal, traceparent, error, log, data
        from gone
        returning 1
      ) select n, (select count(*) from buried) from owned
      """
          .formatted(Fence.OWNED, VERSION);

  private record Numbered<C extends RowChange>(int n, String app, C change) {}

  private final List<Settling> group;
  private final Fence fence = new Fence();
  private final List<Numbered<RowChange.Delete>> deletes = new ArrayList<>();
  private final List<Numbered<RowChange.Retry>> retries = new ArrayList<>();
  private final List<Numbered<RowChange.Bury>> burials = new ArrayList<>();

  SettleStatements(List<Settling> group) {
    this.group = group;
    for (Settling settling : group) {
      int n = fence.number(settling.app(), settling.epoch());
      String app = settling.app().value();
      for (RowChange change : settling.changes()) {
        switch (change) {
          case RowChange.Delete delete -> deletes.add(new Numbered<>(n, app, delete));
          case RowChange.Retry retry -> retries.add(new Numbered<>(n, app, retry));
          case RowChange.Bury bury -> burials.add(new Numbered<>(n, app, bury));
        }
      }
    }
  }

  Settled execute(Connection connection) throws SQLException {
    int kinds = (deletes.isEmpty() ? 0 : 1) + (retries.isEmpty() ? 0 : 1);
    kinds += burials.isEmpty() ? 0 : 1;
    if (kinds <= 1) {
      return run(connection); // one statement is one transaction: no further round trips
    }
    connection.setAutoCommit(false);
    try {
      Settled settled = run(connection);
      connection.commit();
      return settled;
    } catch (SQLException | RuntimeException failed) {
      connection.rollback();
      throw failed;
    } finally {
      connection.setAutoCommit(true);
    }
  }

  private Settled run(Connection connection) throws SQLException {
    Set<Integer> owned = new HashSet<>();
    int hits = 0;
    Set<Long> retried = Set.of();
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
        tried += settling.changes().size();
      }
    }
    return new Settled(held, tried - hits, missedRetries(owned, retried));
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
    arrays.texts(next, row -> row.trigger().value());
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
  }

  private Set<Long> missedRetries(Set<Integer> owned, Set<Long> retried) {
    Set<Long> missed = new HashSet<>();
    for (Numbered<RowChange.Retry> numbered : retries) {
      long seq = numbered.change().row().seq();
      if (owned.contains(numbered.n()) && !retried.contains(seq)) {
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
