package dev.viesti.protocol.delivery;

import dev.viesti.protocol.event.Event;
import dev.viesti.protocol.trigger.TriggerId;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import org.jspecify.annotations.Nullable;

/**
 * One row of an app's outbox. {@code (dueAt, seq, attempt)} is its version: a statement that
 * settles it names all three, and a row that is not hit has been settled by someone else.
 *
 * @param dueAt when the next attempt is due; null means at once, and so does {@link #UNROUTED}
 * @param seq the row's number in its app's outbox: later accepted, larger number
 * @param orderingKey deliveries of one trigger with the same key run strictly one after the other
 * @param attempt attempts that have ended, 0 for a fresh row
 * @param acceptedAt when the event was accepted
 * @param firstAttemptAt when the first attempt began; null while there was none
 * @param lastError why the last attempt failed, at most 2,000 characters
 * @param attempts the failed attempts as a JSON array, newest last
 * @param runningSince when an attempt began that the table knows of and that has not ended; null
 *     for nearly all rows, also for most that run
 */
public record Delivery(
    @Nullable Instant dueAt,
    long seq,
    Event event,
    TriggerId trigger,
    @Nullable String orderingKey,
    int attempt,
    Instant acceptedAt,
    @Nullable Instant firstAttemptAt,
    @Nullable String lastError,
    @Nullable String attempts,
    @Nullable Instant runningSince) {
  /**
   * The due time ({@code infinity}) of a row that a client wrote and that runs as it is: it keeps
   * this until it is settled, or retried at a time of its own.
   */
  public static final Instant UNROUTED = Instant.MAX;

  /**
   * When a delivery is due that was given up on and blocks its ordering key: never by itself. Not
   * later, so that it is exact in the table.
   */
  public static final Instant BLOCKED_UNTIL = Instant.parse("2250-01-01T00:00:00Z");

  /** A row that was just accepted. */
  public static Delivery fresh(
      long seq, Event event, TriggerId trigger, @Nullable String orderingKey, Instant acceptedAt) {
    Instant wish = event.deliverAt();
    Instant due =
        wish == null || !wish.isAfter(acceptedAt) ? null : wish.truncatedTo(ChronoUnit.MICROS);
    return new Delivery(
        due, seq, event, trigger, orderingKey, 0, acceptedAt, null, null, null, null);
  }

  public DeliveryId id() {
    return DeliveryId.of(event.id(), trigger);
  }

  /** 1-based number of the attempt that runs next or runs now. */
  public int nextAttempt() {
    return attempt + 1;
  }

  /** Whether the row is where a client wrote it, and not among the owner's own. */
  public boolean isUnrouted() {
    return UNROUTED.equals(dueAt);
  }

  /** When the next attempt may begin; null means at once. */
  public @Nullable Instant waitsUntil() {
    return isUnrouted() ? null : dueAt;
  }

  /** What the row weighs in its owner's memory, in bytes; see {@link Event#weight()}. */
  public int weight() {
    return event.weight()
        + 120
        + (lastError == null ? 0 : lastError.length())
        + (attempts == null ? 0 : attempts.length());
  }

  /** The row after a failed attempt that began at {@code startedAt}. */
  public Delivery retriedAt(
      Instant due, Instant startedAt, String error, @Nullable String attemptLog) {
    return version(due, attempt + 1, firstOr(startedAt), error, attemptLog, null);
  }

  /** The row after an attempt that did not take place. */
  public Delivery postponedTo(Instant due, String reason) {
    return version(due, attempt, firstAttemptAt, reason, attempts, null);
  }

  /** The row made due at another time by an operator; attempts stay as they are. */
  public Delivery dueAt(@Nullable Instant due) {
    return version(due, attempt, firstAttemptAt, lastError, attempts, null);
  }

  /** The row while an attempt runs that began at {@code since}, as the table knows it. */
  public Delivery running(@Nullable Instant since) {
    return version(dueAt, attempt, firstAttemptAt, lastError, attempts, since);
  }

  /**
   * The row while somebody is expected to tell the outcome of the attempt that began at {@code
   * since}.
   */
  public Delivery deferredUntil(Instant deadline, Instant since) {
    return version(deadline, attempt, firstOr(since), lastError, attempts, since);
  }

  private Instant firstOr(Instant startedAt) {
    return firstAttemptAt == null ? startedAt : firstAttemptAt;
  }

  /** The same delivery with all that attempts and operators may change. */
  private Delivery version(
      @Nullable Instant due,
      int ended,
      @Nullable Instant firstAt,
      @Nullable String error,
      @Nullable String log,
      @Nullable Instant since) {
    return new Delivery(
        due, seq, event, trigger, orderingKey, ended, acceptedAt, firstAt, error, log, since);
  }

  /** Whether somebody is expected to tell the outcome of its attempt until {@link #dueAt}. */
  public boolean isDeferred() {
    return runningSince != null && dueAt != null && !isUnrouted() && runningSince.isBefore(dueAt);
  }

  /**
   * Whether it was published for later and has not been tried, so it has not joined its key yet.
   */
  public boolean isDelayed() {
    return dueAt != null
        && !isUnrouted()
        && attempt == 0
        && lastError == null
        && runningSince == null;
  }

  /**
   * Whether it was given up on, and blocks its ordering key until somebody retries or cancels it.
   */
  public boolean isBlocked() {
    return BLOCKED_UNTIL.equals(dueAt);
  }
}
