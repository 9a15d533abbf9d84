package dev.viesti.protocol.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import dev.viesti.protocol.trigger.RetryPolicy;
import dev.viesti.protocol.trigger.RetryStrategy;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

final class SettlementTest {
  private static final Instant AT = Instant.parse("2026-02-03T04:05:06.123456789Z");
  private static final RetryPolicy SECOND_BY_SECOND =
      new RetryPolicy(RetryStrategy.CONSTANT, 3, Duration.ofSeconds(1), Duration.ofSeconds(1), 0);

  @Test
  void settlesWhatSucceeded() {
    assertThat(after(1, Outcome.Succeeded.PLAIN)).isEqualTo(new Settlement.Settled());
    assertThat(after(1_000, Outcome.Succeeded.PLAIN)).isEqualTo(new Settlement.Settled());
  }

  @Test
  void deadLettersAPermanentFailureAtOnce() {
    assertThat(after(1, new Outcome.Permanent("gone")))
        .isEqualTo(new Settlement.DeadLettered("gone"));
  }

  @Test
  void retriesWhileAttemptsAreLeft() {
    Settlement expected =
        new Settlement.Retried(Instant.parse("2026-02-03T04:05:07.123456Z"), "500");
    assertThat(after(1, new Outcome.Retryable("500"))).isEqualTo(expected);
    assertThat(after(2, new Outcome.Retryable("500"))).isEqualTo(expected);
    assertThat(after(3, new Outcome.Retryable("500")))
        .isEqualTo(new Settlement.DeadLettered("500"));
    assertThat(after(4, new Outcome.Retryable("500")))
        .isEqualTo(new Settlement.DeadLettered("500"));
  }

  @Test
  void postponesWithoutCountingHoweverManyAttemptsThereWere() {
    assertThat(after(4, new Outcome.Postponed("breaker open", Duration.ofSeconds(5))))
        .isEqualTo(
            new Settlement.Postponed(
                AT.plusSeconds(5).truncatedTo(ChronoUnit.MICROS), "breaker open"));
  }

  @Test
  void retriesATimeoutAndSaysHowLongItTook() {
    var timedOut = new Outcome.TimedOut(Duration.ofSeconds(30));
    assertThat(after(1, timedOut))
        .isEqualTo(
            new Settlement.Retried(
                Instant.parse("2026-02-03T04:05:07.123456Z"), "timed out after 30000 ms"));
    assertThat(after(3, timedOut))
        .isEqualTo(new Settlement.DeadLettered("timed out after 30000 ms"));
  }

  @Test
  void honoursRetryAfterUpToADay() {
    assertThat(delay(SECOND_BY_SECOND, Duration.ofSeconds(60))).isEqualTo(Duration.ofSeconds(60));
    assertThat(delay(SECOND_BY_SECOND, Duration.ofHours(24))).isEqualTo(Duration.ofHours(24));
    assertThat(delay(SECOND_BY_SECOND, Duration.ofDays(3_000))).isEqualTo(Duration.ofHours(24));
  }

  @Test
  void ignoresARetryAfterThatIsShorterThanThePolicy() {
    assertThat(delay(SECOND_BY_SECOND, Duration.ofMillis(10))).isEqualTo(Duration.ofSeconds(1));
    assertThat(delay(SECOND_BY_SECOND, Duration.ZERO)).isEqualTo(Duration.ofSeconds(1));
    assertThat(delay(SECOND_BY_SECOND, Duration.ofSeconds(-5))).isEqualTo(Duration.ofSeconds(1));
  }

  @Test
  void neverComesSoonerBecauseOfALongRetryAfter() {
    var slow = new RetryPolicy(RetryStrategy.LINEAR, 9, Duration.ofDays(1), Duration.ofDays(30), 0);
    var outcome = new Outcome.Retryable("503", Duration.ofDays(6), null);
    assertThat(Settlement.after(5, outcome, slow, AT, () -> 0L))
        .isEqualTo(
            new Settlement.Retried(
                AT.plus(Duration.ofDays(5)).truncatedTo(ChronoUnit.MICROS), "503"));
  }

  @Test
  void cutsLongErrors() {
    assertThat(error("e".repeat(2_000))).hasSize(2_000);
    assertThat(error("e".repeat(2_001))).hasSize(2_000);
    assertThat(error("")).isEmpty();
  }

  @Test
  void doesNotCutThroughACharacter() {
    assertThat(error("e".repeat(1_999) + "😀")).isEqualTo("e".repeat(1_999));
    assertThat(error("e".repeat(1_998) + "😀!")).isEqualTo("e".repeat(1_998) + "😀");
  }

  @Test
  void replacesWhatPostgresqlCannotStore() {
    assertThat(error("a\u0000b")).isEqualTo("a\uFFFDb");
    assertThat(error("a\uD83Db\uDE00")).isEqualTo("a\uFFFDb\uFFFD");
    assertThat(error("ä€😀\n\t")).isEqualTo("ä€😀\n\t");
  }

  /** The seed is in the message: run it again with the same. */
  @Test
  void keepsItsInvariantsWhateverHappens() {
    for (long seed = 0; seed < 20_000; seed++) {
      var random = new SplittableRandom(seed);
      RetryPolicy policy = anyPolicy(random);
      int attempt = 1 + random.nextInt(12);
      Instant at = AT.plusNanos(random.nextLong(1_000_000_000_000L));
      Outcome outcome = anyOutcome(random);
      switch (Settlement.after(attempt, outcome, policy, at, random)) {
        case Settlement.Settled settled ->
            assertThat(outcome).as("seed %d", seed).isInstanceOf(Outcome.Succeeded.class);
        case Settlement.DeadLettered dead -> {
          assertThat(outcome instanceof Outcome.Permanent || attempt >= policy.maxAttempts())
              .as("seed %d", seed)
              .isTrue();
          checkError(seed, dead.error());
        }
        case Settlement.Postponed postponed ->
            assertThat(outcome)
                .as("seed %d", seed)
                .isInstanceOfAny(Outcome.Postponed.class, Outcome.Snoozed.class);
        case Settlement.Deferred(var deadline) -> {
          assertThat(outcome).as("seed %d", seed).isInstanceOf(Outcome.Deferred.class);
          assertThat(deadline)
              .as("seed %d", seed)
              .isAfterOrEqualTo(at.truncatedTo(ChronoUnit.MICROS));
        }
        case Settlement.Retried retried -> {
          assertThat(attempt).as("seed %d", seed).isLessThan(policy.maxAttempts());
          checkError(seed, retried.error());
          checkDue(seed, retried.dueAt(), at, outcome, policy);
        }
      }
    }
  }

  private static void checkDue(
      long seed, Instant due, Instant at, Outcome outcome, RetryPolicy policy) {
    Duration wish =
        outcome instanceof Outcome.Retryable retryable && retryable.retryAfter() != null
            ? retryable.retryAfter()
            : Duration.ZERO;
    Duration honoured =
        wish.compareTo(Settlement.RETRY_AFTER_MAX) > 0 ? Settlement.RETRY_AFTER_MAX : wish;
    Duration longest = honoured.compareTo(policy.cap()) > 0 ? honoured : policy.cap();
    assertThat(due)
        .as("seed %d", seed)
        .isEqualTo(due.truncatedTo(ChronoUnit.MICROS))
        .isAfterOrEqualTo(at.plus(honoured).truncatedTo(ChronoUnit.MICROS))
        .isBeforeOrEqualTo(at.plus(longest));
  }

  private static void checkError(long seed, String error) {
    assertThat(error).as("seed %d", seed).doesNotContain("\u0000");
    assertThat(error.length()).as("seed %d", seed).isLessThanOrEqualTo(2_000);
  }

  private static RetryPolicy anyPolicy(SplittableRandom random) {
    var strategies = RetryStrategy.values();
    Duration base = Duration.ofMillis(1 + random.nextLong(100_000_000) % 86_400_000);
    return new RetryPolicy(
        strategies[random.nextInt(strategies.length)],
        1 + random.nextInt(12),
        base,
        base.plusSeconds(random.nextInt(1_000_000)),
        random.nextDouble());
  }

  private static Outcome anyOutcome(SplittableRandom random) {
    String reason = "e\u0000".repeat(random.nextInt(1_500));
    return switch (random.nextInt(8)) {
      case 0 -> Outcome.Succeeded.PLAIN;
      case 1 -> new Outcome.Permanent(reason);
      case 2 -> new Outcome.TimedOut(Duration.ofMillis(random.nextInt(100_000)));
      case 3 -> new Outcome.Postponed(reason, Duration.ofMillis(random.nextInt(100_000)));
      case 4 -> new Outcome.Snoozed(Duration.ofMillis(random.nextInt(100_000)));
      case 5 -> new Outcome.Deferred(Duration.ofMillis(random.nextInt(100_000)));
      case 6 -> new Outcome.Crashed();
      default -> new Outcome.Retryable(reason, anyWish(random), null);
    };
  }

  private static @Nullable Duration anyWish(SplittableRandom random) {
    return random.nextBoolean() ? null : Duration.ofSeconds(random.nextInt(-1_000, 10_000_000));
  }

  private static Settlement after(int attempt, Outcome outcome) {
    return Settlement.after(attempt, outcome, SECOND_BY_SECOND, AT, () -> 0L);
  }

  private static Duration delay(RetryPolicy policy, Duration wish) {
    Settlement settlement =
        Settlement.after(1, new Outcome.Retryable("x", wish, null), policy, AT, () -> 0L);
    assertThat(settlement).isInstanceOf(Settlement.Retried.class);
    return Duration.between(
        AT.truncatedTo(ChronoUnit.MICROS), ((Settlement.Retried) settlement).dueAt());
  }

  private static String error(String reason) {
    Settlement settlement = after(1, new Outcome.Permanent(reason));
    assertThat(settlement).isInstanceOf(Settlement.DeadLettered.class);
    return ((Settlement.DeadLettered) settlement).error();
  }
}
