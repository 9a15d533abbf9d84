package dev.viesti.dispatcher;

import static dev.viesti.dispatcher.TestNode.event;
import static dev.viesti.dispatcher.TestNode.get;
import static dev.viesti.dispatcher.TestNode.handler;
import static dev.viesti.dispatcher.TestNode.until;
import static org.assertj.core.api.Assertions.assertThat;

import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.app.AppSettings;
import dev.viesti.protocol.delivery.Outcome;
import dev.viesti.protocol.event.Event;
import dev.viesti.protocol.handler.EventHandler;
import dev.viesti.protocol.trigger.RateLimit;
import dev.viesti.protocol.trigger.TriggerId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;

/** Rates and priorities of a running node. */
final class FlowPostgresTest {
  private static final AppId APP = new AppId("shop");

  private final List<Long> starts = new CopyOnWriteArrayList<>();
  private final List<String> types = new CopyOnWriteArrayList<>();
  private final Map<String, EventHandler> handlers =
      Map.of(
          "h",
          call -> {
            starts.add(System.nanoTime());
            types.add(call.event().type());
            return Outcome.Succeeded.PLAIN;
          });

  @Test
  void startsNoMoreThanTheRateInAnySpan() throws Exception {
    try (TestNode node = TestNode.start(TestNode.database(), handlers, "")) {
      get(node.viesti.putApp(APP, AppSettings.DEFAULT, null, "me"));
      var limited = handler("h", "*", 3).withRate(new RateLimit(5, Duration.ofMillis(300)));
      get(node.viesti.putTrigger(APP, new TriggerId("t"), limited, null, "me"));
      get(node.viesti.publish(APP, events("a", 18)));
      until("all run", () -> starts.size() == 18);
      List<Long> sorted = starts.stream().sorted().toList();
      for (int n = 5; n < sorted.size(); n++) {
        assertThat(sorted.get(n) - sorted.get(n - 5))
            .as("the 5th start before start %d", n)
            .isGreaterThan(Duration.ofMillis(285).toNanos()); // threads start a little late
      }
      starts.clear();
      get(node.viesti.putTrigger(APP, new TriggerId("t"), limited.withRate(null), null, "me"));
      long lifted = System.nanoTime();
      get(node.viesti.publish(APP, events("a", 200)));
      until("a change counts at once", () -> starts.size() == 200);
      assertThat(System.nanoTime() - lifted).isLessThan(Duration.ofSeconds(5).toNanos());
    }
  }

  @Test
  void runsLargerPrioritiesFirst() throws Exception {
    try (TestNode node = TestNode.start(TestNode.database(), handlers, "")) {
      var paused = AppSettings.of(null, 1, true, null);
      get(node.viesti.putApp(APP, paused, null, "me"));
      get(node.viesti.putTrigger(APP, new TriggerId("low"), handler("h", "low", 3), null, "me"));
      get(
          node.viesti.putTrigger(
              APP, new TriggerId("high"), handler("h", "high", 3).withPriority(9), null, "me"));
      get(node.viesti.publish(APP, events("low", 20)));
      get(node.viesti.publish(APP, events("high", 20)));
      get(node.viesti.putApp(APP, AppSettings.of(null, 1, false, null), null, "me"));
      until("all run", () -> types.size() == 40);
      assertThat(types.subList(0, 20)).containsOnly("high");
    }
  }

  private static List<Event> events(String type, int count) {
    List<Event> events = new ArrayList<>();
    for (int n = 0; n < count; n++) {
      events.add(event(type, null, "1"));
    }
    return events;
  }
}
