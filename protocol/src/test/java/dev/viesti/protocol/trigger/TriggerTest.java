package dev.viesti.protocol.trigger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class TriggerTest {
  private static final Target LOG = new Target.Log();

  @Test
  void needsOnlyATarget() {
    Trigger trigger = Trigger.of(null, null, LOG, null, null, null, null, null);
    assertThat(trigger)
        .isEqualTo(
            new Trigger(
                EventPattern.ANY, null, LOG, null, Duration.ofSeconds(30), null, null, true));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Trigger.of(null, null, null, null, null, null, null, null))
        .withMessageStartingWith("target");
  }

  @Test
  void takesWhatJsonGives() {
    var pattern = new EventPattern("a", "b", "c");
    assertThat(
            Trigger.of(
                pattern,
                "true",
                LOG,
                RetryPolicy.DEFAULT,
                Duration.ofSeconds(1),
                8,
                OrderBy.SUBJECT,
                false))
        .isEqualTo(
            new Trigger(
                pattern,
                "true",
                LOG,
                RetryPolicy.DEFAULT,
                Duration.ofSeconds(1),
                8,
                OrderBy.SUBJECT,
                false));
  }

  @ParameterizedTest
  @ValueSource(longs = {10, 900_000})
  void takesATimeoutAtItsBounds(long ms) {
    assertThat(trigger(null, Duration.ofMillis(ms), null).timeout().toMillis()).isEqualTo(ms);
  }

  @ParameterizedTest
  @ValueSource(longs = {-1, 0, 9, 900_001})
  void refusesATimeoutBeyondThem(long ms) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> trigger(null, Duration.ofMillis(ms), null))
        .withMessageStartingWith("timeout");
  }

  @ParameterizedTest
  @ValueSource(ints = {-1, 0, 10_001})
  void refusesAConcurrencyBeyondItsBounds(int concurrency) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> trigger(null, Trigger.TIMEOUT_DEFAULT, concurrency))
        .withMessageStartingWith("concurrency");
  }

  @Test
  void refusesAFilterThatIsEmptyOrTooLong() {
    for (String filter : new String[] {"", " ", "a".repeat(4_097)}) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> trigger(filter, Trigger.TIMEOUT_DEFAULT, null))
          .withMessageStartingWith("filter");
    }
    assertThat(trigger("a".repeat(4_096), Trigger.TIMEOUT_DEFAULT, 10_000).concurrency())
        .isEqualTo(10_000);
  }

  @Test
  void isSwitchedAndRetargetedWithoutLosingTheRest() {
    Trigger trigger = trigger("true", Duration.ofSeconds(3), 7);
    assertThat(trigger.withEnabled(false).withEnabled(true)).isEqualTo(trigger);
    assertThat(trigger.withEnabled(false).enabled()).isFalse();
    var handler = new Target.Handler("h");
    assertThat(trigger.withTarget(handler).withTarget(LOG)).isEqualTo(trigger);
    assertThat(trigger.withTarget(handler).target()).isEqualTo(handler);
  }

  @Test
  void hasAnIdOfLowerCaseLettersDigitsAndDashes() {
    assertThat(new TriggerId("a-1").toString()).isEqualTo("a-1");
    assertThat(new TriggerId("a".repeat(64)).value()).hasSize(64);
    for (String bad : new String[] {"", "A", "a_b", "a b", "ä", "a\n", "a".repeat(65)}) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> new TriggerId(bad))
          .withMessageContaining("trigger id");
    }
    assertThat(new TriggerId("a")).isLessThan(new TriggerId("b"));
  }

  private static Trigger trigger(
      @Nullable String filter, Duration timeout, @Nullable Integer concurrency) {
    return new Trigger(EventPattern.ANY, filter, LOG, null, timeout, concurrency, null, true);
  }
}
