package dev.viesti.ops.e2e;

import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.locks.LockSupport;

/** Waiting for what happens elsewhere. */
final class Await {
  private static final Duration LOOK_EVERY = Duration.ofMillis(25);

  private Await() {}

  /**
   * @return how long it took
   */
  static Duration until(String what, Duration limit, Callable<Boolean> happened) throws Exception {
    long started = System.nanoTime();
    while (!happened.call()) {
      if (System.nanoTime() - started > limit.toNanos()) {
        throw new AssertionError("not within " + limit.toSeconds() + " s: " + what);
      }
      pause(LOOK_EVERY);
    }
    return Duration.ofNanos(System.nanoTime() - started);
  }

  static void pause(Duration duration) {
    long end = System.nanoTime() + duration.toNanos();
    for (long left = duration.toNanos(); left > 0; left = end - System.nanoTime()) {
      LockSupport.parkNanos(left);
      if (Thread.currentThread().isInterrupted()) {
        return;
      }
    }
  }
}
