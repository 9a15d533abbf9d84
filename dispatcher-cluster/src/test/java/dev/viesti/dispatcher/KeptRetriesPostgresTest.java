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
import dev.viesti.protocol.event.Event;
import dev.viesti.protocol.handler.EventHandler;
import dev.viesti.protocol.trigger.RetryPolicy;
import dev.viesti.protocol.trigger.TriggerId;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** A retry that is due in a moment costs the table nothing, and an owner that stops tells of it. */
class KeptRetriesPostgresTest {
  private static final AppId APP = new AppId("shop");
  private static final int EVENTS = 200;
  private static final String UPDATES =
      "select n_tup_upd from pg_stat_user_tables where relname = 'outbox'";

  @Test
  void writesNothingForARetryThatSucceedsSoon() throws Exception {
    Set<Object> failed = ConcurrentHashMap.newKeySet();
    var succeeded = new AtomicInteger();
    EventHandler once =
        call -> {
          if (failed.add(call.event().id())) {
            return new Outcome.Retryable("the first attempt fails");
          }
          assertThat(call.attempt()).isEqualTo(2);
          succeeded.incrementAndGet();
          return Outcome.Succeeded.PLAIN;
        };
    TestDatabase database = TestNode.database();
    try (TestNode node = TestNode.start(database, Map.of("once", once), "")) {
      app(node, "once", 5);
      List<Event> events = new ArrayList<>();
      for (int n = 0; n < EVENTS; n++) {
        events.add(event("t", null, "{}"));
      }
      get(node.viesti.publish(APP, events));
      until("all have succeeded", () -> succeeded.get() == EVENTS);
      until("all are settled", () -> number(database, "select count(*) from viesti.outbox") == 0);
      // the statistics of a connection follow within seconds; deletes tell that they have
      until(
          "PostgreSQL has counted",
          () ->
              number(database, "select n_tup_del from pg_stat_user_tables where relname = 'outbox'")
                  == EVENTS);
      assertThat(number(database, UPDATES)).isZero();
    }
  }

  @Test
  void writesWhatIsRetriedForLong() throws Exception {
    EventHandler never = call -> new Outcome.Retryable("it always fails");
    TestDatabase database = TestNode.database();
    try (TestNode node = TestNode.start(database, Map.of("never", never), "")) {
      app(node, "never", RetryPolicy.ATTEMPTS_MAX);
      get(node.viesti.publish(APP, List.of(event("t", null, "{}"))));
      until(
          "its attempts are in the table",
          () -> number(database, "select coalesce(max(attempt), 0) from viesti.outbox") > 10);
    }
  }

  @Test
  void tellsTheNextOwnerHowOftenItWasTried() throws Exception {
    var attempts = new AtomicInteger();
    var largest = new AtomicInteger();
    var stopping = new AtomicBoolean();
    EventHandler counting =
        call -> {
          attempts.incrementAndGet();
          largest.accumulateAndGet(call.attempt(), Math::max);
          return stopping.get()
              ? Outcome.Succeeded.PLAIN
              : new Outcome.Retryable("until the next owner comes");
        };
    TestDatabase database = TestNode.database();
    try (TestNode node = TestNode.start(database, Map.of("counting", counting), "")) {
      app(node, "counting", RetryPolicy.ATTEMPTS_MAX);
      get(node.viesti.publish(APP, List.of(event("t", null, "{}"))));
      until("it was tried a few times", () -> attempts.get() > 3);
    }
    stopping.set(true);
    int before = attempts.get();
    assertThat(number(database, "select max(attempt) from viesti.outbox")).isEqualTo(before);
    try (TestNode node = TestNode.start(database, Map.of("counting", counting), "")) {
      get(node.viesti.getApp(APP)); // wakes it
      until("it is settled", () -> number(database, "select count(*) from viesti.outbox") == 0);
      assertThat(largest.get()).isEqualTo(before + 1);
    }
  }

  private static void app(TestNode node, String handler, int maxAttempts) {
    get(node.viesti.putApp(APP, AppSettings.DEFAULT, null, "test"));
    get(
        node.viesti.putTrigger(
            APP, new TriggerId(handler), handler(handler, "t", maxAttempts), null, "test"));
  }

  private static long number(TestDatabase database, String sql) {
    try (var connection = database.dataSource().getConnection();
        var row = connection.createStatement().executeQuery(sql)) {
      row.next();
      return row.getLong(1);
    } catch (SQLException failed) {
      throw new AssertionError(failed);
    }
  }
}
