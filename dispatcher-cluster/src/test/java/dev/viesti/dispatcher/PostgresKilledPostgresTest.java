package dev.viesti.dispatcher;

import static dev.viesti.dispatcher.TestNode.event;
import static dev.viesti.dispatcher.TestNode.get;
import static dev.viesti.dispatcher.TestNode.handler;
import static dev.viesti.dispatcher.TestNode.until;
import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.ConfigFactory;
import dev.viesti.client.ViestiClient;
import dev.viesti.persistence.embedded.EmbeddedPostgres;
import dev.viesti.persistence.embedded.TestDatabase;
import dev.viesti.persistence.embedded.TestPostgres;
import dev.viesti.persistence.schema.SchemaMigrator;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.app.AppSettings;
import dev.viesti.protocol.delivery.DeliveryId;
import dev.viesti.protocol.delivery.Outcome;
import dev.viesti.protocol.event.Event;
import dev.viesti.protocol.handler.EventHandler;
import dev.viesti.protocol.handler.HandlerCall;
import dev.viesti.protocol.trigger.TriggerId;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;

/**
 * PostgreSQL is killed in the middle of every kind of work at once, as after a power cut; the node
 * stays. The first time it is away for a while, the second time it is started again at once.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(600)
final class PostgresKilledPostgresTest {
  private static final AppId BLOCKING = new AppId("blocking");
  private static final AppId ASYNC = new AppId("async");
  private static final AppId BACKLOG = new AppId("backlog");
  private static final AppId RETRIES = new AppId("retries");
  private static final AppId CLIENTS = new AppId("clients");
  private static final AppId EFFECTS = new AppId("effects");
  private static final AppId DEFERRED = new AppId("deferred");
  private static final AppId BURIED = new AppId("buried");

  /** Apps whose events come all the time. */
  private static final List<AppId> BUSY =
      List.of(BLOCKING, ASYNC, RETRIES, CLIENTS, EFFECTS, DEFERRED, BURIED);

  private static final int STORED = 4_000;

  /** Recovery takes seconds, and this machine may have other things to do. */
  private static final Duration PATIENCE = Duration.ofSeconds(90);

  /** So that the backlog is read page by page. */
  private static final String CONFIG =
      """
      viesti.outbox { window-rows = 400, page-rows = 50, client-rows-interval = 200 ms }
      viesti.node.sweep-interval = 1 s
      """;

  /** Attempts of each event, in the order in which they were made. */
  private final Map<String, List<Integer>> attempts = new ConcurrentHashMap<>();

  private final LinkedBlockingQueue<DeliveryId> toComplete = new LinkedBlockingQueue<>();
  private final Queue<String> surprises = new ConcurrentLinkedQueue<>();
  private EmbeddedPostgres postgres;
  private TestDatabase database;
  private TestNode node;
  private Callers callers;

  private final Map<String, EventHandler> handlers =
      Map.of(
          "works", call -> attempt(call, Outcome.Succeeded.PLAIN),
          "third-time", call -> attempt(call, onThirdTime(call.attempt())),
          "gives-up", call -> attempt(call, new Outcome.Permanent("never")),
          "defers",
              call -> {
                toComplete.add(call.delivery());
                return attempt(call, new Outcome.Deferred(Duration.ofHours(1)));
              });

  private Outcome attempt(HandlerCall call, Outcome outcome) {
    attempts.computeIfAbsent(name(call), id -> new CopyOnWriteArrayList<>()).add(call.attempt());
    return outcome;
  }

  /** The first retry is written, the second one is near enough to be kept in memory. */
  private static Outcome onThirdTime(int attempt) {
    return switch (attempt) {
      case 1 -> new Outcome.Retryable("not yet", Duration.ofMillis(1_200), null);
      case 2 -> new Outcome.Retryable("not yet");
      default -> Outcome.Succeeded.PLAIN;
    };
  }

  private static String name(HandlerCall call) {
    return call.event().data().utf8().replace("\"", "");
  }

  private static Outcome effect(HandlerCall call, Connection connection) throws SQLException {
    try (var statement = connection.prepareStatement("insert into effect values (?)")) {
      statement.setString(1, name(call));
      statement.executeUpdate();
    }
    return Outcome.Succeeded.PLAIN;
  }

  @BeforeAll
  void killPostgresTwiceUnderLoad() throws Exception {
    postgres =
        EmbeddedPostgres.start(
            TestPostgres.freshDirectory().resolve("data"), TestPostgres.settings());
    database = new TestDatabase(postgres.jdbcUrl(), postgres.user(), postgres.password());
    new SchemaMigrator(database.dataSource()).migrate(SchemaMigrator.Mode.AUTO);
    database.execute("create table effect (event text not null)");
    node =
        TestNode.started(
            new NodeOptions(
                    database.url(),
                    database.user(),
                    database.password(),
                    ConfigFactory.parseString(CONFIG),
                    handlers,
                    new SimpleMeterRegistry(),
                    Clock.systemUTC())
                .withTransactionalHandlers(Map.of("writes", PostgresKilledPostgresTest::effect)));
    for (AppId app : BUSY) {
      makeApp(app, handlerOf(app), false);
    }
    makeApp(BACKLOG, "works", true);
    storeBacklog();
    Thread completer = Thread.ofVirtual().start(this::complete);
    try (var client =
        ViestiClient.builder(CLIENTS.value()).dataSource(database.dataSource()).build()) {
      callers = new Callers(node.viesti);
      callers.publishBlocking(BLOCKING, 4);
      callers.publishAsync(ASYNC);
      callers.append(CLIENTS, client, 2);
      for (AppId app : List.of(RETRIES, EFFECTS, DEFERRED, BURIED)) {
        callers.publishBlocking(app, 2);
      }
      awaitProgress();
      makeApp(BACKLOG, "works", false);
      postgres.stopHard();
      LockSupport.parkNanos(Duration.ofSeconds(1).toNanos());
      postgres.startAgain();
      awaitProgress();
      ProcessHandle.of(postgres.pid()).orElseThrow().destroyForcibly();
      awaitProgress();
      callers.close();
      awaitEmptyOutbox();
    } finally {
      completer.interrupt();
    }
  }

  @AfterAll
  void stop() {
    node.close();
    postgres.close();
  }

  private static String handlerOf(AppId app) {
    return switch (app.value()) {
      case "retries" -> "third-time";
      case "effects" -> "writes";
      case "deferred" -> "defers";
      case "buried" -> "gives-up";
      default -> "works";
    };
  }

  private void makeApp(AppId app, String handler, boolean paused) {
    get(node.viesti.putApp(app, AppSettings.of(null, 16, paused, null), null, "me"));
    get(node.viesti.putTrigger(app, new TriggerId("t"), handler(handler, "*", 50), null, "me"));
  }

  private void storeBacklog() {
    List<Event> events = new ArrayList<>();
    for (int n = 0; n < STORED; n++) {
      events.add(event("any", null, "\"backlog/" + n + "\""));
    }
    get(node.viesti.publish(BACKLOG, events));
  }

  /** In every kind of work something new is accepted, and something is done. */
  private void awaitProgress() {
    Map<AppId, Integer> accepted = new TreeMap<>(java.util.Comparator.comparing(AppId::value));
    BUSY.forEach(app -> accepted.put(app, callers.accepted(app).size()));
    accepted.forEach(
        (app, before) ->
            until("events of " + app, PATIENCE, () -> callers.accepted(app).size() > before + 20));
    long done = attempts.size();
    until("attempts", PATIENCE, () -> attempts.size() > done + 100);
  }

  private void awaitEmptyOutbox() throws SQLException {
    try {
      until("the outbox is empty", PATIENCE, () -> count("viesti.outbox") == 0);
    } catch (AssertionError stuck) {
      String left =
          database.queryText(
              "select string_agg(format('%s %s: %s rows, due %s to %s, attempts %s, first %s', app_id,"
                  + " trigger_id, n, due, due_to, attempt, first), E'\\n') from (select app_id,"
                  + " trigger_id, attempt, count(*) as n, min(due_at) as due, max(due_at) as due_to,"
                  + " min(seq) as first from viesti.outbox group by 1, 2, 3) as o");
      throw new AssertionError(stuck.getMessage() + "; left are\n" + left, stuck);
    }
  }

  /** Somebody who is told of deferred deliveries elsewhere, and says how they ended. */
  private void complete() {
    try {
      while (true) {
        DeliveryId id = toComplete.take();
        boolean first = true;
        while (!completed(id, first)) {
          first = false;
          LockSupport.parkNanos(5_000_000);
        }
      }
    } catch (InterruptedException over) {
      Thread.currentThread().interrupt();
    }
  }

  private boolean completed(DeliveryId id, boolean first) throws InterruptedException {
    try {
      node.viesti
          .completeDelivery(DEFERRED, id, Completion.SUCCEEDED, "me")
          .toCompletableFuture()
          .get(30, TimeUnit.SECONDS);
      return true;
    } catch (ExecutionException refused) {
      if (!first
          && refused.getCause() instanceof RefusedException said
          && said.refusal() instanceof Refusal.NotFound) {
        return true; // an earlier try has done it, and its answer was lost
      }
      return false;
    } catch (java.util.concurrent.TimeoutException hung) {
      surprises.add("no answer to the completion of " + id);
      return true;
    }
  }

  @Test
  void callersThatRepeatTheirIdsCountOnce() {
    assertEachOnce(BLOCKING, List.of(1));
  }

  @Test
  void whatWasAcceptedWithoutWaitingIsRunAndNothingTwice() {
    assertThat(of(ASYNC).keySet()).containsAll(callers.accepted(ASYNC));
    assertThat(of(ASYNC).values()).containsOnly(List.of(1));
  }

  @Test
  void theBacklogIsDrained() {
    assertThat(of(BACKLOG)).hasSize(STORED);
    assertThat(of(BACKLOG).values()).containsOnly(List.of(1));
  }

  @Test
  void eachRetryIsMadeOnce() {
    assertEachOnce(RETRIES, List.of(1, 2, 3));
  }

  @Test
  void servicesThatRepeatTheirTransactionsCountOnce() {
    assertEachOnce(CLIENTS, List.of(1));
  }

  @Test
  void effectsOfATransactionAreThereOnce() throws Exception {
    Set<String> accepted = callers.accepted(EFFECTS);
    assertThat(count("(select distinct event from effect) as once")).isEqualTo(accepted.size());
    assertThat(count("effect")).isEqualTo(accepted.size());
    database.execute("create index on effect (event)");
    for (String event : accepted) {
      assertThat(count("effect where event = '" + event + "'")).as(event).isEqualTo(1);
    }
  }

  @Test
  void deferredDeliveriesAreCompleted() {
    assertEachOnce(DEFERRED, List.of(1));
    assertThat(surprises).isEmpty();
  }

  @Test
  void whatIsGivenUpOnIsADeadLetterOnce() {
    assertEachOnce(BURIED, List.of(1));
    assertThat(count("viesti.dead_letter")).isEqualTo(callers.accepted(BURIED).size());
    assertThat(count("(select distinct event_id from viesti.dead_letter) as once"))
        .isEqualTo(callers.accepted(BURIED).size());
  }

  @Test
  void nobodyGetsAnAnswerThatIsNeitherYesNorNotNow() {
    assertThat(callers.surprises()).isEmpty();
  }

  @Test
  void theNodeIsUsableWithoutARestart() {
    var app = new AppId("afterwards");
    makeApp(app, "works", false);
    get(node.viesti.publish(app, List.of(Callers.withId("afterwards/1"))));
    until("it is run", () -> of(app).size() == 1);
    assertThat(get(node.viesti.listApps(null, 20))).hasSize(BUSY.size() + 2);
  }

  /** The callers have gone on until their last event was accepted. */
  private void assertEachOnce(AppId app, List<Integer> expected) {
    assertThat(of(app).keySet()).containsExactlyInAnyOrderElementsOf(callers.accepted(app));
    assertThat(of(app).values()).containsOnly(expected);
  }

  private Map<String, List<Integer>> of(AppId app) {
    Map<String, List<Integer>> own = new TreeMap<>();
    attempts.forEach(
        (event, made) -> {
          if (event.startsWith(app + "/")) {
            own.put(event, made);
          }
        });
    return own;
  }

  private long count(String from) {
    try {
      return Long.parseLong(database.queryText("select count(*) from " + from));
    } catch (SQLException failed) {
      throw new AssertionError(failed);
    }
  }
}
