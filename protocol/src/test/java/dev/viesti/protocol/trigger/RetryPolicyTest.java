package dev.viesti.protocol.trigger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.math.BigInteger;
import java.time.Duration;
import java.util.List;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class RetryPolicyTest {
  private static final Duration MS = Duration.ofMillis(1);
  private static final Duration SECOND = Duration.ofSeconds(1);
  private static final Duration DAY = Duration.ofDays(1);

  @Test
  void waitsOneTwoFourSecondsUpTo32ByDefault() {
    assertThat(delays(RetryPolicy.DEFAULT, 8, never()))
        .extracting(Duration::toSeconds)
        .containsExactly(1L, 2L, 4L, 8L, 16L, 32L, 32L, 32L);
    assertThat(RetryPolicy.DEFAULT.maxAttempts()).isEqualTo(20);
    assertThat(RetryPolicy.DEFAULT.jitter()).isEqualTo(0.2);
  }

  @Test
  void defaultsToAboutEightMinutesInAll() {
    Duration all =
        delays(RetryPolicy.DEFAULT, 19, never()).stream().reduce(Duration.ZERO, Duration::plus);
    assertThat(all).isEqualTo(Duration.ofSeconds(31 + 14 * 32));
  }

  @Test
  void growsByTheStepWhenLinear() {
    var policy = new RetryPolicy(RetryStrategy.LINEAR, 10, SECOND, Duration.ofSeconds(5), 0);
    assertThat(delays(policy, 7, never()))
        .extracting(Duration::toSeconds)
        .containsExactly(1L, 2L, 3L, 4L, 5L, 5L, 5L);
  }

  @Test
  void staysTheSameWhenConstant() {
    var policy = new RetryPolicy(RetryStrategy.CONSTANT, 10, SECOND, DAY, 0);
    assertThat(delays(policy, 1_000, never())).containsOnly(SECOND);
  }

  /** The seed is in the message: run it again with the same. */
  @Test
  void keepsItsFormulaAndItsBoundsInAnyPolicy() {
    for (long seed = 0; seed < 20_000; seed++) {
      var random = new SplittableRandom(seed);
      RetryPolicy policy = anyPolicy(random);
      int attempt = 1 + random.nextInt(RetryPolicy.ATTEMPTS_MAX);
      long whole = expectedNanos(policy, attempt);
      long least = whole - (long) Math.ceil(whole * policy.jitter());
      assertThat(policy.after(attempt, random).toNanos())
          .as("seed %d: %s, attempt %d", seed, policy, attempt)
          .isBetween(Math.max(0, least), whole)
          .isLessThanOrEqualTo(policy.cap().toNanos());
      assertThat(policy.after(attempt, never()).toNanos())
          .as("seed %d: %s, attempt %d, no jitter", seed, policy, attempt)
          .isEqualTo(whole);
    }
  }

  @Test
  void neverWaitsLessThanBeforeWithoutJitter() {
    for (long seed = 0; seed < 1_000; seed++) {
      RetryPolicy policy = anyPolicy(new SplittableRandom(seed));
      assertThat(delays(policy, 200, never())).as("seed %d: %s", seed, policy).isSorted();
    }
  }

  @Test
  void doublesSmallStepsUntilTheCap() {
    var policy = new RetryPolicy(RetryStrategy.EXPONENTIAL, 100, MS, Duration.ofDays(30), 0);
    assertThat(policy.after(17, never())).isEqualTo(Duration.ofMillis(65_536));
    assertThat(policy.after(18, never())).isEqualTo(Duration.ofMillis(131_072));
    assertThat(policy.after(32, never())).isEqualTo(Duration.ofMillis(1L << 31));
    assertThat(policy.after(33, never())).isEqualTo(Duration.ofDays(30));
  }

  @Test
  void doesNotOverflowAtTheLargestStepAndAttempt() {
    for (RetryStrategy strategy : List.of(RetryStrategy.EXPONENTIAL, RetryStrategy.LINEAR)) {
      var policy = new RetryPolicy(strategy, 1_000, DAY, Duration.ofDays(30), 0);
      assertThat(policy.after(1_000, never())).isEqualTo(Duration.ofDays(30));
      assertThat(policy.after(Integer.MAX_VALUE, never())).isEqualTo(Duration.ofDays(30));
    }
  }

  @Test
  void mayComeBackAtOnceWithFullJitter() {
    var policy = new RetryPolicy(RetryStrategy.CONSTANT, 3, SECOND, SECOND, 1);
    assertThat(policy.after(1, () -> -1L)).isBetween(Duration.ZERO, Duration.ofNanos(1));
  }

  @Test
  void countsAttemptsFromOne() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> RetryPolicy.DEFAULT.after(0, never()))
        .withMessageContaining("attempt");
  }

  @Test
  void fillsInWhatJsonLeavesOut() {
    assertThat(RetryPolicy.of(null, null, null, null, null)).isEqualTo(RetryPolicy.DEFAULT);
    assertThat(RetryPolicy.of(RetryStrategy.LINEAR, 3, MS, SECOND, 0.5))
        .isEqualTo(new RetryPolicy(RetryStrategy.LINEAR, 3, MS, SECOND, 0.5));
  }

  @Test
  void raisesTheDefaultCapToALargerStep() {
    RetryPolicy policy = RetryPolicy.of(null, null, Duration.ofMinutes(1), null, null);
    assertThat(policy.cap()).isEqualTo(Duration.ofMinutes(1));
  }

  @ParameterizedTest
  @CsvSource({
    "maxAttempts, 0,    1000,    2000,       0",
    "maxAttempts, 1001, 1000,    2000,       0",
    "base,        1,    0,       2000,       0",
    "base,        1,    86400001,2592000000, 0",
    "cap,         1,    1000,    999,        0",
    "cap,         1,    1000,    2592000001, 0",
    "jitter,      1,    1000,    2000,       -0.01",
    "jitter,      1,    1000,    2000,       1.01",
    "jitter,      1,    1000,    2000,       NaN"
  })
  void refusesNamingTheField(String field, int attempts, long baseMs, long capMs, double jitter) {
    assertThatIllegalArgumentException()
        .isThrownBy(
            () ->
                new RetryPolicy(
                    RetryStrategy.LINEAR,
                    attempts,
                    Duration.ofMillis(baseMs),
                    Duration.ofMillis(capMs),
                    jitter))
        .withMessageStartingWith(field);
  }

  private static RetryPolicy anyPolicy(SplittableRandom random) {
    var strategies = RetryStrategy.values();
    // steps and caps of every magnitude, not mostly large ones
    long base = magnitude(random, MS.toNanos(), DAY.toNanos());
    long cap = magnitude(random, base, Duration.ofDays(30).toNanos());
    return new RetryPolicy(
        strategies[random.nextInt(strategies.length)],
        1 + random.nextInt(RetryPolicy.ATTEMPTS_MAX),
        Duration.ofNanos(base),
        Duration.ofNanos(cap),
        random.nextInt(4) == 0 ? random.nextInt(2) : random.nextDouble());
  }

  private static long magnitude(SplittableRandom random, long least, long most) {
    double power = random.nextDouble() * Math.log((double) most / least);
    return Math.clamp((long) (least * Math.exp(power)), least, most);
  }

  private static long expectedNanos(RetryPolicy policy, int attempt) {
    BigInteger base = BigInteger.valueOf(policy.base().toNanos());
    BigInteger whole =
        switch (policy.strategy()) {
          case EXPONENTIAL -> base.shiftLeft(attempt - 1);
          case LINEAR -> base.multiply(BigInteger.valueOf(attempt));
          case CONSTANT -> base;
        };
    return whole.min(BigInteger.valueOf(policy.cap().toNanos())).longValueExact();
  }

  private static List<Duration> delays(RetryPolicy policy, int attempts, RandomGenerator random) {
    return IntStream.rangeClosed(1, attempts)
        .mapToObj(attempt -> policy.after(attempt, random))
        .toList();
  }

  /** Draws 0 always: no jitter. */
  private static RandomGenerator never() {
    return () -> 0L;
  }
}
