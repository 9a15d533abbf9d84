package dev.viesti.protocol.delivery;

import dev.viesti.protocol.trigger.RetryPolicy;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * What follows from an outcome. But for an operator's cancelling, the whole life of a delivery is
 * {@link #after}:
 *
 * <pre>
 *   waiting ──attempt──▶ succeeded              ▶ Settled
 *                        permanent              ▶ DeadLettered
 *                        retryable, timed out,
 *                        crashed                ▶ Retried while attempts are left, else DeadLettered
 *                        postponed, snoozed     ▶ Postponed
 *                        deferred               ▶ Deferred, until somebody tells or it is timed out
 * </pre>
 */
public sealed interface Settlement {
  /** Longest error kept. A stack trace's head fits; a page of them does not belong in a row. */
  int ERROR_MAX = 2_000;

  /** What a delivery says whose target wants to be called again later. */
  String SNOOZED = "snoozed by its target";

  /** Longest wish of an endpoint that is honoured; a longer one would hide a mistake for days. */
  Duration RETRY_AFTER_MAX = Duration.ofHours(24);

  /** The row goes. */
  record Settled() implements Settlement {}

  /** The row stays, due at {@code dueAt}. */
  record Retried(Instant dueAt, String error) implements Settlement {}

  /** The row stays, due at {@code dueAt}, with no attempt counted. */
  record Postponed(Instant dueAt, String reason) implements Settlement {}

  /**
   * The row stays; the attempt goes on until somebody tells its outcome, or until {@code deadline}.
   */
  record Deferred(Instant deadline) implements Settlement {}

  /** The row moves to the dead letters. */
  record DeadLettered(String error) implements Settlement {}

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
      case Outcome.Postponed postponed ->
          new Postponed(due(at, postponed.by()), cut(postponed.reason()));
      case Outcome.Snoozed snoozed -> new Postponed(due(at, snoozed.by()), SNOOZED);
      case Outcome.Deferred deferred -> new Deferred(due(at, deferred.deadline()));
      case Outcome.Crashed crashed ->
          again(attempt, Outcome.Crashed.REASON, null, policy, at, random);
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
    if (wish != null) {
      Duration honoured = wish.compareTo(RETRY_AFTER_MAX) > 0 ? RETRY_AFTER_MAX : wish;
      delay = honoured.compareTo(delay) > 0 ? honoured : delay;
    }
    return new Retried(due(at, delay), cut(reason));
  }

  /** The table keeps microseconds, and a row is found again by this very time. */
  private static Instant due(Instant at, Duration delay) {
    return at.plus(delay).truncatedTo(ChronoUnit.MICROS);
  }

  /**
   * At most {@link #ERROR_MAX} characters, and none that PostgreSQL cannot store: no U+0000 and no
   * half of a surrogate pair, nor one made by cutting.
   */
  private static String cut(String reason) {
    String head = reason;
    if (reason.length() > ERROR_MAX) {
      boolean inside = Character.isHighSurrogate(reason.charAt(ERROR_MAX - 1));
      head = reason.substring(0, inside ? ERROR_MAX - 1 : ERROR_MAX);
    }
    var storable = new StringBuilder(head.length());
    head.codePoints()
        .map(c -> c == 0 || (c >= 0xD800 && c <= 0xDFFF) ? 0xFFFD : c)
        .forEach(storable::appendCodePoint);
    return storable.toString();
  }
}
