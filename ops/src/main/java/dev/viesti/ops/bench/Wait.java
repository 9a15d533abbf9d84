package dev.viesti.ops.bench;

import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;

/** Waiting for what another process does. */
final class Wait {
  /** More than the slack of the system's timers (50 µs) and the way back onto a core. */
  private static final long SPIN_NANOS = 150_000;

  private Wait() {}

  /**
   * Looks again and again until {@code done}.
   *
   * @param what for the message: "… after 5 s"
   */
  static void until(Callable<Boolean> done, Duration every, Duration limit, String what)
      throws Exception {
    long deadline = System.nanoTime() + limit.toNanos();
    while (!done.call()) {
      if (System.nanoTime() - deadline > 0) {
        throw new TimeoutException("%s after %d s".formatted(what, limit.toSeconds()));
      }
      last(every);
    }
  }

  /** Lets time pass. */
  static void last(Duration time) throws InterruptedException {
    park(System.nanoTime() + time.toNanos());
  }

  /**
   * Returns at {@link System#nanoTime} {@code at}, to a few microseconds: the last ones are spent
   * looking at the clock, because a thread that is parked comes back late by a fraction of a
   * millisecond.
   */
  static void untilNanoTime(long at) throws InterruptedException {
    park(at - SPIN_NANOS);
    while (at - System.nanoTime() > 0) {
      Thread.onSpinWait();
    }
  }

  private static void park(long until) throws InterruptedException {
    for (long left = until - System.nanoTime(); left > 0; left = until - System.nanoTime()) {
      LockSupport.parkNanos(left);
      if (Thread.interrupted()) {
        throw new InterruptedException();
      }
    }
  }
}
