package dev.viesti.dispatcher;

import static dev.viesti.dispatcher.TestNode.event;
import static dev.viesti.dispatcher.TestNode.get;
import static dev.viesti.dispatcher.TestNode.handler;
import static dev.viesti.dispatcher.TestNode.until;
import static org.assertj.core.api.Assertions.assertThat;

import dev.viesti.persistence.embedded.TestDatabase;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.app.AppSettings;
import dev.viesti.protocol.delivery.Outcome;
import dev.viesti.protocol.handler.EventHandler;
import dev.viesti.protocol.trigger.RateLimit;
import dev.viesti.protocol.trigger.TriggerId;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

/** Limits of an app's rate, through owners that come and go and clocks that are put right. */
final class RateLimitPostgresTest {
  private static final AppId APP = new AppId("shop");
  private static final Duration LONG = Duration.ofSeconds(40);

  /** A handler's thread begins a moment after its attempt counts as started. */
  private static final Duration MOMENT = Duration.ofMillis(500);

  private static final String SLEEPS_SOON = "viesti.outbox.idle-after = 1 s";

  /** When attempts began, by a clock that nobody corrects. */
  private final List<Long> starts = Collections.synchronizedList(new ArrayList<>());

  private final Map<String, EventHandler> handlers =
      Map.of(
          "h",
          call -> {
            starts.add(System.nanoTime());
            return Outcome.Succeeded.PLAIN;
          });

  @Test
  void startsAtOnceWhenItWakesAfterAnIdleTime() throws Exception {
    TestDatabase database = TestNode.database();
    try (TestNode node = TestNode.start(database, handlers, SLEEPS_SOON)) {
      makeApp(node, new RateLimit(1, LONG));
      until("the owner has released its outbox", () -> isReleased(database));
      long published = System.nanoTime();
      get(node.viesti.publish(APP, List.of(event("t", null, "1"))));
      until("it is handled", () -> !starts.isEmpty());
      assertThat(Duration.ofNanos(starts.getFirst() - published)).isLessThan(LONG.dividedBy(4));
    }
  }

  @Test
  void holdsAcrossAMoveToAnotherNode() throws Exception {
    TestDatabase database = TestNode.database();
    Duration per = Duration.ofSeconds(6);
    try (TestNode node = TestNode.start(database, handlers, "")) {
      makeApp(node, new RateLimit(1, per));
      get(node.viesti.publish(APP, List.of(event("t", null, "1"))));
      until("it is handled", () -> starts.size() == 1);
    }
    try (TestNode node = TestNode.start(database, handlers, "")) {
      get(node.viesti.publish(APP, List.of(event("t", null, "2"))));
      until("the second is handled", () -> starts.size() == 2);
    }
    assertThat(between()).isBetween(per.minus(MOMENT), per.plusSeconds(3));
  }

  @Test
  void assumesTheWorstOfAnOwnerThatWentWithoutAWord() throws Exception {
    TestDatabase database = TestNode.database();
    Duration per = Duration.ofSeconds(6);
    try (TestNode node = TestNode.start(database, handlers, "")) {
      makeApp(node, new RateLimit(1, per));
    }
    database.execute("update viesti.outbox_owner set node = 'killed'");
    try (TestNode node = TestNode.start(database, handlers, "")) {
      long started = System.nanoTime();
      get(node.viesti.publish(APP, List.of(event("t", null, "1"))));
      until("it is handled", () -> !starts.isEmpty());
      assertThat(Duration.ofNanos(starts.getFirst() - started)).isGreaterThan(per.minusSeconds(2));
    }
  }

  @Test
  void isNotMovedByAClockThatIsPutForward() throws Exception {
    assertThat(betweenStartsWhenTheClockJumps(Duration.ofHours(1)))
        .isBetween(Duration.ofSeconds(3).minus(MOMENT), Duration.ofSeconds(6));
  }

  @Test
  void isNotMovedByAClockThatIsPutBack() throws Exception {
    assertThat(betweenStartsWhenTheClockJumps(Duration.ofHours(-1)))
        .isBetween(Duration.ofSeconds(3).minus(MOMENT), Duration.ofSeconds(6));
  }

  @Test
  void doesNotHoldUpTheRowsOfATriggerThatIsRemoved() throws Exception {
    var blocked = new CountDownLatch(1);
    EventHandler blocking =
        call -> {
          starts.add(System.nanoTime());
          blocked.await();
          return Outcome.Succeeded.PLAIN;
        };
    try (TestNode node = TestNode.start(TestNode.database(), Map.of("h", blocking), "")) {
      var settings = AppSettings.of(null, 1, false, null).withRate(new RateLimit(1, LONG));
      get(node.viesti.putApp(APP, settings, null, "me"));
      get(node.viesti.putTrigger(APP, new TriggerId("stays"), handler("h", "a", 3), null, "me"));
      get(node.viesti.putTrigger(APP, new TriggerId("goes"), handler("h", "b", 3), null, "me"));
      get(node.viesti.publish(APP, List.of(event("a", null, "1"))));
      until("the limits are used up", () -> starts.size() == 1);
      get(node.viesti.publish(APP, List.of(event("b", null, "1"), event("b", null, "2"))));
      long removed = System.nanoTime();
      get(node.viesti.deleteTrigger(APP, new TriggerId("goes"), "me"));
      until(
          "they are given up",
          () -> get(node.viesti.countDeadLetters(APP, DeadLetterQuery.UNRESOLVED)) == 2);
      assertThat(Duration.ofNanos(System.nanoTime() - removed)).isLessThan(LONG.dividedBy(4));
      assertThat(starts).hasSize(1);
      blocked.countDown();
    }
  }

  private Duration betweenStartsWhenTheClockJumps(Duration jump) throws Exception {
    var clock = new CorrectedClock();
    try (TestNode node = TestNode.start(TestNode.database(), handlers, "", clock)) {
      makeApp(node, new RateLimit(1, Duration.ofSeconds(3)));
      get(node.viesti.publish(APP, List.of(event("t", null, "1"), event("t", null, "2"))));
      until("the first is handled", () -> starts.size() == 1);
      clock.correction = jump;
      until("the second is handled", () -> starts.size() == 2);
      return between();
    }
  }

  private Duration between() {
    return Duration.ofNanos(starts.get(1) - starts.get(0));
  }

  private static void makeApp(TestNode node, RateLimit rate) {
    get(node.viesti.putApp(APP, AppSettings.DEFAULT.withRate(rate), null, "me"));
    get(node.viesti.putTrigger(APP, new TriggerId("t"), handler("h", "*", 3), null, "me"));
  }

  private static boolean isReleased(TestDatabase database) {
    try {
      return database
          .queryText("select count(*) from viesti.outbox_owner where node is null")
          .equals("1");
    } catch (SQLException failed) {
      throw new AssertionError(failed);
    }
  }

  private static final class CorrectedClock extends Clock {
    private volatile Duration correction = Duration.ZERO;

    @Override
    public Instant instant() {
      return Clock.systemUTC().instant().plus(correction);
    }

    @Override
    public ZoneId getZone() {
      return ZoneOffset.UTC;
    }

    @Override
    public Clock withZone(ZoneId zone) {
      return this;
    }
  }
}
