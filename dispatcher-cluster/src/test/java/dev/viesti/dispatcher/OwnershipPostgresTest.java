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
import dev.viesti.protocol.event.Event;
import dev.viesti.protocol.handler.EventHandler;
import dev.viesti.protocol.trigger.TriggerId;
import java.sql.Connection;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.Test;

/** Owners come and go: nothing is lost, and a former one settles nothing. */
class OwnershipPostgresTest {
  private static final AppId APP = new AppId("shop");
  private static final String SMALL_WINDOW =
      "viesti.outbox { window-rows = 100, page-rows = 20, pending-max = 100000 }";

  private final ConcurrentLinkedQueue<DeliveryId> delivered = new ConcurrentLinkedQueue<>();

  private final Map<String, EventHandler> works =
      Map.of(
          "works",
          call -> {
            delivered.add(call.delivery());
            return Outcome.Succeeded.PLAIN;
          });

  @Test
  void deliversWhatDidNotFitIntoMemory() throws Exception {
    TestDatabase database = TestNode.database();
    try (TestNode node = TestNode.start(database, works, SMALL_WINDOW)) {
      makeApp(node, true);
      publish(node, 3_000);
      assertThat(rows(database)).isEqualTo(3_000);
      makeApp(node, false);
      until("the outbox is empty", () -> rows(database) == 0);
      assertThat(delivered).hasSize(3_000).doesNotHaveDuplicates();
    }
  }

  @Test
  void deliversAfterARestartWhatWasAcceptedBefore() throws Exception {
    TestDatabase database = TestNode.database();
    try (TestNode node = TestNode.start(database, works, SMALL_WINDOW)) {
      makeApp(node, true);
      publish(node, 500);
    }
    assertThat(
            database.queryText("select count(*) from viesti.outbox_owner where node is not null"))
        .isEqualTo("0");
    try (TestNode node = TestNode.start(database, works, SMALL_WINDOW)) {
      makeApp(node, false);
      until("the outbox is empty", () -> rows(database) == 0);
      assertThat(delivered).hasSize(500).doesNotHaveDuplicates();
    }
  }

  /** Nobody asks for the app after the restart: the sweep finds its rows. */
  @Test
  void theSweepWakesAnAppThatHasWork() throws Exception {
    TestDatabase database = TestNode.database();
    var gate = new CountDownLatch(1);
    Map<String, EventHandler> stuck =
        Map.of(
            "works",
            call -> {
              gate.await();
              return Outcome.Succeeded.PLAIN;
            });
    try (TestNode node = TestNode.start(database, stuck, "viesti.outbox.drain-deadline = 100 ms")) {
      makeApp(node, false);
      publish(node, 10);
      until("all run", () -> get(node.viesti.listDeliveries(APP, null, null, 20)).size() == 10);
    }
    assertThat(rows(database)).isEqualTo(10);
    try (TestNode node = TestNode.start(database, works, "viesti.node.sweep-interval = 1 s")) {
      until("the outbox is empty", () -> rows(database) == 0);
      assertThat(delivered).hasSize(10).doesNotHaveDuplicates();
    }
  }

  /** Without the fence the former owner would delete the row that the new one still has to run. */
  @Test
  void aFormerOwnerSettlesNothingAndGivesUp() throws Exception {
    TestDatabase database = TestNode.database();
    var started = new CountDownLatch(1);
    var gate = new CountDownLatch(1);
    Set<Long> epochs = ConcurrentHashMap.newKeySet();
    Map<String, EventHandler> handlers =
        Map.of(
            "works",
            call -> {
              epochs.add(call.epoch());
              started.countDown();
              gate.await();
              delivered.add(call.delivery());
              return Outcome.Succeeded.PLAIN;
            });
    try (TestNode node = TestNode.start(database, handlers, "viesti.node.sweep-interval = 1 s")) {
      makeApp(node, false);
      publish(node, 1);
      started.await();
      database.execute("update viesti.outbox_owner set epoch = epoch + 10 where app_id = 'shop'");
      gate.countDown();
      until("it was delivered by both owners", () -> delivered.size() == 2);
      until("the outbox is empty", () -> rows(database) == 0);
      assertThat(epochs).hasSize(2);
      publish(node, 1);
      until("the new owner goes on", () -> delivered.size() == 3);
    }
  }

  @Test
  void acceptsNothingUnderAFormerEpoch() throws Exception {
    TestDatabase database = TestNode.database();
    try (TestNode node = TestNode.start(database, works, "")) {
      makeApp(node, false);
      publish(node, 1);
      until("the outbox is empty", () -> rows(database) == 0);
      database.execute("update viesti.outbox_owner set epoch = epoch + 10 where app_id = 'shop'");
      assertThatThrownBy(() -> publish(node, 1))
          .isInstanceOfSatisfying(
              RefusedException.class,
              refused -> assertThat(refused.refusal()).isInstanceOf(Refusal.Unavailable.class));
      assertThat(rows(database)).isZero();
      until(
          "the next owner accepts",
          () -> {
            try {
              publish(node, 1);
              return true;
            } catch (RefusedException notYet) {
              return false;
            }
          });
      until("it is delivered", () -> delivered.size() == 2);
    }
  }

  /** Else its row would come into the table after the last was cancelled, and belong to nobody. */
  @Test
  void anAppIsDeletedOnlyAfterWhatIsOnItsWay() throws Exception {
    TestDatabase database = TestNode.database();
    database.execute(
        "create function viesti.hold() returns trigger language plpgsql as $$ begin"
            + " perform pg_advisory_xact_lock_shared(7); return new; end $$");
    try (TestNode node = TestNode.start(database, works, "");
        Connection holding = database.dataSource().getConnection();
        Statement lock = holding.createStatement()) {
      makeApp(node, false);
      publish(node, 1);
      database.execute(
          "create trigger hold before insert on viesti.outbox for each row"
              + " execute function viesti.hold()");
      lock.execute("select pg_advisory_lock(7)");
      var accepted = node.viesti.publish(APP, List.of(event("created", null, "1")));
      until("the insert is on its way", () -> held(database) == 1);
      var deleted = node.viesti.deleteApp(APP, true, "me").toCompletableFuture();
      assertThatThrownBy(() -> deleted.get(1, TimeUnit.SECONDS))
          .isInstanceOf(TimeoutException.class);
      lock.execute("select pg_advisory_unlock(7)");
      deleted.get(30, TimeUnit.SECONDS);
      assertThat(get(accepted)).hasSize(1);
      assertThat(rows(database)).isZero();
    }
  }

  @Test
  void anIdleAppLeavesMemoryAndComesBackWhenItIsNeeded() throws Exception {
    TestDatabase database = TestNode.database();
    try (TestNode node = TestNode.start(database, works, "viesti.outbox.idle-after = 1 s")) {
      makeApp(node, false);
      publish(node, 5);
      until("they are delivered", () -> delivered.size() == 5);
      until("the outbox is released", () -> owners(database) == 0);
      publish(node, 1);
      until("the app is back", () -> delivered.size() == 6);
    }
  }

  private static long owners(TestDatabase database) {
    return count(database, "viesti.outbox_owner where node is not null");
  }

  private void makeApp(TestNode node, boolean paused) {
    get(node.viesti.putApp(APP, AppSettings.of(null, 50, paused, null), null, "tester"));
    get(
        node.viesti.putTrigger(
            APP, new TriggerId("all"), handler("works", "*", 5), null, "tester"));
  }

  private static void publish(TestNode node, int count) {
    List<Event> events = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      events.add(event("order.made", null, "{}"));
    }
    assertThat(get(node.viesti.publish(APP, events))).hasSize(count);
  }

  private static long held(TestDatabase database) {
    return count(database, "pg_locks where locktype = 'advisory' and not granted");
  }

  private static long rows(TestDatabase database) {
    return count(database, "viesti.outbox");
  }

  private static long count(TestDatabase database, String from) {
    try {
      return Long.parseLong(database.queryText("select count(*) from " + from));
    } catch (Exception failed) {
      throw new AssertionError(failed);
    }
  }
}
