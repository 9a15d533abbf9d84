package dev.viesti.dispatcher.outbox;

import static java.util.concurrent.TimeUnit.NANOSECONDS;

import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;

/**
 * Wakes an owner every now and then, and when something of its becomes due: to the millisecond, by
 * the node's alarms, because a scheduled delivery is promised that. Belongs to one {@link Outbox}
 * and is called on its thread only.
 */
final class AlarmClock {
  private static final Duration LEAST = Duration.ofMillis(1);

  private static final Duration LOOK_EVERY = Duration.ofSeconds(1);

  private final OutboxParts parts;
  private @Nullable Instant dueAt;
  private @Nullable Future<?> due;
  private @Nullable Long allowedAt;
  private @Nullable Future<?> allowed;
  private @Nullable Instant clientRowsAt;

  AlarmClock(OutboxParts parts) {
    this.parts = parts;
  }

  /** Begins what is sent every now and then, as long as the owner lives. */
  void start() {
    parts.timers().startTimerWithFixedDelay(new Outbox.Look(), LOOK_EVERY);
    parts
        .timers()
        .startTimerWithFixedDelay(
            new Outbox.ClientRowsMayWait(), parts.settings().clientRowsInterval());
  }

  /** Sends {@link Outbox.Due} at {@code next}, and not before; null means never. */
  void wakeAt(@Nullable Instant next) {
    if (!Objects.equals(next, dueAt)) {
      dueAt = next;
      cancel(due);
      due =
          next == null
              ? null
              : ring(Duration.between(parts.now(), next).toNanos(), new Outbox.Due());
    }
  }

  /** That has rung. */
  void rang() {
    dueAt = null;
  }

  /** Sends {@link Outbox.RateAllows} at {@code next} of the node's ticker; null means never. */
  void rateAllowsAt(@Nullable Long next) {
    if (!Objects.equals(next, allowedAt)) {
      allowedAt = next;
      cancel(allowed);
      allowed = next == null ? null : ring(next - parts.ticks(), new Outbox.RateAllows());
    }
  }

  /** That has rung. */
  void rateRang() {
    allowedAt = null;
  }

  private Future<?> ring(long nanos, Outbox.Command command) {
    PostBox posts = parts.posts();
    return parts.owners().alarms().schedule(() -> posts.post(command), nanos, NANOSECONDS);
  }

  /** Sends {@link ClientRowIntake.Owed} at about {@code next}; null changes nothing. */
  void readClientRowsAt(@Nullable Instant next) {
    if (next != null && !next.equals(clientRowsAt)) {
      clientRowsAt = next;
      Duration until = Duration.between(parts.now(), next);
      parts
          .timers()
          .startSingleTimer(
              ClientRowIntake.Owed.class,
              new ClientRowIntake.Owed(),
              until.isPositive() ? until : LEAST);
    }
  }

  /** That has rung. */
  void clientRowsRang() {
    clientRowsAt = null;
  }

  void cancel() {
    cancel(due);
    cancel(allowed);
  }

  private static void cancel(@Nullable Future<?> alarm) {
    if (alarm != null) {
      alarm.cancel(false);
    }
  }

  static @Nullable Instant earlier(@Nullable Instant one, @Nullable Instant other) {
    if (one == null) {
      return other;
    }
    return other == null || one.isBefore(other) ? one : other;
  }
}
