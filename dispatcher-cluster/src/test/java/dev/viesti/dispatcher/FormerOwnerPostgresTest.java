package dev.viesti.dispatcher;

import static dev.viesti.dispatcher.TestNode.event;
import static dev.viesti.dispatcher.TestNode.get;
import static dev.viesti.dispatcher.TestNode.handler;
import static dev.viesti.dispatcher.TestNode.until;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.abort;

import com.typesafe.config.ConfigFactory;
import dev.viesti.client.ViestiClient;
import dev.viesti.persistence.embedded.TestDatabase;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.app.AppSettings;
import dev.viesti.protocol.delivery.DeliveryId;
import dev.viesti.protocol.delivery.Outcome;
import dev.viesti.protocol.handler.EventHandler;
import dev.viesti.protocol.handler.HandlerCall;
import dev.viesti.protocol.trigger.TriggerId;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Two nodes that know nothing of each other, on one database: the later one takes an app over while
 * the former is at work on it, as after a long pause or a split network. Whatever the former does
 * then, and in whatever way, leaves no trace, and nobody is told that it did.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class FormerOwnerPostgresTest {
  /** How an attempt ends that the former owner began. */
  enum Ending {
    SUCCEEDS,
    IS_RETRIED,
    IS_GIVEN_UP,
    SNOOZES,
    DEFERS,
    TAKES_EFFECT;

    Outcome outcome() {
      return switch (this) {
        case SUCCEEDS, TAKES_EFFECT -> Outcome.Succeeded.PLAIN;
        case IS_RETRIED -> new Outcome.Retryable("no");
        case IS_GIVEN_UP -> new Outcome.Permanent("never");
        case SNOOZES -> new Outcome.Snoozed(Duration.ofHours(1));
        case DEFERS -> new Outcome.Deferred(Duration.ofHours(1));
      };
    }

    String word() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
  }

  private final Map<AppId, CountDownLatch> gates = new ConcurrentHashMap<>();
  private final Queue<HandlerCall> calls = new ConcurrentLinkedQueue<>();
  private final Queue<HandlerCall> laterCalls = new ConcurrentLinkedQueue<>();
  private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
  private TestDatabase database;
  private TestNode former;
  private TestNode later;

  @BeforeAll
  void start() throws Exception {
    database = TestNode.database();
    database.execute("create table effect (app_id text not null, epoch bigint not null)");
    Map<String, EventHandler> formers =
        Map.of(
            "waits", this::waits,
            "gives-up", call -> called(call, new Outcome.Permanent("never")),
            "defers", call -> called(call, new Outcome.Deferred(Duration.ofHours(1))));
    former = start(meters, "100 ms", formers, this::waitsAndWrites);
    EventHandler works =
        call -> {
          laterCalls.add(call);
          return Outcome.Succeeded.PLAIN;
        };
    Map<String, EventHandler> laters = Map.of("waits", works, "gives-up", works, "defers", works);
    later =
        start(
            new SimpleMeterRegistry(),
            "1 h",
            laters,
            (call, connection) -> {
              laterCalls.add(call);
              return write(call, connection);
            });
  }

  private TestNode start(
      SimpleMeterRegistry registry,
      String clientRowsInterval,
      Map<String, EventHandler> handlers,
      TransactionalHandler writes) {
    // nothing wakes an app but who asks for it: what was given up stays given up
    String config =
        """
        viesti.node.sweep-interval = 1 h
        viesti.outbox { idle-after = 1 h, retry-in-memory = 0, client-rows-interval = %s }
        """
            .formatted(clientRowsInterval);
    return TestNode.started(
        new NodeOptions(
                database.url(),
                database.user(),
                database.password(),
                ConfigFactory.parseString(config),
                handlers,
                registry,
                Clock.systemUTC())
            .withTransactionalHandlers(Map.of("writes", writes)));
  }

  @AfterAll
  void stop() {
    gates.values().forEach(CountDownLatch::countDown);
    former.close();
    later.close();
  }

  private Outcome called(HandlerCall call, Outcome outcome) {
    calls.add(call);
    return outcome;
  }

  private Outcome waits(HandlerCall call) throws InterruptedException {
    calls.add(call);
    gate(call.app()).await();
    for (Ending ending : Ending.values()) {
      if (call.app().value().equals(ending.word())) {
        return ending.outcome();
      }
    }
    return Outcome.Succeeded.PLAIN;
  }

  private Outcome waitsAndWrites(HandlerCall call, Connection connection) throws Exception {
    waits(call);
    return write(call, connection);
  }

  private static Outcome write(HandlerCall call, Connection connection) throws SQLException {
    try (var statement = connection.prepareStatement("insert into effect values (?, ?)")) {
      statement.setString(1, call.app().value());
      statement.setLong(2, call.epoch());
      statement.executeUpdate();
    }
    return Outcome.Succeeded.PLAIN;
  }

  @ParameterizedTest
  @EnumSource
  void settlesNothing(Ending ending) {
    AppId app = make(ending.word(), ending == Ending.TAKES_EFFECT ? "writes" : "waits");
    HandlerCall first = publishAndAwaitCall(app);
    takeOver(app);
    String before = rows(app);
    // a machine that takes a second for that: it was marked before, and so the attempt counts
    long marked = count("viesti.outbox where running_since is not null and ", app);
    double fenced = fenced();
    gate(app).countDown();
    until("the former owner has given up", () -> fenced() > fenced);
    assertThat(rows(app)).isEqualTo(before).startsWith("1 ");
    assertThat(count("viesti.dead_letter", app)).isZero();
    assertThat(count("viesti.deferred_delivery", app)).isZero();
    assertThat(count("effect", app)).isZero();

    goOn(app);
    HandlerCall second =
        laterCalls.stream().filter(call -> call.app().equals(app)).findFirst().orElseThrow();
    assertThat(second.delivery()).isEqualTo(first.delivery());
    assertThat(second.attempt()).as("no attempt was counted").isEqualTo(1 + (int) marked);
    assertThat(second.epoch()).as("the fencing token grows").isGreaterThan(first.epoch());
    assertThat(count("effect", app)).isEqualTo(ending == Ending.TAKES_EFFECT ? 1 : 0);
  }

  /** An attempt that takes longer than a second is marked as running, here by the wrong one. */
  @Test
  void marksNothing() {
    for (int round = 1; round <= 9; round++) {
      AppId app = make("marks-" + round, "waits");
      publishAndAwaitCall(app);
      takeOver(app);
      double fenced = fenced();
      if (count("viesti.outbox where running_since is null and ", app) == 1) {
        until("the former owner has given up", () -> fenced() > fenced);
        assertThat(count("viesti.outbox where running_since is null and ", app)).isEqualTo(1);
        gate(app).countDown();
        goOn(app);
        return;
      }
      gate(app).countDown();
    }
    abort("no take-over within a second of a first attempt: this machine is too slow for that");
  }

  @Test
  void acceptsNothing() {
    AppId app = make("publishes", "waits");
    publishAndAwaitCall(app);
    takeOver(app);
    String before = rows(app);
    var event = event("id-1", "any", null, "2");
    assertUnavailable(() -> get(former.viesti.publish(app, List.of(event))));
    assertThat(rows(app)).isEqualTo(before);
    assertThat(get(later.viesti.publish(app, List.of(event))))
        .as("its id was not remembered")
        .containsExactly(new Receipt("id-1", 1, false));
    gate(app).countDown();
    goOn(app);
  }

  @Test
  void replaysNothing() {
    AppId app = make("replays", "gives-up");
    publishAndAwaitCall(app);
    until("it is given up", () -> count("viesti.dead_letter", app) == 1);
    takeOver(app);
    var letter =
        get(later.viesti.listDeadLetters(app, DeadLetterQuery.UNRESOLVED, null, 1)).getFirst();
    assertUnavailable(() -> get(former.viesti.replayDeadLetter(app, letter.id(), "former")));
    assertThat(rows(app)).startsWith("0 ");
    assertThat(get(later.viesti.getDeadLetter(app, letter.id())).resolvedAt()).isNull();
  }

  @Test
  void completesNothing() {
    AppId app = make("completes", "defers");
    DeliveryId id = publishAndAwaitCall(app).delivery();
    until("it is deferred", () -> count("viesti.deferred_delivery", app) == 1);
    takeOver(app);
    String before = rows(app);
    assertUnavailable(
        () -> get(former.viesti.completeDelivery(app, id, Completion.SUCCEEDED, "former")));
    assertThat(rows(app)).isEqualTo(before).startsWith("1 ");
    get(later.viesti.completeDelivery(app, id, Completion.SUCCEEDED, "later"));
    assertThat(rows(app)).startsWith("0 ");
  }

  @Test
  void cancelsNothing() {
    AppId app = make("cancels", "waits");
    DeliveryId id = publishAndAwaitCall(app).delivery();
    takeOver(app);
    String before = rows(app);
    assertUnavailable(() -> get(former.viesti.cancelDelivery(app, id, "former")));
    assertThat(rows(app)).isEqualTo(before).startsWith("1 ");
    gate(app).countDown();
    goOn(app);
  }

  @Test
  void deletesNoApp() {
    AppId app = make("deletes", "gives-up");
    publishAndAwaitCall(app);
    until("it is given up", () -> count("viesti.dead_letter", app) == 1);
    put(app, "t", "waits");
    get(former.viesti.publish(app, List.of(event("any", null, "2"))));
    until("the next one runs", () -> calls.stream().filter(c -> c.app().equals(app)).count() == 2);
    takeOver(app);
    String before = rows(app);
    assertUnavailable(() -> get(former.viesti.deleteApp(app, true, "former")));
    assertThat(count("viesti.dead_letter", app)).isEqualTo(1);
    assertThat(count("viesti.app", app)).isEqualTo(1);
    assertThat(rows(app)).isEqualTo(before).startsWith("1 ");
    gate(app).countDown();
    goOn(app);
  }

  /** The former owner looks every 100 ms, the later one only when it is told. */
  @Test
  void movesNoRowOfAClients() throws Exception {
    AppId app = make("moves", "waits");
    put(app, "second-match", "waits");
    takeOver(app);
    double fenced = fenced();
    try (Connection connection = database.connect()) {
      var event = dev.viesti.client.Event.of("/shop", "any").json("1").build();
      ViestiClient.of("moves").append(connection, event);
    }
    until("the former owner has given up", () -> fenced() > fenced);
    assertThat(rows(app)).as("as the client wrote it").startsWith("1 ").contains("infinity");
    assertThat(count("viesti.outbox where trigger_id is null and ", app)).isEqualTo(1);
  }

  private AppId make(String name, String handler) {
    var app = new AppId(name);
    get(former.viesti.putApp(app, AppSettings.DEFAULT, null, "former"));
    put(app, "t", handler);
    return app;
  }

  private void put(AppId app, String trigger, String handler) {
    get(
        former.viesti.putTrigger(
            app, new TriggerId(trigger), handler(handler, "*", 5), null, "former"));
  }

  private HandlerCall publishAndAwaitCall(AppId app) {
    get(former.viesti.publish(app, List.of(event("any", null, "1"))));
    until("it is called", () -> calls.stream().anyMatch(call -> call.app().equals(app)));
    return calls.stream().filter(call -> call.app().equals(app)).findFirst().orElseThrow();
  }

  /** The later node owns it now, and runs nothing yet. */
  private void takeOver(AppId app) {
    get(former.viesti.putApp(app, AppSettings.of(null, 8, true, null), null, "former"));
    String epoch = epoch(app);
    get(later.viesti.getApp(app));
    until("it is taken over", () -> !epoch(app).equals(epoch));
  }

  private String epoch(AppId app) {
    return text("select max(epoch) from viesti.outbox_owner where app_id = '" + app + "'");
  }

  private void goOn(AppId app) {
    get(later.viesti.putApp(app, AppSettings.DEFAULT, null, "later"));
    until("the later owner settles what is there", () -> rows(app).startsWith("0 "));
  }

  private CountDownLatch gate(AppId app) {
    return gates.computeIfAbsent(app, any -> new CountDownLatch(1));
  }

  private double fenced() {
    return meters.get("viesti.outbox.fenced").counter().count();
  }

  private static void assertUnavailable(ThrowingCallable asked) {
    assertThatThrownBy(asked)
        .isInstanceOfSatisfying(
            RefusedException.class,
            refused -> assertThat(refused.refusal()).isInstanceOf(Refusal.Unavailable.class));
  }

  /** How many there are, and all of what settling changes of them. Not: marks of running. */
  private String rows(AppId app) {
    return text(
        "select count(*) || ' rows ' || coalesce(string_agg(concat_ws('|', seq, due_at, attempt,"
            + " last_error, attempts, trigger_id), ' ' order by seq), '')"
            + " from viesti.outbox where app_id = '"
            + app
            + "'");
  }

  private long count(String from, AppId app) {
    String where = from.contains(" where ") ? "" : " where ";
    return Long.parseLong(text("select count(*) from " + from + where + "app_id = '" + app + "'"));
  }

  private String text(String sql) {
    try {
      return database.queryText(sql);
    } catch (SQLException failed) {
      throw new AssertionError(failed);
    }
  }
}
