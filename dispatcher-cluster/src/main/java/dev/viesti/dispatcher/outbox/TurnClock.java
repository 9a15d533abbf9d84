package dev.viesti.dispatcher.outbox;

import java.time.Clock;
import java.time.Instant;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * What time it is in a turn of an owner. Asked nine times for each event, the system's clock took
 * as much as a thirtieth of two cores; within a turn, which takes milliseconds at most, nothing
 * depends on the difference. Not thread-safe.
 */
final class TurnClock {
  private final Clock clock;
  private final LongSupplier ticker;
  private @Nullable Instant now;
  private long ticks;

  TurnClock(Clock clock, LongSupplier ticker) {
    this.clock = clock;
    this.ticker = ticker;
  }

  /** Another turn, or another part of one, begins. */
  void turn() {
    now = null;
  }

  Instant now() {
    return look();
  }

  /** {@link #now}, by the node's ticker. */
  long ticks() {
    look();
    return ticks;
  }

  private Instant look() {
    Instant known = now;
    if (known == null) {
      known = clock.instant();
      now = known;
      ticks = ticker.getAsLong();
    }
    return known;
  }
}
