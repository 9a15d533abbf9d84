package dev.viesti.dispatcher.outbox;

import static org.assertj.core.api.Assertions.assertThat;

import dev.viesti.protocol.trigger.RateLimit;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class RateWindowTest {
  /** A ticker may begin anywhere, and pass its largest number. */
  private static final long START = Long.MAX_VALUE - Duration.ofSeconds(5).toNanos();

  /** The seed is in the message: run it again with the same. */
  @Test
  void neverLetsMoreStartInAnySpanNorHoldsUpWhatMayStart() {
    for (long seed = 0; seed < 3_000; seed++) {
      var random = new Random(seed);
      var limit =
          new RateLimit(1 + random.nextInt(6), Duration.ofMillis(1 + random.nextInt(1_000)));
      var window = new RateWindow(limit);
      List<Long> starts = new ArrayList<>();
      long now = START;
      for (int step = 0; step < 200; step++) {
        now += random.nextLong(300_000_000L);
        long wait = window.untilNext(now);
        long then = now;
        long per = limit.per().toNanos();
        long inSpan = starts.stream().filter(start -> then - start < per).count();
        assertThat(wait == 0).as("seed %d", seed).isEqualTo(inSpan < limit.permits());
        if (wait == 0) {
          window.started(now);
          starts.add(now);
        } else if (random.nextBoolean()) {
          assertThat(window.untilNext(now + wait - 1)).as("seed %d", seed).isEqualTo(1);
          now += wait;
          assertThat(window.untilNext(now)).as("seed %d", seed).isZero();
        }
      }
    }
  }

  @Test
  void keepsItsStartsWhenTheLimitChanges() {
    var window = new RateWindow(new RateLimit(4, Duration.ofSeconds(1)));
    for (int n = 0; n < 4; n++) {
      window.started(at(n));
    }
    assertThat(window.untilNext(at(10))).isEqualTo(millis(990));
    window.configure(new RateLimit(2, Duration.ofSeconds(1)));
    assertThat(window.untilNext(at(10))).isEqualTo(millis(992));
    window.configure(new RateLimit(5, Duration.ofSeconds(1)));
    assertThat(window.untilNext(at(10))).isZero();
  }

  @Test
  void takesAShortWindowForUsedUpAfterATakeover() {
    var second = new RateWindow(new RateLimit(3, Duration.ofSeconds(1)));
    second.assumeUsed(at(0));
    assertThat(second.untilNext(at(0))).isEqualTo(millis(1_000));
    assertThat(second.untilNext(at(1_000))).isZero();
    var hour = new RateWindow(new RateLimit(3, Duration.ofHours(1)));
    hour.assumeUsed(at(0));
    assertThat(hour.untilNext(at(0))).isZero();
  }

  private static long at(long ms) {
    return START + millis(ms);
  }

  private static long millis(long ms) {
    return Duration.ofMillis(ms).toNanos();
  }
}
