package dev.viesti.dispatcher.outbox;

import static java.util.concurrent.TimeUnit.NANOSECONDS;

import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;

/**
 * Wakes an owner when something of its becomes due: to the millisecond, by the node's alarms,
 * because a scheduled delivery is promised that. Belongs to one {@link Outbox} and is called on its
 * thread only.
 */
final class AlarmClock {
  private static final Duration LEAST = Duration.ofMillis(1);

  private final OutboxParts parts;
  private @Nullable Instant wakesAt;
  private @Nullable Future<?> alarm;
  private @Nullable Instant clientRowsAt;

  AlarmClock(OutboxParts parts) {
    this.parts = parts;
  }

  /** Sends {@link Outbox.Due} at {@code next}, and not before; null means never. */
  void wakeAt(@Nullable Instant next) {
    if (Objects.equals(next, wakesAt)) {
      return;
    }
    cancel();
    wakesAt = next;
    if (next != null) {
      long until = Duration.between(parts.now(), next).toNanos();
      PostBox posts = parts.posts();
      alarm =
          parts.owners().alarms().schedule(() -> posts.post(new Outbox.Due()), until, NANOSECONDS);
    }
  }

  /** It has rung. */
  void rang() {
    wakesAt = null;
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
    if (alarm != null) {
      alarm.cancel(false);
      alarm = null;
    }
  }

  static @Nullable Instant earlier(@Nullable Instant one, @Nullable Instant other) {
    if (one == null) {
      return other;
    }
    return other == null || one.isBefore(other) ? one : other;
  }
}
