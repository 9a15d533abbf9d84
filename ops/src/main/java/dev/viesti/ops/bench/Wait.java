package dev.viesti.ops.bench;

import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;

/** Waiting for what another process does. */
final class Wait {
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
    untilNanoTime(System.nanoTime() + time.toNanos());
  }

  /** Returns as soon after {@link System#nanoTime} {@code at} as the system's timers allow. */
  static void untilNanoTime(long at) throws InterruptedException {
    for (long left = at - System.nanoTime(); left > 0; left = at - System.nanoTime()) {
      LockSupport.parkNanos(left);
      if (Thread.interrupted()) {
        throw new InterruptedException();
      }
    }
  }
}
