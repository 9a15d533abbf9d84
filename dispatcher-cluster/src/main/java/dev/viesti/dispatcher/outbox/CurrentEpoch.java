package dev.viesti.dispatcher.outbox;

import java.time.Duration;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The epoch of an outbox, for calls beside its deliveries that write in its name. Thread-safe.
 *
 * <p>It is only what the owner believed a moment ago: what is written under it is checked in its
 * transaction all the same.
 */
public final class CurrentEpoch {
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private volatile long epoch;

  /**
   * @param now 0 while there is none
   */
  void set(long now) {
    if (epoch == now) {
      return;
    }
    lock.lock();
    try {
      epoch = now;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /**
   * Waits until there is an epoch, and another one than {@code stale}; blocks.
   *
   * @param stale one that has turned out not to be the owner's any more; 0 if none has
   * @return 0 when there was none in time
   */
  public long await(long stale, Duration patience) throws InterruptedException {
    long left = patience.toNanos();
    lock.lock();
    try {
      while (epoch == 0 || epoch == stale) {
        if (left <= 0) {
          return 0;
        }
        left = changed.awaitNanos(left);
      }
      return epoch;
    } finally {
      lock.unlock();
    }
  }
}
