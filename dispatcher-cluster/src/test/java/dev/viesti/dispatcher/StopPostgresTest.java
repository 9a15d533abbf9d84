package dev.viesti.dispatcher;

import static dev.viesti.dispatcher.TestNode.event;
import static dev.viesti.dispatcher.TestNode.get;
import static dev.viesti.dispatcher.TestNode.handler;
import static dev.viesti.dispatcher.TestNode.until;
import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import dev.viesti.persistence.embedded.TestDatabase;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.app.AppSettings;
import dev.viesti.protocol.delivery.Outcome;
import dev.viesti.protocol.event.Event;
import dev.viesti.protocol.handler.EventHandler;
import dev.viesti.protocol.trigger.TriggerId;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/** A node stops while there is more to do. */
final class StopPostgresTest {
  private static final AppId APP = new AppId("shop");

  /** Far less than {@code viesti.node.ask-timeout}. */
  private static final long PROMPT_S = 3;

  /** Two looks of the sweep fit into the time that executions have to end. */
  private static final String CONFIG =
      "viesti.node.sweep-interval = 1 s, viesti.outbox.drain-deadline = 2500 ms";

  private final CountDownLatch started = new CountDownLatch(1);
  private final CountDownLatch never = new CountDownLatch(1);
  private final Map<String, EventHandler> handlers =
      Map.of(
          "hangs",
          call -> {
            started.countDown();
            never.await();
            return Outcome.Succeeded.PLAIN;
          });

  /** Its callers can go to another node at once. */
  @Test
  void keepsNobodyWaitingWhileItStops() throws Exception {
    TestDatabase database = TestNode.database();
    try (TestNode node = TestNode.start(database, handlers, CONFIG)) {
      get(node.viesti.putApp(APP, AppSettings.of(null, 1, false, null), null, "me"));
      get(node.viesti.putTrigger(APP, new TriggerId("t"), handler("hangs", "*", 5), null, "me"));
      get(node.viesti.publish(APP, List.of(event("a", null, "1"))));
      started.await();
      Thread stopping = Thread.ofPlatform().start(node::close);
      Set<String> refusals = new HashSet<>();
      while (stopping.isAlive()) {
        try {
          node.viesti
              .publish(APP, List.of(event("a", null, "1")))
              .toCompletableFuture()
              .get(PROMPT_S, TimeUnit.SECONDS);
        } catch (ExecutionException refused) {
          assertThat(refused).hasCauseInstanceOf(RefusedException.class);
          refusals.add(String.valueOf(refused.getMessage()));
        }
      }
      assertThat(refusals).anySatisfy(why -> assertThat(why).contains("this node is stopping"));
    }
  }

  /** A wake-up for an app that moves keeps sharding from stopping until its time is up, 20 s. */
  @Test
  void isNotKeptUpByItsOwnSweep() throws Exception {
    TestDatabase database = TestNode.database();
    var log = new ListAppender<ILoggingEvent>();
    var sharding = (Logger) LoggerFactory.getLogger("org.apache.pekko.cluster.sharding");
    log.start();
    sharding.addAppender(log);
    try (TestNode node = TestNode.start(database, handlers, CONFIG)) {
      get(node.viesti.putApp(APP, AppSettings.of(null, 1, false, null), null, "me"));
      get(node.viesti.putTrigger(APP, new TriggerId("t"), handler("hangs", "*", 5), null, "me"));
      List<Event> events = Stream.generate(() -> event("a", null, "1")).limit(10).toList();
      get(node.viesti.publish(APP, events));
      started.await();
      until("it runs", () -> !get(node.viesti.listDeliveries(APP, null, null, 20)).isEmpty());
    } finally {
      sharding.detachAppender(log);
    }
    assertThat(log.list).extracting(ILoggingEvent::getFormattedMessage).isEmpty();
    assertThat(database.queryText("select count(*) from viesti.outbox")).isEqualTo("10");
  }
}
