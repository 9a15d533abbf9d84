package dev.viesti.dispatcher.target.webhook;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.viesti.dispatcher.target.webhook.BreakerState.Admission;
import dev.viesti.dispatcher.target.webhook.BreakerState.Signal;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class BreakerTest {
  private static final WebhookSettings.Breaker SETTINGS =
      new WebhookSettings.Breaker(3, Duration.ofSeconds(5), Duration.ofSeconds(60));

  private static final List<Signal> SIGNALS = List.of(Signal.values());

  private static final class StepClock extends Clock {
    private Instant now = Instant.parse("2026-01-31T12:00:00Z");

    void step(Duration by) {
      now = now.plus(by);
    }

    @Override
    public Instant instant() {
      return now;
    }

    @Override
    public ZoneId getZone() {
      return ZoneOffset.UTC;
    }

    @Override
    public Clock withZone(ZoneId zone) {
      return this;
    }
  }

  private final StepClock clock = new StepClock();
  private final Breakers breakers = new Breakers(SETTINGS, clock);

  private void attempt(Signal signal) {
    Admission admission = breakers.admit("e");
    assertThat(admission.retryAfter()).isNull();
    breakers.ended("e", admission, signal);
  }

  @Test
  void opensAfterFailuresInARow() {
    attempt(Signal.FAILING);
    attempt(Signal.FAILING);
    attempt(Signal.ALIVE);
    attempt(Signal.FAILING);
    attempt(Signal.NOTHING);
    attempt(Signal.FAILING);
    attempt(Signal.FAILING);
    clock.step(Duration.ofSeconds(2));
    assertThat(breakers.admit("e").retryAfter()).isEqualTo(Duration.ofSeconds(3));
    assertThat(breakers.admit("other").retryAfter()).isNull();
  }

  @Test
  void probesOnceAndDoublesUpToTheMaximum() {
    for (int i = 0; i < 3; i++) {
      attempt(Signal.FAILING);
    }
    Duration expected = Duration.ofSeconds(5);
    for (int probes = 0; probes < 6; probes++) {
      clock.step(expected);
      Admission probe = breakers.admit("e");
      assertThat(probe.probe()).isTrue();
      assertThat(breakers.admit("e").retryAfter()).isEqualTo(expected);
      breakers.ended("e", probe, Signal.FAILING);
      expected = expected.multipliedBy(2);
      if (expected.compareTo(SETTINGS.backoffMax()) > 0) {
        expected = SETTINGS.backoffMax();
      }
      assertThat(breakers.admit("e").retryAfter()).isEqualTo(expected);
    }
    clock.step(expected);
    attempt(Signal.ALIVE);
    assertThat(breakers.size()).isZero();
  }

  @Test
  void letsTheNextOneProbeWhenAProbeSaysNothing() {
    for (int i = 0; i < 3; i++) {
      attempt(Signal.FAILING);
    }
    clock.step(Duration.ofSeconds(5));
    attempt(Signal.NOTHING);
    attempt(Signal.ALIVE);
  }

  @Test
  void holdsItsPromisesInAnyOrder() {
    for (long seed = 0; seed < 2_000; seed++) {
      simulate(new Random(seed), "seed " + seed);
    }
  }

  /**
   * At most one probe at a time, no attempt while open, no wait beyond the maximum, no dead end.
   */
  private static void simulate(Random random, String seed) {
    StepClock clock = new StepClock();
    Breakers breakers = new Breakers(SETTINGS, clock);
    List<Admission> running = new ArrayList<>();
    for (int step = 0; step < 200; step++) {
      if (random.nextInt(3) > 0) {
        Admission admission = breakers.admit("e");
        Duration wait = admission.retryAfter();
        if (wait == null) {
          running.add(admission);
        } else {
          assertThat(wait).as(seed).isPositive().isLessThanOrEqualTo(SETTINGS.backoffMax());
        }
      } else if (!running.isEmpty()) {
        Signal signal = SIGNALS.get(random.nextInt(SIGNALS.size()));
        breakers.ended("e", running.remove(random.nextInt(running.size())), signal);
      }
      clock.step(Duration.ofMillis(random.nextInt(4_000)));
    }
    running.forEach(last -> breakers.ended("e", last, Signal.NOTHING));
    clock.step(SETTINGS.backoffMax());
    assertThat(breakers.admit("e").retryAfter()).as(seed).isNull();
  }

  @Test
  void keepsABoundedNumberOfEndpoints() {
    for (int i = 0; i < Breakers.ENDPOINTS_MAX + 500; i++) {
      Admission admission = breakers.admit("e" + i);
      breakers.ended("e" + i, admission, Signal.FAILING);
    }
    assertThat(breakers.size()).isEqualTo(Breakers.ENDPOINTS_MAX);
    clock.step(Breakers.IDLE_MAX.plusSeconds(1));
    attempt(Signal.FAILING);
    assertThat(breakers.size()).isEqualTo(1);
  }

  @Test
  void readsItsSettings() {
    Config config =
        ConfigFactory.parseString(
            """
            connect-timeout = 10 s
            connections-max = 512
            connections-per-route-max = 64
            idle-evict = 30 s
            response-body-kept = 4 KiB
            allow-private-targets = false
            allow-list = ["10.1.0.0/16", "hooks.internal"]
            breaker { failures = 10, backoff = 5 s, backoff-max = 60 s }
            """);
    WebhookSettings settings = WebhookSettings.from(config);
    assertThat(settings.pool().connectionsMax()).isEqualTo(512);
    assertThat(settings.responseBodyKept()).isEqualTo(4_096);
    assertThat(settings.breaker().backoffMax()).isEqualTo(Duration.ofMinutes(1));
    for (String wrong :
        List.of(
            "connect-timeout = 0 s",
            "connections-max = 0",
            "connections-per-route-max = 513",
            "idle-evict = 10 ms",
            "response-body-kept = 1 MiB",
            "allow-list = [\"http://x\"]",
            "breaker.failures = 0",
            "breaker.backoff = 0 s",
            "breaker.backoff-max = 1 s")) {
      assertThatThrownBy(
              () -> WebhookSettings.from(ConfigFactory.parseString(wrong).withFallback(config)))
          .as(wrong)
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("viesti.webhook." + wrong.substring(0, wrong.indexOf(' ')));
    }
  }
}
