package dev.viesti.dispatcher;

import static dev.viesti.dispatcher.StatementLog.OWN;
import static dev.viesti.dispatcher.TestNode.event;
import static dev.viesti.dispatcher.TestNode.get;
import static dev.viesti.dispatcher.TestNode.handler;
import static dev.viesti.dispatcher.TestNode.until;
import static org.assertj.core.api.Assertions.assertThat;

import dev.viesti.client.ViestiClient;
import dev.viesti.dispatcher.StatementLog.Deed;
import dev.viesti.persistence.embedded.EmbeddedPostgres;
import dev.viesti.persistence.embedded.TestDatabase;
import dev.viesti.persistence.embedded.TestPostgres;
import dev.viesti.persistence.schema.SchemaMigrator;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.app.AppSettings;
import dev.viesti.protocol.delivery.Outcome;
import dev.viesti.protocol.event.Event;
import dev.viesti.protocol.handler.EventHandler;
import dev.viesti.protocol.trigger.TriggerId;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/**
 * What an event costs PostgreSQL, counted by PostgreSQL: one insert, or one row of a copy, and one
 * delete, all shared with others. Nothing is claimed, polled or read back.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class StatementsPostgresTest {
  private static final AppId APP = new AppId("shop");
  private static final int BATCH = 250;
  private static final int EVENTS = 5_000;
  private static final int SINGLES = 2_000;
  private static final int FEW = 1_000;

  /** Enough for a copy. */
  private static final int LARGE = 500;

  /** A statement for each event would be run as often as there are events. */
  private static final int SHARED_BY = 4;

  /** What runs by the clock does not run meanwhile: it costs the same with a million events. */
  private static final String NO_CLOCKS =
      """
      viesti.node.sweep-interval = 1 h
      viesti.outbox { client-rows-interval = 1 h, idle-after = 1 h }
      viesti.settler.pause = 100 ms
      """;

  /** A pause of the machine of more than a second lets attempts be marked: then once more. */
  private static final int ROUNDS_MAX = 4;

  /** Looks of timers, which are seconds apart, in one kind of work. */
  private static final int TIMERS_MAX = 10;

  /** Beyond {@code viesti.outbox.retry-in-memory}. */
  private static final Duration LATER = Duration.ofMillis(1_300);

  private enum Work {
    BATCHES,
    LARGE_BATCHES,
    SINGLES,
    WITH_IDS,
    RETRIED_AT_ONCE,
    RETRIED_LATER,
    BURIED,
    OF_CLIENTS
  }

  private interface Job {
    void run() throws Exception;
  }

  private final AtomicInteger handled = new AtomicInteger();
  private final Map<Work, StatementLog> logs = new EnumMap<>(Work.class);
  private final AtomicInteger ids = new AtomicInteger();
  private int roundsRepeated;
  private EmbeddedPostgres postgres;
  private TestDatabase database;

  private final Map<String, EventHandler> handlers =
      Map.of(
          "works", call -> ended(Outcome.Succeeded.PLAIN),
          "fails-once",
              call ->
                  call.attempt() == 1
                      ? new Outcome.Retryable("first")
                      : ended(Outcome.Succeeded.PLAIN),
          "waits-once",
              call ->
                  call.attempt() == 1
                      ? new Outcome.Retryable("first", LATER, null)
                      : ended(Outcome.Succeeded.PLAIN),
          "gives-up", call -> ended(new Outcome.Permanent("never")));

  private Outcome ended(Outcome outcome) {
    handled.incrementAndGet();
    return outcome;
  }

  /** Everything is done first, since sessions tell their counts of rows when they end. */
  @BeforeAll
  void work() throws Exception {
    postgres =
        EmbeddedPostgres.start(
            TestPostgres.freshDirectory().resolve("data"), TestPostgres.settings());
    database = new TestDatabase(postgres.jdbcUrl(), postgres.user(), postgres.password());
    database.execute("alter system set shared_preload_libraries = 'pg_stat_statements'");
    postgres.stopHard();
    postgres.startAgain();
    database.execute("create extension pg_stat_statements");
    new SchemaMigrator(database.dataSource()).migrate(SchemaMigrator.Mode.AUTO);
    try (TestNode node = TestNode.start(database, handlers, NO_CLOCKS)) {
      get(node.viesti.putApp(APP, AppSettings.DEFAULT, null, "me"));
      for (String name : handlers.keySet()) {
        get(node.viesti.putTrigger(APP, new TriggerId(name), handler(name, name, 3), null, "me"));
      }
      batches(node, "works", BATCH, BATCH); // the connections are open, the row numbers are there
      settled(BATCH);
      count(Work.BATCHES, EVENTS, () -> batches(node, "works", EVENTS, BATCH));
      count(Work.LARGE_BATCHES, EVENTS, () -> batches(node, "works", EVENTS, LARGE));
      count(Work.SINGLES, SINGLES, () -> singles(node, SINGLES));
      count(Work.WITH_IDS, FEW, () -> withIds(node, FEW));
      count(Work.RETRIED_AT_ONCE, FEW, () -> batches(node, "fails-once", FEW, BATCH));
      count(Work.RETRIED_LATER, FEW, () -> batches(node, "waits-once", FEW, BATCH));
      count(Work.BURIED, FEW, () -> batches(node, "gives-up", FEW, BATCH));
      count(Work.OF_CLIENTS, FEW, () -> ofClients(FEW));
    }
  }

  @AfterAll
  void stop() {
    postgres.close();
  }

  private void count(Work work, int events, Job job) throws Exception {
    for (int round = 1; ; round++) {
      handled.set(0);
      StatementLog.reset(database);
      job.run();
      settled(events);
      StatementLog log = StatementLog.read(database);
      logs.put(work, log);
      if (round == ROUNDS_MAX || !log.marked()) {
        return;
      }
      roundsRepeated++;
    }
  }

  private void settled(int events) {
    until("all are handled", () -> handled.get() == events);
    until(
        "the outbox is empty", () -> text(OWN + "select count(*) from viesti.outbox").equals("0"));
  }

  private static void batches(TestNode node, String type, int count, int batch) {
    for (int from = 0; from < count; from += batch) {
      List<Event> events = new ArrayList<>();
      for (int n = 0; n < batch; n++) {
        events.add(event(type, null, "{\"n\":1}"));
      }
      get(node.viesti.publish(APP, events));
    }
  }

  private static void singles(TestNode node, int count) {
    List<CompletionStage<List<Receipt>>> answers = new ArrayList<>();
    for (int n = 0; n < count; n++) {
      answers.add(node.viesti.publish(APP, List.of(event("works", null, "{\"n\":1}"))));
    }
    answers.forEach(TestNode::get);
  }

  private void withIds(TestNode node, int count) {
    for (int from = 0; from < count; from += BATCH) {
      List<Event> events = new ArrayList<>();
      for (int n = 0; n < BATCH; n++) {
        events.add(event("id-" + ids.incrementAndGet(), "works", null, "{\"n\":1}"));
      }
      get(node.viesti.publish(APP, events));
    }
  }

  private void ofClients(int count) throws SQLException {
    try (ViestiClient client =
        ViestiClient.builder("shop").dataSource(database.dataSource()).build()) {
      for (int from = 0; from < count; from += BATCH) {
        List<dev.viesti.client.Event> events = new ArrayList<>();
        for (int n = 0; n < BATCH; n++) {
          events.add(dev.viesti.client.Event.of("/shop", "works").json("{\"n\":1}").build());
        }
        client.inTransaction(connection -> client.append(connection, events));
      }
    }
  }

  @Test
  void eventsInBatchesCostOneInsertAndOneDeleteThatTheyShare() {
    StatementLog log = log(Work.BATCHES);
    assertHotPath(log, EVENTS);
    assertThat(log.doing(Deed.INSERT).getFirst().calls())
        .as("one for each call of the door" + log)
        .isLessThanOrEqualTo(EVENTS / BATCH);
  }

  @Test
  void largeBatchesAreCopied() {
    StatementLog log = log(Work.LARGE_BATCHES);
    assertThat(log.doing(Deed.INSERT)).as("inserts" + log).isEmpty();
    assertThat(log.doing(Deed.COPY)).as("copies" + log).hasSize(1);
    assertThat(log.doing(Deed.COPY).getFirst().calls())
        .as("one for each call of the door" + log)
        .isLessThanOrEqualTo(EVENTS / LARGE);
    assertRestOfHotPath(log, EVENTS);
  }

  /** Those that came while a commit was under way may be many. */
  @Test
  void eventsThatComeOneByOneShareThemAsWell() {
    StatementLog log = log(Work.SINGLES);
    assertThat(log.doing(Deed.INSERT)).as("inserts" + log).hasSizeLessThanOrEqualTo(1);
    assertThat(log.doing(Deed.COPY)).as("copies" + log).hasSizeLessThanOrEqualTo(1);
    assertThat(log.doing(Deed.INSERT).size() + log.doing(Deed.COPY).size())
        .as("ways of writing" + log)
        .isPositive();
    assertRestOfHotPath(log, SINGLES);
  }

  @Test
  void anIdOfTheSendersCostsNoStatementOfItsOwn() {
    StatementLog log = log(Work.WITH_IDS);
    assertHotPath(log, FEW);
    assertThat(log.doing(Deed.INSERT).getFirst().text()).as("" + log).contains("idempotency_key");
  }

  /** The next attempt settles it, before anybody could have read of the first one. */
  @Test
  void aRetryThatIsDueInAMomentCostsNothing() {
    assertHotPath(log(Work.RETRIED_AT_ONCE), FEW);
  }

  @Test
  void aRetryCostsOneUpdate() {
    StatementLog log = log(Work.RETRIED_LATER);
    assertThat(log.doing(Deed.INSERT)).as("inserts" + log).hasSize(1);
    assertThat(log.doing(Deed.DELETE)).as("deletes" + log).hasSize(1);
    assertThat(log.doing(Deed.UPDATE)).as("updates" + log).hasSize(1);
    assertThat(log.onlyReading()).as("reads" + log).isEmpty();
    assertThat(log.ofTimers()).allSatisfy(look -> assertThat(look.calls()).isLessThan(TIMERS_MAX));
    assertShared(log, FEW);
  }

  @Test
  void aDeadLetterIsWrittenByTheStatementThatDeletes() {
    StatementLog log = log(Work.BURIED);
    assertHotPath(log, FEW);
    assertThat(log.doing(Deed.DELETE).getFirst().text()).as("" + log).contains("dead_letter");
  }

  /** They are read, page by page, and never row by row. */
  @Test
  void aClientsEventIsReadButNeitherClaimedNorMoved() {
    StatementLog log = log(Work.OF_CLIENTS);
    assertThat(log.doing(Deed.INSERT)).as("inserts" + log).hasSize(1);
    assertThat(log.doing(Deed.DELETE)).as("deletes" + log).hasSize(1);
    assertThat(log.doing(Deed.UPDATE)).as("updates" + log).isEmpty();
    assertThat(log.onlyReading()).as("other reads" + log).isEmpty();
    assertThat(log.ofTimers().stream().filter(look -> look.text().contains("as oldest_running")))
        .as("reads" + log)
        .hasSize(1);
    assertShared(log, FEW);
  }

  /** The rows behind the statements: as many as there were events, and no other. */
  @Test
  void writesEachRowOnceAndTakesItAwayOnce() {
    String counted =
        text(
            "select n_tup_ins || ' inserted, ' || n_tup_del || ' deleted, ' || n_tup_upd"
                + " || ' updated' from pg_stat_user_tables"
                + " where schemaname = 'viesti' and relname = 'outbox'");
    if (roundsRepeated == 0) {
      int rows = BATCH + 2 * EVENTS + SINGLES + 5 * FEW;
      assertThat(counted)
          .as("of all kinds of work together: " + logs)
          .isEqualTo("%d inserted, %d deleted, %d updated".formatted(rows, rows, FEW));
    }
    assertThat(text("select count(*) from viesti.dead_letter")).isEqualTo("" + FEW);
  }

  private StatementLog log(Work work) {
    return Objects.requireNonNull(logs.get(work));
  }

  private static void assertHotPath(StatementLog log, int events) {
    assertThat(log.doing(Deed.INSERT)).as("inserts" + log).hasSize(1);
    assertThat(log.doing(Deed.COPY)).as("copies" + log).isEmpty();
    assertRestOfHotPath(log, events);
  }

  private static void assertRestOfHotPath(StatementLog log, int events) {
    assertThat(log.doing(Deed.DELETE)).as("deletes" + log).hasSize(1);
    assertThat(log.doing(Deed.UPDATE)).as("updates" + log).isEmpty();
    assertThat(log.doing(Deed.MERGE)).as("merges" + log).isEmpty();
    assertThat(log.onlyReading()).as("reads" + log).isEmpty();
    assertThat(log.ofTimers()).allSatisfy(look -> assertThat(look.calls()).isLessThan(TIMERS_MAX));
    assertShared(log, events);
  }

  /** Of everything that was sent, transactions and row numbers included. */
  private static void assertShared(StatementLog log, int events) {
    assertThat(log.lines()).isNotEmpty();
    assertThat(log.lines())
        .as("for %,d events%s", events, log)
        .allSatisfy(
            line -> assertThat(line.calls()).isLessThanOrEqualTo(Math.ceilDiv(events, SHARED_BY)));
  }

  private String text(String sql) {
    try {
      return database.queryText(sql);
    } catch (SQLException failed) {
      throw new AssertionError(failed);
    }
  }
}
