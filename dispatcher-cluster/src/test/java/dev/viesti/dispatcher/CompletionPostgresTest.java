package dev.viesti.dispatcher;

import static dev.viesti.dispatcher.TestNode.event;
import static dev.viesti.dispatcher.TestNode.get;
import static dev.viesti.dispatcher.TestNode.handler;
import static dev.viesti.dispatcher.TestNode.until;
import static org.assertj.core.api.Assertions.assertThat;

import dev.viesti.persistence.embedded.TestDatabase;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.app.AppSettings;
import dev.viesti.protocol.delivery.DeliveryId;
import dev.viesti.protocol.delivery.Outcome;
import dev.viesti.protocol.handler.EventHandler;
import dev.viesti.protocol.trigger.TriggerId;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.Test;

/** Whoever tells an outcome may be quicker than the commit that says that it is awaited. */
final class CompletionPostgresTest {
  private static final AppId APP = new AppId("shop");

  private final Queue<DeliveryId> called = new ConcurrentLinkedQueue<>();
  private final Map<String, EventHandler> handlers =
      Map.of(
          "defers",
          call -> {
            called.add(call.delivery());
            return new Outcome.Deferred(Duration.ofHours(1));
          });

  @Test
  void countsWhenItComesBeforeTheDeferralIsDurable() throws Exception {
    TestDatabase database = TestNode.database();
    try (TestNode node = TestNode.start(database, handlers, "")) {
      get(node.viesti.putApp(APP, AppSettings.DEFAULT, null, "me"));
      get(node.viesti.putTrigger(APP, new TriggerId("t"), handler("defers", "*", 5), null, "me"));
      get(node.viesti.putApp(APP, AppSettings.of(null, 1, true, null), null, "me"));
      get(node.viesti.publish(APP, List.of(event("a", null, "1"))));
      CompletionStage<Void> told;
      try (Connection settlesNot = database.connect()) {
        settlesNot.setAutoCommit(false);
        settlesNot.createStatement().execute("select from viesti.outbox_owner for update");
        get(node.viesti.putApp(APP, AppSettings.of(null, 1, false, null), null, "me"));
        until("the deferral waits", () -> waiting(database) == 1);
        told =
            node.viesti.completeDelivery(APP, called.element(), Completion.SUCCEEDED, "somebody");
        until("the owner has heard of it", () -> get(node.viesti.getApp(APP)) != null);
        settlesNot.rollback();
      }
      get(told);
      assertThat(get(node.viesti.listDeliveries(APP, null, null, 1))).isEmpty();
      assertThat(called).hasSize(1);
    }
  }

  private static long waiting(TestDatabase database) {
    try {
      return Long.parseLong(
          database.queryText(
              "select count(*) from pg_stat_activity"
                  + " where datname = current_database() and wait_event_type = 'Lock'"));
    } catch (SQLException failed) {
      throw new AssertionError(failed);
    }
  }
}
