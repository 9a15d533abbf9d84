package dev.viesti.protocol.trigger;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.time.Duration;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * When a failed attempt is followed by another.
 *
 * @param maxAttempts attempts in all, the first one included, 1 to 1,000
 * @param base the step, 1 ms to 1 day
 * @param cap the longest delay, {@code base} to 30 days
 * @param jitter the largest share, 0 to 1, by which a delay is shortened at random, so that
 *     deliveries that failed together do not come back together
 */
public record RetryPolicy(
    RetryStrategy strategy, int maxAttempts, Duration base, Duration cap, double jitter) {
  private static final Duration BASE_MAX = Duration.ofDays(1);
  private static final Duration CAP_MAX = Duration.ofDays(30);

  /** 1 s, 2 s, 4 s … up to 32 s, 20 attempts: about eight minutes in all. */
  public static final RetryPolicy DEFAULT =
      new RetryPolicy(
          RetryStrategy.EXPONENTIAL, 20, Duration.ofSeconds(1), Duration.ofSeconds(32), 0.2);

  /** A row's attempt is a smallint, and nobody waits for a thousandth attempt. */
  public static final int ATTEMPTS_MAX = 1_000;

  /**
   * @throws IllegalArgumentException naming the field that is out of its bounds
   */
  public RetryPolicy {
    if (maxAttempts < 1 || maxAttempts > ATTEMPTS_MAX) {
      throw new IllegalArgumentException(
          "maxAttempts is 1 to " + ATTEMPTS_MAX + ", not " + maxAttempts);
    }
    if (base.compareTo(Duration.ofMillis(1)) < 0 || base.compareTo(BASE_MAX) > 0) {
      throw new IllegalArgumentException("base is 1ms to 1d");
    }
    if (cap.compareTo(base) < 0 || cap.compareTo(CAP_MAX) > 0) {
      throw new IllegalArgumentException("cap is at least base and at most 30d");
    }
    if (!(jitter >= 0 && jitter <= 1)) {
      throw new IllegalArgumentException("jitter is 0 to 1, not " + jitter);
    }
  }

  /**
   * Reads the JSON shape: every field may be missing. A cap left out is never below the base: a
   * base of {@code "1m"} alone means a constant minute, not an error.
   */
  @JsonCreator
  public static RetryPolicy of(
      @JsonProperty("strategy") @Nullable RetryStrategy strategy,
      @JsonProperty("maxAttempts") @Nullable Integer maxAttempts,
      @JsonProperty("base") @Nullable Duration base,
      @JsonProperty("cap") @Nullable Duration cap,
      @JsonProperty("jitter") @Nullable Double jitter) {
    Duration step = base == null ? DEFAULT.base : base;
    Duration capOrDefault = step.compareTo(DEFAULT.cap) > 0 ? step : DEFAULT.cap;
    return new RetryPolicy(
        strategy == null ? DEFAULT.strategy : strategy,
        maxAttempts == null ? DEFAULT.maxAttempts : maxAttempts,
        step,
        cap == null ? capOrDefault : cap,
        jitter == null ? DEFAULT.jitter : jitter);
  }

  /**
   * Delay before the next attempt: exponential {@code base · 2^(attempt-1)}, linear {@code base ·
   * attempt}, constant {@code base}; at most {@code cap}; less a random share of up to {@code
   * jitter}.
   *
   * @param attempt 1-based number of the attempt that just failed
   * @throws IllegalArgumentException if {@code attempt < 1}
   */
  public Duration after(int attempt, RandomGenerator random) {
    if (attempt < 1) {
      throw new IllegalArgumentException("attempts count from 1, not " + attempt);
    }
    long step = base.toNanos();
    long most = cap.toNanos();
    // neither product is taken when it would overflow; both would be beyond the cap
    long whole =
        switch (strategy) {
          case EXPONENTIAL ->
              attempt - 1 < Long.numberOfLeadingZeros(step) ? step << (attempt - 1) : most;
          case LINEAR -> attempt <= most / step ? step * attempt : most;
          case CONSTANT -> step;
        };
    long capped = Math.min(whole, most);
    return Duration.ofNanos(capped - (long) (capped * jitter * random.nextDouble()));
  }
}
