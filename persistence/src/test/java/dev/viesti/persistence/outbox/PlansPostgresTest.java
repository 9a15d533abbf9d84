package dev.viesti.persistence.outbox;

import static dev.viesti.persistence.outbox.OutboxFixture.NOW;
import static dev.viesti.persistence.outbox.OutboxFixture.TRIGGER;
import static dev.viesti.persistence.outbox.OutboxFixture.insert;
import static dev.viesti.persistence.outbox.OutboxFixture.settling;
import static org.assertj.core.api.Assertions.assertThat;

import dev.viesti.persistence.app.AppDirectory;
import dev.viesti.persistence.deadletter.DeadLetterRepository;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.deadletter.Resolution;
import dev.viesti.protocol.delivery.Delivery;
import dev.viesti.protocol.delivery.DeliveryId;
import dev.viesti.protocol.event.Event;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.Function;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Plans are made while the tables are empty and stay when they are full: no statement may come to
 * depend on it. Reads of the index per row say so on a machine of any speed; the times only break
 * when a statement is quadratic.
 */
final class PlansPostgresTest {
  private static final int ROWS = 20_000;
  private static final int GROUP = 1_000;

  /** A scan of all rows for each of a group would take minutes; look-ups take about a second. */
  private static final Duration TIME_MAX = Duration.ofSeconds(30);

  /** The driver would take the statement's own parameters for those of the explain. */
  private static final String PLAN_OF =
      """
      create function viesti.plan_of(statement text) returns setof text language plpgsql as $$
      begin
        return query execute 'explain (generic_plan, costs off) ' || statement;
      end $$
      """;

  private static final AppId APP = new AppId("app");
  private static final List<String> TABLES =
      List.of("outbox", "outbox_owner", "idempotency_key", "dead_letter", "app");

  private final OutboxFixture fixture = new OutboxFixture();
  private final OutboxRepository outbox = fixture.outbox;
  private final DeadLetterRepository letters = new DeadLetterRepository(fixture.database);

  /** Vacuum and statistics would mend a plan behind the test's back, some time or other. */
  @BeforeEach
  void prepareEverythingOnEmptyTables() throws Exception {
    for (String table : TABLES) {
      fixture.execute("alter table viesti." + table + " set (autovacuum_enabled = off)");
    }
    fixture.execute(PLAN_OF);
    for (int again = 0; again < 2; again++) {
      useEveryStatement();
    }
  }

  @AfterEach
  void close() {
    fixture.close();
  }

  @Test
  void looksUpEveryRowByItsKey() throws Exception {
    Map<String, String> plans = plans();
    assertThat(plans).hasSizeGreaterThan(25);
    plans.forEach(
        (sql, plan) -> assertThat(plan).as(sql).doesNotContain("Seq Scan", "Hash Join", "Merge"));
    for (String hot :
        List.of("as attempt) as k,", "as last", "update outbox d", "insert into dead_letter")) {
      assertThat(planOf(plans, hot))
          .containsPattern(
              "Index Scan using outbox_pkey on outbox d(_1)?"
                  + ".*\n *Index Cond: \\(\\(app_id = .*due_at = .*seq = ");
    }
    assertThat(planOf(plans, "insert into idempotency_key")).contains("hashed SubPlan");
    assertThat(planOf(plans, "'replayed'")).containsPattern("Index Cond: \\(\\(app_id = .*id = ");
  }

  @Test
  void settlesManyRowsWithPlansMadeOnEmptyTables() throws Exception {
    fixture.owners.claim(APP, "node", 0);
    long start = System.nanoTime();
    List<Delivery> rows = new ArrayList<>();
    while (rows.size() < ROWS) {
      rows.addAll(fixture.rows(APP, 1, GROUP));
    }
    Work inserting = work("outbox");
    List<Delivery> retried = new ArrayList<>();
    for (List<Delivery> group : groups(rows)) {
      retried.addAll(fixture.retried(APP, 1, group, Duration.ofMillis(1)));
    }
    Work retrying = work("outbox");
    settle(retried.subList(0, ROWS / 4), OutboxFixture::bury);
    Work burying = work("outbox");
    settle(retried.subList(ROWS / 4, ROWS), OutboxFixture::delete);
    Work deleting = work("outbox");
    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(TIME_MAX);

    assertThat(inserting.inserts).isEqualTo(ROWS);
    assertThat(retrying.updates).isEqualTo(ROWS);
    assertThat(deleting.deletes).isEqualTo(ROWS);
    assertThat(deleting.scanned - inserting.scanned).isZero();
    assertThat(retrying.indexReads - inserting.indexReads).isLessThanOrEqualTo(2L * ROWS);
    assertThat(burying.indexReads - retrying.indexReads).isLessThanOrEqualTo(ROWS / 2);
    assertThat(deleting.indexReads - burying.indexReads).isLessThanOrEqualTo(2L * ROWS);
    assertThat(work("outbox_owner").scanned).isZero();
    assertThat(work("dead_letter").inserts).isEqualTo(ROWS / 4);
    assertThat(fixture.all(APP)).isEmpty();
  }

  /** Behind dead rows, and of every second number, so that a scan of all between would show. */
  @Test
  void deletesFreshRowsWithPlansMadeOnEmptyTables() throws Exception {
    fixture.owners.claim(APP, "node", 0);
    settle(fixture.rows(APP, 1, ROWS), OutboxFixture::delete);
    List<Delivery> rows = fixture.rows(APP, 1, 2 * GROUP);
    Work before = work("outbox");
    settle(
        rows.stream().filter(row -> row.seq() % 2 == 0).limit(GROUP).toList(),
        OutboxFixture::delete);
    Work after = work("outbox");
    assertThat(after.deletes - before.deletes).isEqualTo(GROUP);
    assertThat(after.scanned - before.scanned).isZero();
    assertThat(after.indexReads - before.indexReads).isLessThanOrEqualTo(2L * GROUP);
    assertThat(fixture.all(APP)).hasSize(GROUP);
  }

  @Test
  void replaysManyDeadLettersWithPlansMadeOnEmptyTables() throws Exception {
    fixture.owners.claim(APP, "node", 0);
    int count = ROWS / 4;
    List<Delivery> rows = fixture.rows(APP, 1, count);
    for (List<Delivery> group : groups(rows)) {
      fixture.buryAll(APP, 1, group);
    }
    Work before = work("dead_letter");
    long start = System.nanoTime();
    for (int replayed = 0; replayed < count; replayed += GROUP) {
      List<UUID> ids = letters.unresolvedIds(APP, null, null, GROUP);
      List<Long> seqs = LongStream.range(0, GROUP).map(n -> fixture.seq()).boxed().toList();
      assertThat(letters.replay(APP, 1, ids, seqs, List.of()).rows()).isEqualTo(GROUP);
    }
    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(TIME_MAX);
    Work after = work("dead_letter");
    assertThat(after.scanned - before.scanned).isZero();
    // once for the id and once for the replay, and what a new version of the row adds
    assertThat(after.indexReads - before.indexReads).isLessThan(8L * count);
    assertThat(fixture.owners.claim(APP, "node", ROWS).pending()).isEqualTo(count);
  }

  @Test
  void takesAGroupOfManyEventsWithIds() throws Exception {
    fixture.owners.claim(APP, "node", 0);
    int count = 2_000;
    var events = new Event[count];
    for (int n = 0; n < count; n++) {
      events[n] = OutboxFixture.keyed("id-" + n);
    }
    long start = System.nanoTime();
    assertThat(fixture.put(insert(APP, 1, events)).rows()).hasSize(count);
    assertThat(fixture.put(insert(APP, 1, events)).duplicates().cardinality()).isEqualTo(count);
    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(5));
    assertThat(fixture.count("outbox")).isEqualTo(count);
  }

  @Test
  void forgetsOldIdsWithoutReadingTheOthers() throws Exception {
    fixture.housekeeping.forgetIds(NOW, 10);
    fixture.execute(
        """
        insert into viesti.idempotency_key (app_id, event_id, accepted_at)
        select 'app', gen_random_uuid(), timestamptz '2026-01-01Z' + n * interval '1 second'
        from generate_series(1, 20000) as n;
        select pg_stat_force_next_flush();
        select brin_summarize_new_values('viesti.idempotency_key_age')
        """);
    Work before = work("idempotency_key");
    assertThat(fixture.housekeeping.forgetIds(Instant.parse("2026-01-01T00:00:00Z"), 1_000))
        .isZero();
    assertThat(fixture.housekeeping.forgetIds(Instant.parse("2026-01-01T00:10:01Z"), 1_000))
        .isEqualTo(600);
    assertThat(work("idempotency_key").minus(before).scanned).isZero();
  }

  @Test
  void anEventCostsOneInsertAndOneDeleteAndNothingElse() throws Exception {
    fixture.owners.claim(APP, "node", 0);
    List<Work> before = workOfAll();
    for (int group = 0; group < 10; group++) {
      settle(fixture.rows(APP, 1, 50), OutboxFixture::delete);
    }
    List<Work> after = workOfAll();
    for (int i = 0; i < TABLES.size(); i++) {
      Work done = after.get(i).minus(before.get(i));
      boolean hot = TABLES.get(i).equals("outbox");
      assertThat(List.of(done.inserts, done.updates, done.deletes, done.scanned))
          .as(TABLES.get(i))
          .isEqualTo(hot ? List.of(500L, 0L, 500L, 0L) : List.of(0L, 0L, 0L, 0L));
    }
  }

  /** With an app that nobody owns, so that nothing is written. */
  private void useEveryStatement() throws SQLException {
    var app = new AppId("nobody");
    Delivery row = Delivery.fresh(1, fixture.event("t"), TRIGGER, null, NOW);
    outbox.insert(List.of(insert(app, 1, fixture.event("t"))), fixture::seq);
    outbox.insert(List.of(insert(app, 1, OutboxFixture.keyed("k"))), fixture::seq);
    outbox.settle(List.of(settling(app, 1, OutboxFixture.delete(row))));
    outbox.settle(List.of(settling(app, 1, OutboxFixture.delete(row.dueAt(NOW)))));
    outbox.settle(List.of(settling(app, 1, OutboxFixture.retry(row))));
    outbox.settle(List.of(settling(app, 1, OutboxFixture.bury(row))));
    fixture.owners.renew(app, 1);
    fixture.owners.release(app, 1, Duration.ZERO);
    fixture.deliveries.atOnce(app, 0, 10, 1_000);
    fixture.deliveries.scheduled(app, NOW, NOW, 0, 10, 1_000);
    fixture.deliveries.orderedHeads(app, NOW, 0, 10, 1_000);
    fixture.deliveries.nextDue(app, NOW);
    fixture.deliveries.list(app, null, null, 0, 10);
    fixture.deliveries.find(app, new DeliveryId(new UUID(1, 1)));
    fixture.housekeeping.dueApps(NOW, null, 10);
    fixture.housekeeping.forgetIdsOf(app, 10);
    fixture.housekeeping.purge(app, 1, 10);
    letters.list(app, null, null, null, 10);
    letters.list(app, null, false, null, 10);
    letters.unresolvedIds(app, null, null, 10);
    letters.count(app, null, false, 10);
    letters.get(app, new UUID(1, 1));
    letters.resolve(app, new UUID(1, 1), Resolution.IGNORED, null);
    letters.replay(app, 1, List.of(new UUID(1, 1)), List.of(1L), List.of());
    letters.purge(app, 10);
    var directory = new AppDirectory(fixture.database);
    directory.remove(app);
    directory.list(null, 10);
    // last, for it writes: the statements before saw no row at all
    fixture.owners.claim(app, "node", 10);
    fixture.execute("truncate viesti.outbox_owner");
    fixture.housekeeping.forgetIds(NOW, 10);
  }

  /** The plans of this thread's connection, which the pool hands out again, by statement. */
  private Map<String, String> plans() throws SQLException {
    Map<String, String> plans = new LinkedHashMap<>();
    try (Connection connection = fixture.database.connection();
        var statement = connection.createStatement()) {
      List<String> texts = new ArrayList<>();
      try (var row =
          statement.executeQuery(
              "select statement from pg_prepared_statements where statement ~ '(outbox|app_id)'")) {
        while (row.next()) {
          texts.add(row.getString(1));
        }
      }
      for (String text : texts) {
        var plan = new StringBuilder();
        try (var explain = connection.prepareStatement("select plan_of(?)")) {
          explain.setString(1, text);
          try (var row = explain.executeQuery()) {
            while (row.next()) {
              plan.append(row.getString(1)).append('\n');
            }
          }
        }
        plans.put(text, plan.toString());
      }
    }
    return plans;
  }

  private static String planOf(Map<String, String> plans, String part) {
    return plans.entrySet().stream()
        .filter(plan -> plan.getKey().contains(part))
        .findFirst()
        .orElseThrow(() -> new AssertionError("not prepared: " + part))
        .getValue();
  }

  private void settle(List<Delivery> rows, Function<Delivery, RowChange> change)
      throws SQLException {
    for (List<Delivery> group : groups(rows)) {
      Settled settled =
          outbox.settle(List.of(new Settling(APP, 1, group.stream().map(change).toList())));
      assertThat(settled.missed()).isZero();
    }
  }

  private static List<List<Delivery>> groups(List<Delivery> rows) {
    List<List<Delivery>> groups = new ArrayList<>();
    for (int from = 0; from < rows.size(); from += GROUP) {
      groups.add(rows.subList(from, Math.min(from + GROUP, rows.size())));
    }
    return groups;
  }

  private record Work(long inserts, long updates, long deletes, long scanned, long indexReads) {
    Work minus(Work other) {
      return new Work(
          inserts - other.inserts,
          updates - other.updates,
          deletes - other.deletes,
          scanned - other.scanned,
          indexReads - other.indexReads);
    }
  }

  private List<Work> workOfAll() throws SQLException {
    List<Work> all = new ArrayList<>();
    for (String table : TABLES) {
      all.add(work(table));
    }
    return all;
  }

  /** What the server did to a table since it was made. */
  private Work work(String table) throws SQLException {
    try (Connection connection = fixture.database.connection();
        var statement = connection.createStatement()) {
      statement.execute("select pg_stat_force_next_flush()");
      try (var row =
          statement.executeQuery(
              """
              select n_tup_ins, n_tup_upd, n_tup_del, seq_tup_read,
                (select coalesce(sum(i.idx_tup_read), 0) from pg_stat_user_indexes i
                  where i.relid = t.relid)
              from pg_stat_user_tables t
              where schemaname = 'viesti' and relname = '%s'
              """
                  .formatted(table))) {
        row.next();
        return new Work(
            row.getLong(1), row.getLong(2), row.getLong(3), row.getLong(4), row.getLong(5));
      }
    }
  }
}
