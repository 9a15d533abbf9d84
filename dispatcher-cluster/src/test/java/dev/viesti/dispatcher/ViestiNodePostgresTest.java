package dev.viesti.dispatcher;

import static dev.viesti.dispatcher.TestNode.event;
import static dev.viesti.dispatcher.TestNode.get;
import static dev.viesti.dispatcher.TestNode.handler;
import static dev.viesti.dispatcher.TestNode.until;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.viesti.persistence.embedded.TestDatabase;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.app.AppSettings;
import dev.viesti.protocol.deadletter.Resolution;
import dev.viesti.protocol.delivery.Outcome;
import dev.viesti.protocol.event.Event;
import dev.viesti.protocol.handler.EventHandler;
import dev.viesti.protocol.handler.HandlerCall;
import dev.viesti.protocol.trigger.OrderBy;
import dev.viesti.protocol.trigger.TriggerId;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.TestInstance;

/** One node, its door, real PostgreSQL. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ViestiNodePostgresTest {
  private final ConcurrentLinkedQueue<HandlerCall> calls = new ConcurrentLinkedQueue<>();
  private final Map<String, CountDownLatch> gates = new ConcurrentHashMap<>();
  private TestDatabase database;
  private TestNode node;
  private volatile AppId app;

  @BeforeAll
  void start() throws Exception {
    database = TestNode.database();
    Map<String, EventHandler> handlers =
        Map.of(
            "works", call -> seen(call, Outcome.Succeeded.PLAIN),
            "fails", call -> seen(call, new Outcome.Retryable("no luck \0 today")),
            "fails-once",
                call ->
                    seen(
                        call,
                        call.attempt() == 1
                            ? new Outcome.Retryable("first")
                            : Outcome.Succeeded.PLAIN),
            "gives-up", call -> seen(call, new Outcome.Permanent("never")),
            "throws",
                call -> {
                  throw new IllegalStateException("boom");
                },
            "waits",
                call -> {
                  seen(call, Outcome.Succeeded.PLAIN);
                  gates.computeIfAbsent(call.app().value(), any -> new CountDownLatch(1)).await();
                  return Outcome.Succeeded.PLAIN;
                });
    node = TestNode.start(database, handlers, "");
  }

  @AfterAll
  void stop() {
    node.close();
  }

  @BeforeEach
  void makeApp(TestInfo test) {
    calls.clear();
    app =
        new AppId(test.getTestMethod().orElseThrow().getName().toLowerCase(java.util.Locale.ROOT));
    get(node.viesti.putApp(app, AppSettings.DEFAULT, null, "tester"));
  }

  /** Leaves out what an earlier test's app is still doing. */
  private Outcome seen(HandlerCall call, Outcome outcome) {
    if (call.app().equals(app)) {
      calls.add(call);
    }
    return outcome;
  }

  private void trigger(String id, String handler, String type, int maxAttempts) {
    get(
        node.viesti.putTrigger(
            app, new TriggerId(id), handler(handler, type, maxAttempts), null, "tester"));
  }

  private long rows(String table) {
    try {
      return Long.parseLong(
          database.queryText(
              "select count(*) from viesti." + table + " where app_id = '" + app + "'"));
    } catch (Exception failed) {
      throw new AssertionError(failed);
    }
  }

  @Test
  void deliversEachMatchOnceAndForgetsIt() {
    trigger("all", "works", "*", 3);
    trigger("orders", "works", "order.*", 3);
    List<Event> events = new ArrayList<>();
    for (int i = 0; i < 1_000; i++) {
      events.add(event(i % 2 == 0 ? "order.made" : "mail.sent", null, "{\"n\":" + i + "}"));
    }
    List<Receipt> receipts = get(node.viesti.publish(app, events));
    assertThat(receipts).hasSize(1_000);
    assertThat(receipts.get(0)).isEqualTo(new Receipt(events.get(0).id().toString(), 2, false));
    assertThat(receipts.get(1).deliveries()).isEqualTo(1);
    until("1,500 deliveries", () -> calls.size() >= 1_500);
    until("the outbox is empty", () -> rows("outbox") == 0);
    assertThat(calls).hasSize(1_500);
    assertThat(calls.stream().map(HandlerCall::delivery).distinct()).hasSize(1_500);
  }

  @Test
  void dropsWhatNoTriggerMatches() {
    trigger("orders", "works", "order.*", 3);
    assertThat(get(node.viesti.publish(app, List.of(event("mail.sent", null, "{}")))))
        .singleElement()
        .matches(receipt -> receipt.deliveries() == 0 && !receipt.duplicate());
    assertThat(rows("outbox")).isZero();
  }

  @Test
  void deliversAnEventWithTheSameIdOnce() {
    trigger("all", "works", "*", 3);
    Event event = event("42", "order.made", null, "{}");
    assertThat(get(node.viesti.publish(app, List.of(event, event))))
        .extracting(Receipt::duplicate)
        .containsExactly(false, true);
    assertThat(get(node.viesti.publish(app, List.of(event))))
        .containsExactly(new Receipt("42", 0, true));
    until("it is delivered", () -> rows("outbox") == 0);
    assertThat(calls).hasSize(1);
  }

  @Test
  void retriesAfterBackoffWithTheSameDeliveryId() {
    trigger("flaky", "fails-once", "*", 5);
    get(node.viesti.publish(app, List.of(event("order.made", null, "{}"))));
    until("two attempts", () -> calls.size() == 2);
    assertThat(calls).extracting(HandlerCall::attempt).containsExactly(1, 2);
    assertThat(calls.stream().map(HandlerCall::delivery).distinct()).hasSize(1);
    until("it is settled", () -> rows("outbox") == 0);
    assertThat(rows("dead_letter")).isZero();
  }

  @Test
  void deadLettersAfterTheLastAttemptAndReplays() {
    trigger("broken", "fails", "*", 3);
    get(node.viesti.publish(app, List.of(event("order.made", "s-1", "{\"a\":1.0}"))));
    until("a dead letter", () -> rows("dead_letter") == 1);
    assertThat(calls).hasSize(3);
    var letters = get(node.viesti.listDeadLetters(app, DeadLetterQuery.UNRESOLVED, null, 10));
    assertThat(letters).hasSize(1);
    var letter = letters.getFirst();
    assertThat(letter.attempts()).isEqualTo(3);
    assertThat(letter.lastError()).isEqualTo("no luck \uFFFD today");
    assertThat(letter.event().data().utf8()).isEqualTo("{\"a\":1.0}");
    assertThat(letter.attemptLog()).contains("\"attempt\":1", "\"attempt\":3");
    assertThat(get(node.viesti.countDeadLetters(app, DeadLetterQuery.UNRESOLVED))).isEqualTo(1);

    trigger("broken", "works", "*", 3);
    assertThat(get(node.viesti.replayDeadLetter(app, letter.id(), "tester")))
        .isEqualTo(letter.delivery());
    until("the replay is settled", () -> calls.size() == 4 && rows("outbox") == 0);
    assertThat(get(node.viesti.getDeadLetter(app, letter.id())).resolution())
        .isEqualTo(Resolution.REPLAYED);
    assertThatThrownBy(() -> get(node.viesti.replayDeadLetter(app, letter.id(), "tester")))
        .isInstanceOfSatisfying(
            RefusedException.class,
            refused -> assertThat(refused.refusal()).isInstanceOf(Refusal.Conflict.class));
  }

  @Test
  void deadLettersAtOnceWhatIsPermanent() {
    trigger("broken", "gives-up", "*", 30);
    get(node.viesti.publish(app, List.of(event("order.made", null, "{}"))));
    until("a dead letter", () -> rows("dead_letter") == 1);
    assertThat(calls).hasSize(1);
  }

  @Test
  void replaysManyDeadLettersOfOneTrigger() {
    trigger("broken", "gives-up", "a", 1);
    trigger("other", "gives-up", "b", 1);
    List<Event> events = new ArrayList<>();
    for (int i = 0; i < 1_200; i++) {
      events.add(event(i < 1_100 ? "a" : "b", null, "{}"));
    }
    get(node.viesti.publish(app, events));
    until("dead letters", () -> rows("dead_letter") == 1_200);
    trigger("broken", "works", "a", 1);
    var query = new DeadLetterQuery(new TriggerId("broken"), false);
    assertThat(get(node.viesti.replayDeadLetters(app, query, 10_000, "tester"))).isEqualTo(1_100);
    until("they are settled", () -> rows("outbox") == 0);
    assertThat(calls).hasSize(2_300);
    assertThat(get(node.viesti.countDeadLetters(app, DeadLetterQuery.UNRESOLVED))).isEqualTo(100);
  }

  @Test
  void keepsTheOrderOfAKeyThroughRetries() {
    get(
        node.viesti.putTrigger(
            app,
            new TriggerId("ordered"),
            handler("fails-once", "*", 5, OrderBy.SUBJECT),
            null,
            "tester"));
    List<Event> events = new ArrayList<>();
    for (int i = 0; i < 60; i++) {
      events.add(event("order.made", "key-" + i % 3, "{\"n\":" + i + "}"));
    }
    get(node.viesti.publish(app, events));
    until("all are settled", () -> rows("outbox") == 0 && calls.size() == 120);
    for (int key = 0; key < 3; key++) {
      String subject = "key-" + key;
      List<String> order =
          calls.stream()
              .filter(call -> subject.equals(call.event().subject()))
              .map(call -> call.event().data().utf8() + call.attempt())
              .toList();
      List<String> expected = new ArrayList<>();
      for (int i = key; i < 60; i += 3) {
        expected.add("{\"n\":" + i + "}1");
        expected.add("{\"n\":" + i + "}2");
      }
      assertThat(order).containsExactlyElementsOf(expected);
    }
  }

  @Test
  void keepsWhatComesWhileTheAppIsPaused() {
    trigger("all", "works", "*", 3);
    get(node.viesti.putApp(app, AppSettings.of(null, 8, true, null), null, "tester"));
    get(node.viesti.publish(app, List.of(event("order.made", null, "{}"))));
    assertThat(get(node.viesti.listDeliveries(app, null, null, 10)))
        .extracting(DeliveryView::state)
        .containsExactly(DeliveryView.State.WAITING);
    assertThat(calls).isEmpty();
    get(node.viesti.putApp(app, AppSettings.of(null, 8, false, null), null, "tester"));
    until("it is delivered", () -> rows("outbox") == 0);
    assertThat(calls).hasSize(1);
  }

  @Test
  void cancelsADeliveryThatRuns() {
    trigger("slow", "waits", "*", 3);
    get(node.viesti.publish(app, List.of(event("order.made", null, "{}"))));
    until("it runs", () -> calls.size() == 1);
    var view = get(node.viesti.listDeliveries(app, null, null, 10)).getFirst();
    assertThat(view.state()).isEqualTo(DeliveryView.State.RUNNING);
    assertThat(get(node.viesti.getDelivery(app, view.delivery().id())).delivery())
        .isEqualTo(view.delivery());
    get(node.viesti.cancelDelivery(app, view.delivery().id(), "tester"));
    until("it is gone", () -> rows("outbox") == 0);
    assertThatThrownBy(() -> get(node.viesti.getDelivery(app, view.delivery().id())))
        .isInstanceOf(RefusedException.class)
        .hasMessageContaining("has no delivery");
  }

  @Test
  void retriesADeliveryAtOnceWhenAsked() {
    var slow =
        new dev.viesti.protocol.trigger.RetryPolicy(
            dev.viesti.protocol.trigger.RetryStrategy.CONSTANT,
            3,
            java.time.Duration.ofHours(1),
            java.time.Duration.ofHours(1),
            0);
    var trigger = handler("fails-once", "*", 3);
    get(
        node.viesti.putTrigger(
            app,
            new TriggerId("later"),
            new dev.viesti.protocol.trigger.Trigger(
                trigger.on(), null, trigger.target(), slow, trigger.timeout(), null, null, true),
            null,
            "tester"));
    get(node.viesti.publish(app, List.of(event("order.made", null, "{}"))));
    until(
        "the first attempt is settled",
        () ->
            get(node.viesti.listDeliveries(app, null, null, 10)).getFirst().state()
                == DeliveryView.State.SCHEDULED);
    var id = get(node.viesti.listDeliveries(app, null, null, 10)).getFirst().delivery().id();
    until(
        "the owner has heard that it is settled, too",
        () -> {
          try {
            get(node.viesti.retryDelivery(app, id, "tester"));
            return true;
          } catch (RefusedException notYet) {
            return false;
          }
        });
    until("the second attempt is settled", () -> rows("outbox") == 0);
    assertThat(calls).hasSize(2);
  }

  @Test
  void refusesToDeleteAnAppWithDeliveriesUnlessTold() {
    trigger("slow", "waits", "*", 3);
    get(node.viesti.publish(app, List.of(event("order.made", null, "{}"))));
    until("it runs", () -> calls.size() == 1);
    assertThatThrownBy(() -> get(node.viesti.deleteApp(app, false, "tester")))
        .isInstanceOf(RefusedException.class)
        .hasMessageContaining("deliveries wait or run");
    get(node.viesti.deleteApp(app, true, "tester"));
    assertThat(rows("outbox")).isZero();
    assertThatThrownBy(() -> get(node.viesti.getApp(app)))
        .isInstanceOfSatisfying(
            RefusedException.class,
            refused -> assertThat(refused.refusal()).isInstanceOf(Refusal.NotFound.class));
    assertThat(get(node.viesti.putApp(app, AppSettings.DEFAULT, 0L, "tester")).revision())
        .isEqualTo(1);
    trigger("all", "works", "*", 1);
    get(node.viesti.publish(app, List.of(event("order.made", null, "{}"))));
    until("the new app delivers", () -> calls.size() == 2);
  }

  @Test
  void refusesAChangeOfAnOldRevision() {
    assertThatThrownBy(
            () -> get(node.viesti.putApp(app, AppSettings.of("x", 1, false, null), 7L, "tester")))
        .isInstanceOfSatisfying(
            RefusedException.class,
            refused -> assertThat(refused.refusal()).isEqualTo(new Refusal.PreconditionFailed(1)));
  }

  @Test
  void showsOutcomesToWhoeverLooks() throws Exception {
    var notices = new ConcurrentLinkedQueue<OutcomeNotice>();
    trigger("flaky", "fails-once", "*", 5);
    try (AutoCloseable subscription = node.viesti.subscribe(notices::add)) {
      until(
          "the subscription is known",
          () -> {
            get(node.viesti.publish(app, List.of(event("order.made", null, "{}"))));
            return !notices.isEmpty();
          });
      until(
          "both kinds",
          () -> notices.stream().map(OutcomeNotice::settlement).distinct().count() == 2);
    }
    assertThat(notices).allMatch(notice -> notice.app().equals(app));
  }
}
