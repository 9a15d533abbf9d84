package dev.viesti.dispatcher.filter;

import static org.assertj.core.api.Assertions.assertThat;

import dev.viesti.protocol.event.Event;
import dev.viesti.protocol.event.Payload;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** Prints what a filter costs; asserts only what must hold on the slowest machine. */
class FilterSpeedTest {
  private static final int PAYLOAD_BYTES = 10 * 1_024;
  private static final int ROUNDS = 20_000;

  private static Payload payload() {
    StringBuilder json = new StringBuilder("{\"action\":\"opened\",\"labels\":[");
    for (int i = 0; json.length() < PAYLOAD_BYTES - 100; i++) {
      json.append(i == 0 ? "" : ",")
          .append("{\"id\":")
          .append(1_000_000 + i)
          .append(",\"name\":\"label-")
          .append(i)
          .append("\",\"color\":\"ededed\",\"default\":false,\"description\":null}");
    }
    return Payload.ofJson(json.append("]}").toString());
  }

  @Test
  void printsMatchesPerSecond() {
    Event event = Event.of(new UUID(0, 1), "github", "issues.opened", null, payload());
    EventFilter filter = EventFilter.compile("data.action == 'opened'");
    EventView shared = EventView.of(event);
    int matched = 0;
    for (int round = 0; round < 3; round++) {
      long start = System.nanoTime();
      for (int i = 0; i < ROUNDS; i++) {
        matched += filter.matches(event) ? 1 : 0;
      }
      long parsed = System.nanoTime();
      for (int i = 0; i < ROUNDS; i++) {
        matched += filter.evaluate(shared) instanceof FilterResult.Matched ? 1 : 0;
      }
      System.out.printf(
          "%,d bytes: %,.0f matches/s with parsing, %,.0f matches/s on a parsed view%n",
          event.data().size(),
          ROUNDS * 1e9 / (parsed - start),
          ROUNDS * 1e9 / (System.nanoTime() - parsed));
    }
    assertThat(matched).isEqualTo(3 * 2 * ROUNDS);
  }
}
