package dev.viesti.dispatcher.outbox;

import static org.assertj.core.api.Assertions.assertThat;

import dev.viesti.protocol.app.AppSettings;
import dev.viesti.protocol.trigger.RateLimit;
import dev.viesti.protocol.trigger.TriggerId;
import java.time.Duration;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

final class RatesTest {
  private static final TriggerId ANY = new TriggerId("any");
  private static final long NOW = 42;

  @Test
  void countsFromTheLastStartOfAnOwnerThatSaidWhenItWas() {
    assertThat(takenOver(Duration.ofSeconds(20), Duration.ofSeconds(12))).isEqualTo(seconds(8));
    assertThat(takenOver(Duration.ofSeconds(20), Duration.ofSeconds(20))).isNull();
    assertThat(takenOver(Duration.ofSeconds(20), Duration.ofDays(90_000))).isNull();
  }

  @Test
  void assumesTheWorstOfAnOwnerThatDidNotSay() {
    assertThat(takenOver(Duration.ofSeconds(20), null)).isEqualTo(seconds(20));
  }

  @Test
  void tellsTheNextOwnerWhatItWasTold() {
    Rates rates = rates(Duration.ofSeconds(20));
    rates.takeOver(Duration.ofSeconds(5), NOW);
    assertThat(rates.quiet(NOW + seconds(3))).isEqualTo(Duration.ofSeconds(8));
    rates.started(ANY, NOW + seconds(15));
    assertThat(rates.quiet(NOW + seconds(16))).isEqualTo(Duration.ofSeconds(1));
    var first = rates(Duration.ofSeconds(20));
    first.startAnew(NOW);
    assertThat(first.quiet(NOW)).isEqualTo(RateLimit.PER_MAX);
  }

  /** The next owner would take a long window for free. */
  @Test
  void mustBeRememberedWhileALongWindowIsInUse() {
    Rates hourly = rates(Duration.ofHours(1));
    assertThat(hourly.mustBeRemembered(NOW)).isFalse();
    hourly.started(ANY, NOW);
    assertThat(hourly.mustBeRemembered(NOW + seconds(3_599))).isTrue();
    assertThat(hourly.mustBeRemembered(NOW + seconds(3_600))).isFalse();
    Rates minutely = rates(Duration.ofMinutes(1));
    minutely.started(ANY, NOW);
    assertThat(minutely.mustBeRemembered(NOW)).isFalse();
  }

  /** For how long, in nanoseconds, the first attempt is held up. */
  private static @Nullable Long takenOver(Duration per, @Nullable Duration quiet) {
    Rates rates = rates(per);
    rates.takeOver(quiet, NOW);
    rates.look();
    rates.allowsApp(NOW);
    Long until = rates.heldUntil();
    return until == null ? null : until - NOW;
  }

  private static Rates rates(Duration per) {
    var rates = new Rates();
    var settings = AppSettings.DEFAULT.withRate(new RateLimit(1, per));
    rates.configure(new OutboxPolicy(settings, Map.of()));
    return rates;
  }

  private static long seconds(long seconds) {
    return Duration.ofSeconds(seconds).toNanos();
  }
}
