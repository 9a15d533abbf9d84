package dev.viesti.dispatcher.filter;

import static org.assertj.core.api.Assertions.assertThat;

import dev.viesti.protocol.event.Event;
import dev.viesti.protocol.event.Payload;
import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Filters written to hurt, over payloads as large as an event may be. */
@Timeout(value = 30, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class EvilFilterTest {
  /** Far above what is measured (under a second), far below what the filters could take. */
  private static final Duration BOUND = Duration.ofSeconds(8);

  private static final int PAYLOAD_BYTES = 256 * 1_024;

  private static final EventView VIEW =
      EventView.of(Event.of(new UUID(0, 1), "s", "t", null, Payload.ofJson(payload())));

  /** A long array of small numbers, a long text and a short array. */
  private static String payload() {
    String numbers = "1,".repeat(PAYLOAD_BYTES / 4) + "2";
    String text = "a".repeat(PAYLOAD_BYTES / 2 - 100);
    return "{\"big\":[" + numbers + "],\"text\":\"" + text + "\",\"few\":[1,2,3]}";
  }

  static Stream<String> evil() {
    return Stream.of(
        "data.big.all(x, data.big.all(y, x == y || y > 0))",
        "data.big.all(a, data.big.all(b, data.big.all(c, data.big.all(d, a + b + c + d < 9))))",
        "data.big.all(x, data.big == data.big)",
        "[data.big].all(b, b.all(x, b == b))",
        "[data.big].all(b, b.all(x, !(3 in b)))",
        "data.big.map(x, data.big) == data.big.map(x, data.big)",
        "data.big.map(x, data.big.map(y, data.big)).size() > 0",
        "[data.text]" + ".map(s, s + s)".repeat(40) + ".size() == 1",
        "[data.big]" + ".map(s, s + s)".repeat(40) + ".size() == 1",
        "[data.big]" + ".map(a, [a, a])".repeat(15) + ".all(x, x == x)",
        doubling(12, "z == z"),
        doubling(12, "z > 1"),
        doubling(12, "z in [z, z]"),
        doubling(12, "{'a': z} == {'a': z}"),
        doubling(12, "data[z] == 1"),
        doubling(12, "string(z) == ''"),
        "data.big.all(x, data.text.contains(data.text + 'b') == false)",
        "data.big.all(x, !(data.text + 'a').contains(data.text.substring == 1 ? 'a' : data.text))",
        "data.big.all(x, !data.text.matches('(a|aa|aaa)*(a|aa)*b$'))",
        "data.big.all(x, !data.text.matches('(a?){60}(a?){60}b'))",
        "data.big.exists(x, data.missing == 1)",
        "data.big.exists(x, data > 1)",
        "data.big.exists(x, int(data.text) == 1)",
        "data.big.exists(x, bytes(data.text) == bytes(data.text + 'x'))",
        "data.big.exists(x, data.few.exists(y, data.missing == y))",
        "data.big.exists(x, " + "-(".repeat(20) + "data.missing" + ")".repeat(20) + " == 1)",
        "data.big.exists(x, data.few.exists(y, data.few.exists(z, x + y + z > 1000)))");
  }

  /** {@code z} is a list that holds 2^levels·8 references to {@code data.big}. */
  private static String doubling(int levels, String inner) {
    String variables = "abcdefghijklmnopqrstuvwxy";
    StringBuilder head = new StringBuilder();
    String last = "data.big";
    for (int i = 0; i < levels; i++) {
      String next = i == levels - 1 ? "z" : variables.substring(i, i + 1);
      head.append("[[")
          .append(last)
          .append(",")
          .append(last)
          .append(",")
          .append(last)
          .append("]].exists(")
          .append(next)
          .append(",");
      last = next;
    }
    return head + inner + ")".repeat(levels);
  }

  @ParameterizedTest
  @MethodSource("evil")
  void endsSoon(String filter) {
    long start = System.nanoTime();
    String verdict;
    try {
      verdict = EventFilter.compile(filter).evaluate(VIEW).toString();
    } catch (InvalidFilterException refused) {
      verdict = "refused: " + refused.getMessage();
    }
    Duration took = Duration.ofNanos(System.nanoTime() - start);
    System.out.println(took.toMillis() + " ms\t" + filter + "\t" + verdict);
    assertThat(took).isLessThan(BOUND);
  }

  @Test
  void leavesRoomForHonestFilters() {
    assertThat(EventFilter.compile("data.big.exists(x, x == 2)").evaluate(VIEW))
        .isEqualTo(new FilterResult.Matched());
    assertThat(EventFilter.compile("2 in data.big").evaluate(VIEW))
        .isEqualTo(new FilterResult.Matched());
    assertThat(EventFilter.compile("data.text.contains('aab')").evaluate(VIEW))
        .isEqualTo(new FilterResult.NotMatched());
    assertThat(EventFilter.compile("data.text.matches('^a+$')").evaluate(VIEW))
        .isEqualTo(new FilterResult.Matched());
  }

  @Test
  void saysThatTheBudgetIsUsedUp() {
    assertThat(EventFilter.compile("data.big.all(x, data.big.all(y, true))").evaluate(VIEW))
        .isInstanceOfSatisfying(
            FilterResult.Failed.class, failed -> assertThat(failed.reason()).contains("steps"));
    assertThat(EventFilter.compile("data.big.all(x, data.big.all(y, true)) || true").evaluate(VIEW))
        .as("a branch that is true does not excuse what the other one costs")
        .isInstanceOf(FilterResult.Failed.class);
  }
}
