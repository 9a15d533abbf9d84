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
import dev.viesti.protocol.delivery.DeliveryId;
import dev.viesti.protocol.delivery.Outcome;
import dev.viesti.protocol.handler.EventHandler;
import dev.viesti.protocol.handler.HandlerCall;
import dev.viesti.protocol.trigger.TriggerId;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

/** Outcomes that come later, and attempts that are made later. */
final class DeferredPostgresTest {
  private static final Clock CLOCK = Clock.systemUTC();
  private static final AppId APP = new AppId("shop");
  private static final Outcome LATER = new Outcome.Deferred(Duration.ofMinutes(5));

  private final List<HandlerCall> calls = new CopyOnWriteArrayList<>();
  private final List<Long> calledAt = new CopyOnWriteArrayList<>();
  private Function<HandlerCall, Outcome> answer = call -> LATER;
  private final Map<String, EventHandler> handlers =
      Map.of(
          "h",
          call -> {
            calledAt.add(System.nanoTime());
            calls.add(call);
            return answer.apply(call);
          });

  @Test
  void staysOpenUntilSomebodyTellsItsOutcome() throws Exception {
    TestDatabase database = TestNode.database();
    DeliveryId id;
    try (TestNode node = start(database)) {
      get(node.viesti.publish(APP, List.of(event("a", null, "1"))));
      until("it is deferred", () -> !deferred(node).isEmpty());
      id = calls.getFirst().delivery();
    }
    try (TestNode node = start(database)) { // also beyond what is held in memory, and a restart
      assertThat(deferred(node)).containsExactly(id);
      until("its owner has started", () -> isTold(node, id));
      assertThat(get(node.viesti.listDeliveries(APP, null, null, 10))).isEmpty();
      assertThatThrownBy(
              () -> get(node.viesti.completeDelivery(APP, id, Completion.SUCCEEDED, "me")))
          .isInstanceOf(RefusedException.class)
          .hasMessageContaining("no deferred delivery");
      assertThat(calls).hasSize(1);
    }
  }

  /** An owner that is starting refuses, for a moment. */
  private static boolean isTold(TestNode node, DeliveryId id) {
    try {
      get(node.viesti.completeDelivery(APP, id, Completion.SUCCEEDED, "me"));
      return true;
    } catch (RefusedException refused) {
      assertThat(refused.refusal()).isInstanceOf(Refusal.Unavailable.class);
      return false;
    }
  }

  @Test
  void isTriedAgainOrGivenUpWhenItIsToldToHaveFailed() throws Exception {
    try (TestNode node = start(TestNode.database())) {
      get(node.viesti.publish(APP, List.of(event("a", null, "1"))));
      until("it is deferred", () -> !deferred(node).isEmpty());
      DeliveryId id = calls.getFirst().delivery();
      get(node.viesti.completeDelivery(APP, id, Completion.failed("not yet", true), "me"));
      until("it is tried again", () -> calls.size() == 2 && !deferred(node).isEmpty());
      assertThat(calls.getLast().attempt()).isEqualTo(2);
      get(node.viesti.completeDelivery(APP, id, Completion.failed("never", false), "me"));
      var letters =
          get(node.viesti.listDeadLetters(APP, new DeadLetterQuery(null, false), null, 9));
      assertThat(letters)
          .singleElement()
          .satisfies(l -> assertThat(l.lastError()).isEqualTo("never"));
    }
  }

  @Test
  void countsAsTimedOutAtItsDeadline() throws Exception {
    answer =
        call ->
            call.attempt() == 1
                ? new Outcome.Deferred(Duration.ofMillis(300))
                : Outcome.Succeeded.PLAIN;
    try (TestNode node = start(TestNode.database())) {
      get(node.viesti.publish(APP, List.of(event("a", null, "1"))));
      until("it is tried again", () -> calls.size() == 2);
      assertThat(calls.getLast().attempt()).isEqualTo(2);
      assertThat(calledAt.get(1) - calledAt.get(0)).isGreaterThan(Duration.ofMillis(300).toNanos());
    }
  }

  @Test
  void takesAnOutcomeThatIsToldBeforeTheHandlerHasReturned() throws Exception {
    var told = new CountDownLatch(1);
    answer =
        call -> {
          try {
            told.await();
          } catch (InterruptedException stop) {
            Thread.currentThread().interrupt();
          }
          return LATER;
        };
    try (TestNode node = start(TestNode.database())) {
      get(node.viesti.publish(APP, List.of(event("a", null, "1"))));
      until("it runs", () -> calls.size() == 1);
      var done =
          node.viesti.completeDelivery(
              APP, calls.getFirst().delivery(), Completion.SUCCEEDED, "me");
      until("the owner has heard of it", () -> get(node.viesti.ready()));
      told.countDown();
      get(done);
      assertThat(get(node.viesti.listDeliveries(APP, null, null, 10))).isEmpty();
    }
  }

  @Test
  void snoozesWithoutCountingAnAttempt() throws Exception {
    answer =
        call ->
            calls.size() < 4 ? new Outcome.Snoozed(Duration.ofMillis(40)) : Outcome.Succeeded.PLAIN;
    try (TestNode node = start(TestNode.database())) {
      get(node.viesti.publish(APP, List.of(event("a", null, "1"))));
      until("it is awake", () -> calls.size() == 4);
      assertThat(calls).allSatisfy(call -> assertThat(call.attempt()).isEqualTo(1));
    }
  }

  @Test
  void deliversNoEarlierThanTheEventWishesAndNotMuchLater() throws Exception {
    answer = call -> Outcome.Succeeded.PLAIN;
    TestDatabase database = TestNode.database();
    Instant at;
    try (TestNode node = start(database)) {
      get(node.viesti.publish(APP, List.of(event("now", null, "1"))));
      until("the first has run", () -> calls.size() == 1);
      at = CLOCK.instant().plusMillis(500);
      long before = System.nanoTime();
      get(node.viesti.publish(APP, List.of(event("later", null, "1").deliveredAt(at))));
      until("the second has run", () -> calls.size() == 2);
      long waited = calledAt.get(1) - before;
      assertThat(waited).isGreaterThan(Duration.ofMillis(495).toNanos());
      assertThat(waited).isLessThan(Duration.ofSeconds(5).toNanos()); // a busy machine
      at = CLOCK.instant().plusSeconds(8);
      get(node.viesti.publish(APP, List.of(event("much-later", null, "1").deliveredAt(at))));
    }
    try (TestNode node = start(database)) {
      until("it has run after the restart", () -> calls.size() == 3);
      assertThat(CLOCK.instant()).isAfterOrEqualTo(at);
    }
  }

  private TestNode start(TestDatabase database) {
    TestNode node = TestNode.start(database, handlers, "", CLOCK);
    get(node.viesti.putApp(APP, AppSettings.DEFAULT, null, "me"));
    get(node.viesti.putTrigger(APP, new TriggerId("t"), handler("h", "*", 5), null, "me"));
    return node;
  }

  private static List<DeliveryId> deferred(TestNode node) {
    return get(node.viesti.listDeliveries(APP, null, null, 10)).stream()
        .filter(view -> view.delivery().isDeferred())
        .map(view -> view.delivery().id())
        .toList();
  }
}
