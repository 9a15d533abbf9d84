package dev.viesti.dispatcher;

import static dev.viesti.dispatcher.TestNode.event;
import static dev.viesti.dispatcher.TestNode.get;
import static dev.viesti.dispatcher.TestNode.handler;
import static dev.viesti.dispatcher.TestNode.until;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.typesafe.config.ConfigFactory;
import dev.viesti.client.ViestiClient;
import dev.viesti.persistence.embedded.TestDatabase;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.app.AppSettings;
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
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/**
 * A commit takes effect and its answer is lost: the one case in which neither side knows. Each
 * statement of the engine is hit at exactly that moment, in an app of its own.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class LostAnswersPostgresTest {
  /** What runs by the clock would be hit instead. */
  private static final String NO_CLOCKS =
      """
      viesti.node.sweep-interval = 1 h
      viesti.outbox { client-rows-interval = 1 h, idle-after = 1 h, retry-in-memory = 0 }
      """;

  private final Map<AppId, Queue<HandlerCall>> calls = new ConcurrentHashMap<>();
  private final Map<AppId, CountDownLatch> gates = new ConcurrentHashMap<>();
  private TestDatabase database;
  private LossyLink link;
  private TestNode node;

  private final Map<String, EventHandler> handlers =
      Map.of(
          "warms", call -> Outcome.Succeeded.PLAIN,
          "works", call -> called(call, Outcome.Succeeded.PLAIN),
          "second-time",
              call ->
                  called(
                      call,
                      call.attempt() == 1
                          ? new Outcome.Retryable("the lost retry")
                          : Outcome.Succeeded.PLAIN),
          "gives-up", call -> called(call, new Outcome.Permanent("the lost burial")),
          "defers", call -> called(call, new Outcome.Deferred(Duration.ofHours(1))));

  private Outcome called(HandlerCall call, Outcome outcome) throws InterruptedException {
    calls(call.app()).add(call);
    CountDownLatch gate = gates.get(call.app());
    if (gate != null) {
      gate.await();
    }
    return outcome;
  }

  private static Outcome effect(HandlerCall call, Connection connection) throws SQLException {
    try (var statement = connection.prepareStatement("insert into effect values (?)")) {
      statement.setInt(1, call.attempt());
      statement.executeUpdate();
    }
    return Outcome.Succeeded.PLAIN;
  }

  @BeforeAll
  void start() throws Exception {
    database = TestNode.database();
    database.execute("create table effect (attempt int)");
    link = new LossyLink(database);
    node =
        TestNode.started(
            new NodeOptions(
                    link.url(),
                    database.user(),
                    database.password(),
                    ConfigFactory.parseString(NO_CLOCKS),
                    handlers,
                    new SimpleMeterRegistry(),
                    Clock.systemUTC())
                .withTransactionalHandlers(Map.of("writes", LostAnswersPostgresTest::effect)));
  }

  @AfterAll
  void stop() throws Exception {
    node.close();
    link.close();
  }

  @Test
  void anEventIsRunAndItsRepetitionIsADuplicate() {
    AppId app = app("insert", "works");
    Event event = event("id-1", "any", null, "\"the lost insert\"");
    link.loseAnswers("the lost insert", 1);
    assertThatThrownBy(() -> get(node.viesti.publish(app, List.of(event))))
        .isInstanceOfSatisfying(
            RefusedException.class,
            refused -> assertThat(refused.refusal()).isInstanceOf(Refusal.Unavailable.class));
    assertThat(link.lost()).isEqualTo(1);
    assertThat(repeated(app, event).duplicate()).isTrue();
    until("it is run", () -> rows(app) == 0);
    assertThat(calls(app)).hasSize(1);
  }

  @Test
  void anEventWithoutAnIdIsRunAllTheSame() {
    AppId app = app("insert-without-id", "works");
    link.loseAnswers("another lost insert", 1);
    assertThatThrownBy(
            () ->
                get(
                    node.viesti.publish(
                        app, List.of(event("any", null, "\"another lost insert\"")))))
        .isInstanceOf(RefusedException.class);
    assertThat(link.lost()).isEqualTo(1);
    until("it is run", () -> calls(app).size() == 1);
    until("it is settled", () -> rows(app) == 0);
  }

  /** The owner's own next epoch is lost as well: it takes itself for a former owner, and goes. */
  @Test
  void anEventIsRunThoughTheNewEpochIsLostToo() {
    AppId app = app("lost-renewal", "works");
    Event event = event("id-2", "any", null, "1");
    link.loseAnswers("lost-renewal", 2);
    assertThatThrownBy(() -> get(node.viesti.publish(app, List.of(event))))
        .isInstanceOf(RefusedException.class);
    until("the renewal is lost", () -> link.lost() == 2);
    assertThat(repeated(app, event).duplicate()).isTrue();
    until("it is run", () -> rows(app) == 0);
    assertThat(calls(app)).hasSize(1);
  }

  @Test
  void aSettledDeliveryIsNotRunAgain() {
    AppId app = app("lost-delete", "works");
    loseWhatFollowsTheAttempt(app, "lost-delete");
    until("the next one is settled", () -> calls(app).size() == 2 && rows(app) == 0);
    assertThat(calls(app)).extracting(HandlerCall::attempt).containsExactly(1, 1);
  }

  @Test
  void aRetryIsMadeOnce() {
    AppId app = app("retry", "second-time");
    loseWhatFollowsTheAttempt(app, "the lost retry");
    until("both are settled", () -> calls(app).size() == 4 && rows(app) == 0);
    assertThat(calls(app)).extracting(HandlerCall::attempt).containsExactlyInAnyOrder(1, 1, 2, 2);
  }

  @Test
  void aDeliveryIsGivenUpOnce() {
    AppId app = app("burial", "gives-up");
    loseWhatFollowsTheAttempt(app, "the lost burial");
    until("both are given up", () -> calls(app).size() == 2 && rows(app) == 0);
    assertThat(count("viesti.dead_letter where app_id = 'burial'")).isEqualTo(2);
  }

  /** Of two deliveries the answer to the first one's settlement is lost. */
  private void loseWhatFollowsTheAttempt(AppId app, String marker) {
    var gate = new CountDownLatch(1);
    gates.put(app, gate);
    get(node.viesti.publish(app, List.of(event("any", null, "1"))));
    until("it runs", () -> calls(app).size() == 1);
    link.loseAnswers(marker, 1);
    gate.countDown();
    until("the answer is lost", () -> link.lost() == 1);
    get(node.viesti.publish(app, List.of(event("any", null, "2"))));
  }

  @Test
  void anEffectIsThereOnce() {
    AppId app = app("effect", "writes");
    link.loseAnswers("COMMIT", 1);
    get(node.viesti.publish(app, List.of(event("any", null, "1"))));
    until("the answer is lost", () -> link.lost() == 1);
    until("it is settled", () -> rows(app) == 0);
    get(node.viesti.publish(app, List.of(event("any", null, "2"))));
    until("the next one as well", () -> count("effect") >= 2 && rows(app) == 0);
    assertThat(count("effect")).isEqualTo(2);
  }

  @Test
  void aDeferredDeliveryIsCompletedOnce() {
    AppId app = app("completion", "defers");
    get(node.viesti.publish(app, List.of(event("any", null, "1"))));
    until("it is deferred", () -> count("viesti.outbox where running_since is not null") == 1);
    link.loseAnswers("the lost completion", 1);
    get(
        node.viesti.completeDelivery(
            app,
            calls(app).element().delivery(),
            Completion.failed("the lost completion", false),
            "me"));
    assertThat(link.lost()).isEqualTo(1);
    assertThat(rows(app)).isZero();
    assertThat(count("viesti.dead_letter where app_id = 'completion'")).isEqualTo(1);
    assertThat(calls(app)).hasSize(1);
  }

  @Test
  void aDeadLetterIsReplayedOnce() {
    AppId app = app("lost-replay", "gives-up");
    get(node.viesti.publish(app, List.of(event("any", null, "1"))));
    until("it is given up", () -> count("viesti.dead_letter where app_id = 'lost-replay'") == 1);
    put(app, "t", "works");
    var letter =
        get(node.viesti.listDeadLetters(app, DeadLetterQuery.UNRESOLVED, null, 1)).getFirst();
    link.loseAnswers(letter.id().toString(), 1);
    assertThatThrownBy(() -> get(node.viesti.replayDeadLetter(app, letter.id(), "me")))
        .isInstanceOf(RefusedException.class);
    assertThat(link.lost()).isEqualTo(1);
    until("it is run", () -> calls(app).size() == 2 && rows(app) == 0);
    assertThatThrownBy(() -> get(node.viesti.replayDeadLetter(app, letter.id(), "me")))
        .isInstanceOfSatisfying(
            RefusedException.class,
            refused -> assertThat(refused.refusal()).isInstanceOf(Refusal.Conflict.class));
    assertThat(calls(app)).hasSize(2);
  }

  /** The row of a service matches twice and is replaced by two; the answer to that is lost. */
  @Test
  void aClientsEventIsRunOnceForEachMatch() throws Exception {
    AppId app = app("move", "works");
    put(app, "the-moved-one", "works");
    link.loseAnswers("the-moved-one", 1);
    try (ViestiClient client =
        ViestiClient.builder("move").dataSource(database.dataSource()).build()) {
      var event = dev.viesti.client.Event.of("/shop", "any").json("1").build();
      client.inTransaction(connection -> client.append(connection, event));
      until("the answer is lost", () -> link.lost() == 1);
      until("both are run", () -> calls(app).size() == 2 && rows(app) == 0);
      client.inTransaction(connection -> client.append(connection, event));
      until("of the next one as well", () -> calls(app).size() == 4 && rows(app) == 0);
    }
    assertThat(calls(app).stream().map(HandlerCall::delivery).distinct()).hasSize(4);
  }

  /** A caller that is told "not now" asks again, as soon as the owner is back. */
  private Receipt repeated(AppId app, Event event) {
    var receipts = new ConcurrentLinkedQueue<Receipt>();
    until(
        "it is accepted",
        () -> {
          try {
            receipts.addAll(get(node.viesti.publish(app, List.of(event))));
            return true;
          } catch (RefusedException notNow) {
            return false;
          }
        });
    return receipts.element();
  }

  /** An app whose owner is there and has read what there is: nothing of it is under way. */
  private AppId app(String name, String handler) {
    var app = new AppId(name);
    get(node.viesti.putApp(app, AppSettings.DEFAULT, null, "me"));
    get(
        node.viesti.putTrigger(
            app, new TriggerId("warms"), handler("warms", "warm", 5), null, "me"));
    put(app, "t", handler);
    for (int n = 0; n < 2; n++) {
      get(node.viesti.publish(app, List.of(event("warm", null, "0"))));
      until("it is warm", () -> rows(app) == 0);
    }
    return app;
  }

  private void put(AppId app, String trigger, String handler) {
    get(
        node.viesti.putTrigger(
            app, new TriggerId(trigger), handler(handler, "any", 5), null, "me"));
  }

  private Queue<HandlerCall> calls(AppId app) {
    return calls.computeIfAbsent(app, any -> new ConcurrentLinkedQueue<>());
  }

  private long rows(AppId app) {
    return count("viesti.outbox where app_id = '" + app + "'");
  }

  private long count(String from) {
    try {
      return Long.parseLong(database.queryText("select count(*) from " + from));
    } catch (SQLException failed) {
      throw new AssertionError(failed);
    }
  }
}
