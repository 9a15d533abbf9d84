package dev.viesti.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.viesti.persistence.embedded.TestDatabase;
import dev.viesti.persistence.embedded.TestPostgres;
import dev.viesti.persistence.schema.SchemaMigrator;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

final class ViestiClientPostgresTest {
  private static final TestDatabase DATABASE = TestPostgres.freshDatabase();
  private static final ViestiClient CLIENT = ViestiClient.of("shop");

  @BeforeAll
  static void migrate() throws Exception {
    new SchemaMigrator(DATABASE.dataSource()).migrate(SchemaMigrator.Mode.AUTO);
    DATABASE.execute(
        "insert into viesti.app values (now(), now(), false, 'shop', null),"
            + " (now(), now(), false, 'other', null)");
  }

  @BeforeEach
  void empty() throws Exception {
    DATABASE.execute("truncate viesti.outbox, viesti.idempotency_key");
  }

  @Test
  void writesWhatTheEventSays() throws Exception {
    Event event =
        Event.of("/shop", "orders.created")
            .id("order-1")
            .subject("customer-7")
            .time(Instant.parse("2026-01-02T03:04:05Z"))
            .extension("tenant", "a\"b\\c")
            .principal("anna")
            .traceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
            .deliverAt(Instant.parse("2026-02-02T03:04:05.678901Z"))
            .json("{\"n\": 1}")
            .build();
    Receipt receipt = appendAlone(event);
    assertThat(
            DATABASE.queryText(
                """
                select concat_ws('|', due_at, event_id, source, type, subject, external_id,
                  attributes, principal, traceparent, deliver_at at time zone 'UTC',
                  convert_from(data, 'UTF8'), data_binary, attempt, depth, trigger_id is null, seq)
                from viesti.outbox
                """))
        .isEqualTo(
            "infinity|"
                + receipt.eventId()
                + "|/shop|orders.created|customer-7|order-1"
                + "|{\"time\":\"2026-01-02T03:04:05Z\",\"tenant\":\"a\\\"b\\\\c\"}|anna"
                + "|00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
                + "|2026-02-02 03:04:05.678901|{\"n\": 1}|f|0|0|t|"
                + receipt.seq());
  }

  @Test
  void isSeenWithTheCallersRowsOrNotAtAll() throws Exception {
    DATABASE.execute("create table public.orders (n int)");
    try (Connection connection = DATABASE.connect()) {
      connection.setAutoCommit(false);
      try (var statement = connection.createStatement()) {
        statement.execute("set search_path to public");
        statement.execute("insert into orders values (1)");
      }
      CLIENT.append(connection, event(1), event(2));
      assertThat(rows()).as("before the commit").isZero();
      connection.rollback();
      assertThat(rows()).as("rolled back").isZero();

      try (var statement = connection.createStatement()) {
        statement.execute("set search_path to public");
      }
      CLIENT.append(connection, event(3));
      assertThat(connection.getAutoCommit()).isFalse();
      assertThat(connection.getSchema()).isEqualTo("public");
      connection.commit();
    }
    assertThat(rows()).isEqualTo(1);
    assertThat(DATABASE.queryText("select count(*) from public.orders")).isEqualTo("0");
  }

  @Test
  void numbersABatchInItsOrder() throws Exception {
    List<Event> events = new ArrayList<>();
    for (int n = 0; n < 2_000; n++) {
      events.add(n % 2 == 0 ? event(n) : keyed("k" + (5_000 - n)));
    }
    try (Connection connection = DATABASE.connect()) {
      List<Receipt> receipts = CLIENT.append(connection, events);
      assertThat(receipts).noneMatch(Receipt::duplicate);
      assertThat(receipts.stream().map(r -> Objects.requireNonNull(r.seq()))).isSorted();
    }
    assertThat(DATABASE.queryText("select count(distinct seq) from viesti.outbox"))
        .isEqualTo("2000");
  }

  @Test
  void countsARepeatedEventOnce() throws Exception {
    Receipt first = appendAlone(keyed("a"));
    Receipt again = appendAlone(keyed("a"));
    assertThat(first.duplicate()).isFalse();
    assertThat(again).isEqualTo(new Receipt(first.eventId(), null, true));
    try (Connection connection = DATABASE.connect()) {
      List<Receipt> mixed = CLIENT.append(connection, keyed("b"), keyed("a"), keyed("b"), event(1));
      assertThat(mixed).extracting(Receipt::duplicate).containsExactly(false, true, true, false);
    }
    assertThat(rows()).isEqualTo(3);
  }

  /** The app of another does not take its ids away. */
  @Test
  void countsARepeatedEventOncePerApp() throws Exception {
    appendAlone(keyed("a"));
    try (Connection connection = DATABASE.connect()) {
      assertThat(ViestiClient.of("other").append(connection, keyed("a")).duplicate()).isFalse();
    }
    assertThat(rows()).isEqualTo(2);
  }

  @Test
  void forgetsTheIdOfATransactionThatWasRolledBack() throws Exception {
    try (Connection connection = DATABASE.connect()) {
      connection.setAutoCommit(false);
      CLIENT.append(connection, keyed("a"));
      connection.rollback();
    }
    assertThat(appendAlone(keyed("a")).duplicate()).isFalse();
  }

  @Test
  void waitsForAnOpenTransactionWithTheSameId() throws Exception {
    for (boolean commits : List.of(true, false)) {
      empty();
      try (Connection connection = DATABASE.connect()) {
        connection.setAutoCommit(false);
        CLIENT.append(connection, keyed("a"));
        var second = CompletableFuture.supplyAsync(() -> unchecked(() -> appendAlone(keyed("a"))));
        until("the second waits", () -> waiting() == 1);
        if (commits) {
          connection.commit();
        } else {
          connection.rollback();
        }
        assertThat(second.join().duplicate()).isEqualTo(commits);
        assertThat(rows()).isEqualTo(1);
      }
    }
  }

  @Test
  void refusesAnAppThatIsNotThereAndLetsTheTransactionGoOn() throws Exception {
    try (Connection connection = DATABASE.connect()) {
      connection.setAutoCommit(false);
      assertThatThrownBy(() -> ViestiClient.of("nobody").append(connection, keyed("a")))
          .isInstanceOf(UnknownAppException.class)
          .hasMessageContaining("'nobody'");
      CLIENT.append(connection, event(1));
      ViestiClient.builder("nobody").evenBeforeTheAppExists().build().append(connection, event(1));
      connection.commit();
    }
    assertThat(
            DATABASE.queryText("select string_agg(app_id, ',' order by app_id) from viesti.outbox"))
        .isEqualTo("nobody,shop");
    assertThat(DATABASE.queryText("select count(*) from viesti.idempotency_key")).isEqualTo("0");
  }

  /** What the reader of the numbers relies on: see the rule in ADR 0011. */
  @Test
  void hasATransactionIdBeforeItTakesANumber() throws Exception {
    DATABASE.execute(
        """
        create or replace function plan_of(statement text) returns setof text language plpgsql as $$
        begin
          return query execute 'explain (generic_plan, verbose, costs off) ' || statement;
        end $$
        """);
    String sql = AppendStatement.APPEND;
    for (int n = 1; sql.indexOf('?') >= 0; n++) {
      sql = sql.replaceFirst("\\?", "\\$" + n);
    }
    try (Connection connection = DATABASE.connect();
        var statement =
            connection.prepareStatement("select string_agg(p, chr(10)) from plan_of(?) as p")) {
      statement.setString(1, sql);
      try (var row = statement.executeQuery()) {
        row.next();
        // a node above the rows: the filter is looked at once, then numbers come with its output
        assertThat(row.getString(1))
            .containsPattern(
                "Output: [^\\n]*nextval\\('[^']*outbox_seq[^\\n]*\\n *One-Time Filter: "
                    + "\\(pg_current_xact_id\\(\\) IS NOT NULL\\)");
      }
    }
  }

  @Test
  void runsWorkInATransactionOfItsOwn() throws Exception {
    try (var client = ViestiClient.builder("shop").dataSource(DATABASE.dataSource()).build()) {
      assertThatThrownBy(
              () ->
                  client.inTransaction(
                      connection -> {
                        client.append(connection, event(1));
                        throw new IllegalStateException("no");
                      }))
          .hasMessage("no");
      assertThat(rows()).isZero();
      Receipt receipt = client.inTransaction(connection -> client.append(connection, event(1)));
      assertThat(receipt.duplicate()).isFalse();
      assertThat(rows()).isEqualTo(1);
    }
    assertThatThrownBy(() -> CLIENT.inTransaction(connection -> 1))
        .isInstanceOf(IllegalStateException.class);
  }

  private static Event event(int n) {
    return Event.of("/shop", "t").json("{\"n\":" + n + "}").build();
  }

  private static Event keyed(String id) {
    return Event.of("/shop", "t").id(id).json("{}").build();
  }

  private static Receipt appendAlone(Event event) throws SQLException {
    try (Connection connection = DATABASE.connect()) {
      return CLIENT.append(connection, event);
    }
  }

  private static long rows() {
    return count("viesti.outbox");
  }

  private static long waiting() {
    return count(
        "pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'");
  }

  private static long count(String from) {
    return unchecked(() -> Long.parseLong(DATABASE.queryText("select count(*) from " + from)));
  }

  private static <T> T unchecked(java.util.concurrent.Callable<T> call) {
    try {
      return call.call();
    } catch (Exception failed) {
      throw new AssertionError(failed);
    }
  }

  private static void until(String what, BooleanSupplier holds) {
    long end = System.nanoTime() + Duration.ofSeconds(20).toNanos();
    while (!holds.getAsBoolean()) {
      if (System.nanoTime() > end) {
        throw new AssertionError("never: " + what);
      }
      LockSupport.parkNanos(2_000_000);
    }
  }
}
