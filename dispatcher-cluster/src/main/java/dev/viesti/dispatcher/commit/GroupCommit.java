package dev.viesti.dispatcher.commit;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.ToLongFunction;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Natural batching on one thread, the lane: whatever arrived while a commit was under way is the
 * next group. One lane keeps groups in the order of submission.
 */
final class GroupCommit<T> {
  /** Makes a group durable and tells those who wait. Must not throw. */
  interface Commit<T> {
    void commit(List<T> group);
  }

  /**
   * @param groupMax a group is closed by the item that takes its weight to this
   * @param queueMax nothing more is taken while this weight waits
   * @param pause least time between the starts of two commits: it makes groups larger and costs
   *     latency only to those who wait for the commit
   */
  record Limits(long groupMax, long queueMax, Duration pause) {}

  private static final Logger LOG = LoggerFactory.getLogger(GroupCommit.class);

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition arrived = lock.newCondition();
  private final Condition closing = lock.newCondition();
  private final ArrayDeque<T> waiting = new ArrayDeque<>();
  private final Limits limits;
  private final ToLongFunction<T> weight;
  private final Commit<T> commit;
  private final Thread lane;
  private long waitingWeight;
  private boolean closed;

  GroupCommit(String name, Limits limits, ToLongFunction<T> weight, Commit<T> commit) {
    this.limits = limits;
    this.weight = weight;
    this.commit = commit;
    this.lane = Thread.ofPlatform().name(name).daemon().unstarted(this::run);
  }

  void start() {
    lane.start();
  }

  /**
   * @return false when too much waits or the lane is closed: nothing was taken
   */
  boolean submit(T item) {
    lock.lock();
    try {
      if (closed || waitingWeight >= limits.queueMax()) {
        return false;
      }
      waiting.add(item);
      waitingWeight += weight.applyAsLong(item);
      if (waiting.size() == 1) {
        arrived.signal();
      }
      return true;
    } finally {
      lock.unlock();
    }
  }

  /** Waits on the lane's own thread, as a failed commit does before it tries again. */
  boolean sleep(Duration duration) {
    lock.lock();
    try {
      long left = duration.toNanos();
      while (left > 0 && !closed) {
        left = closing.awaitNanos(left);
      }
      return !closed;
    } catch (InterruptedException stop) {
      Thread.currentThread().interrupt();
      return false;
    } finally {
      lock.unlock();
    }
  }

  private void run() {
    List<T> group = new ArrayList<>();
    long startedAt = System.nanoTime() - limits.pause().toNanos();
    try {
      while (await(startedAt)) {
        startedAt = System.nanoTime();
        take(group);
        commit.commit(group);
        group.clear();
      }
    } catch (InterruptedException stop) {
      LOG.debug("lane {} was interrupted", lane.getName());
    } catch (RuntimeException bug) {
      LOG.error(
          "lane {} ends because of a bug; this node accepts and settles nothing more",
          lane.getName(),
          bug);
      throw bug;
    }
  }

  private boolean await(long lastStart) throws InterruptedException {
    lock.lock();
    try {
      while (waiting.isEmpty() && !closed) {
        arrived.await();
      }
      long rest = lastStart + limits.pause().toNanos() - System.nanoTime();
      while (rest > 0 && !closed) {
        rest = closing.awaitNanos(rest);
      }
      return !waiting.isEmpty();
    } finally {
      lock.unlock();
    }
  }

  private void take(List<T> group) {
    lock.lock();
    try {
      long taken = 0;
      while (!waiting.isEmpty() && taken < limits.groupMax()) {
        T item = waiting.remove();
        long itemWeight = weight.applyAsLong(item);
        taken += itemWeight;
        waitingWeight -= itemWeight;
        group.add(item);
      }
    } finally {
      lock.unlock();
    }
  }

  /** Takes no more, commits what waits, and ends; waits for that at most {@code deadline}. */
  void close(Duration deadline) {
    lock.lock();
    try {
      closed = true;
      arrived.signalAll();
      closing.signalAll();
    } finally {
      lock.unlock();
    }
    try {
      if (!lane.join(deadline)) {
        lane.interrupt();
      }
    } catch (InterruptedException stop) {
      Thread.currentThread().interrupt();
    }
  }
}
