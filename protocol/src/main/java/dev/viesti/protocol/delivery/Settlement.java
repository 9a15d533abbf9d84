package dev.viesti.protocol.delivery;

import dev.viesti.protocol.trigger.RetryPolicy;
import java.time.Duration;
import java.time.Instant;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * What follows from an outcome. The whole life of a delivery is {@link #after}:
 *
 * <pre>
 *   waiting ──attempt──▶ succeeded              ▶ Settled
 *                        permanent              ▶ DeadLettered
 *                        retryable, timed out   ▶ Retried while attempts are left, else DeadLettered
 *   waiting or running ──operator──▶ Cancelled
 * </pre>
 */
public sealed interface Settlement {
  /** Longest error kept. A stack trace's head fits; a page of them does not belong in a row. */
  int ERROR_MAX = 2_000;

  /** Longest wish of an endpoint that is honoured; a longer one would hide a mistake for days. */
  Duration RETRY_AFTER_MAX = Duration.ofHours(24);

  /** The row goes. */
  record Settled() implements Settlement {}

  /** The row stays, due at {@code dueAt}. */
  record Retried(Instant dueAt, String error) implements Settlement {}

  /** The row moves to the dead letters. */
  record DeadLettered(String error) implements Settlement {}

  /** The row goes on an operator's word. */
  record Cancelled() implements Settlement {}

  /**
   * @param attempt 1-based number of the attempt that ended
   * @param at when it ended
   */
  static Settlement after(
      int attempt, Outcome outcome, RetryPolicy policy, Instant at, RandomGenerator random) {
    return switch (outcome) {
      case Outcome.Succeeded succeeded -> new Settled();
      case Outcome.Permanent permanent -> new DeadLettered(cut(permanent.reason()));
      case Outcome.Retryable retryable ->
          again(attempt, retryable.reason(), retryable.retryAfter(), policy, at, random);
      case Outcome.TimedOut timedOut ->
          again(
              attempt,
              "timed out after " + timedOut.after().toMillis() + " ms",
              null,
              policy,
              at,
              random);
    };
  }

  private static Settlement again(
      int attempt,
      String reason,
      @Nullable Duration wish,
      RetryPolicy policy,
      Instant at,
      RandomGenerator random) {
    if (attempt >= policy.maxAttempts()) {
      return new DeadLettered(cut(reason));
    }
    Duration delay = policy.after(attempt, random);
    if (wish != null && wish.compareTo(delay) > 0) {
      delay = wish.compareTo(RETRY_AFTER_MAX) > 0 ? RETRY_AFTER_MAX : wish;
    }
    return new Retried(at.plus(delay), cut(reason));
  }

  /** At most {@link #ERROR_MAX} characters, and none that PostgreSQL cannot store. */
  private static String cut(String reason) {
    String storable = reason.replace('\0', '\uFFFD');
    return storable.length() <= ERROR_MAX ? storable : storable.substring(0, ERROR_MAX);
  }
}
