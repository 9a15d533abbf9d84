package dev.viesti.dispatcher.outbox;

import static org.assertj.core.api.Assertions.assertThat;

import dev.viesti.protocol.trigger.RateLimit;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class RateWindowTest {
  private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");

  /** The seed is in the message: run it again with the same. */
  @Test
  void neverLetsMoreStartInAnySpanNorHoldsUpWhatMayStart() {
    for (long seed = 0; seed < 3_000; seed++) {
      var random = new Random(seed);
      var limit =
          new RateLimit(1 + random.nextInt(6), Duration.ofMillis(1 + random.nextInt(1_000)));
      var window = new RateWindow(limit);
      List<Instant> starts = new ArrayList<>();
      Instant now = START;
      for (int step = 0; step < 200; step++) {
        now = now.plusNanos(random.nextLong(300_000_000L));
        Instant next = window.nextAt(now);
        Instant since = now.minus(limit.per());
        long inSpan = starts.stream().filter(start -> start.isAfter(since)).count();
        assertThat(next == null).as("seed %d", seed).isEqualTo(inSpan < limit.permits());
        if (next == null) {
          window.started(now);
          starts.add(now);
        } else if (random.nextBoolean()) {
          assertThat(window.nextAt(next.minusNanos(1))).as("seed %d", seed).isEqualTo(next);
          now = next;
          assertThat(window.nextAt(now)).as("seed %d", seed).isNull();
        }
      }
    }
  }

  @Test
  void keepsItsStartsWhenTheLimitChanges() {
    var window = new RateWindow(new RateLimit(4, Duration.ofSeconds(1)));
    for (int n = 0; n < 4; n++) {
      window.started(START.plusMillis(n));
    }
    Instant now = START.plusMillis(10);
    assertThat(window.nextAt(now)).isEqualTo(START.plusSeconds(1));
    window.configure(new RateLimit(2, Duration.ofSeconds(1)));
    assertThat(window.nextAt(now)).isEqualTo(START.plusMillis(1_002));
    window.configure(new RateLimit(5, Duration.ofSeconds(1)));
    assertThat(window.nextAt(now)).isNull();
  }

  @Test
  void takesAShortWindowForUsedUpAfterATakeover() {
    var second = new RateWindow(new RateLimit(3, Duration.ofSeconds(1)));
    second.assumeUsed(START);
    assertThat(second.nextAt(START)).isEqualTo(START.plusSeconds(1));
    var hour = new RateWindow(new RateLimit(3, Duration.ofHours(1)));
    hour.assumeUsed(START);
    assertThat(hour.nextAt(START)).isNull();
  }
}
