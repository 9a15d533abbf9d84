package dev.viesti.protocol.delivery;

import dev.viesti.protocol.event.Event;
import dev.viesti.protocol.trigger.TriggerId;
import java.time.Instant;
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
    @Nullable String attempts) {
  /**
   * The due time ({@code infinity}) of a row that a client wrote and that runs as it is: it keeps
   * this until it is settled, or retried at a time of its own.
   */
  public static final Instant UNROUTED = Instant.MAX;

  /** A row that was just accepted. */
  public static Delivery fresh(
      long seq, Event event, TriggerId trigger, @Nullable String orderingKey, Instant acceptedAt) {
    return new Delivery(null, seq, event, trigger, orderingKey, 0, acceptedAt, null, null, null);
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
    return new Delivery(
        due,
        seq,
        event,
        trigger,
        orderingKey,
        attempt + 1,
        acceptedAt,
        firstAttemptAt == null ? startedAt : firstAttemptAt,
        error,
        attemptLog);
  }

  /** The row after an attempt that did not take place. */
  public Delivery postponedTo(Instant due, String reason) {
    return new Delivery(
        due,
        seq,
        event,
        trigger,
        orderingKey,
        attempt,
        acceptedAt,
        firstAttemptAt,
        reason,
        attempts);
  }

  /** The row made due at another time by an operator; attempts stay as they are. */
  public Delivery dueAt(@Nullable Instant due) {
    return new Delivery(
        due,
        seq,
        event,
        trigger,
        orderingKey,
        attempt,
        acceptedAt,
        firstAttemptAt,
        lastError,
        attempts);
  }
}
