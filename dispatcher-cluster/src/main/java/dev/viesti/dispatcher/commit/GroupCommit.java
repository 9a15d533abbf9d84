package dev.viesti.dispatcher.commit;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Natural batching on threads of its own, the lanes: whatever arrived while commits were under way
 * is the next group. Groups are <em>taken</em> in the order of submission; with more than one lane
 * they may be durable in another one.
 *
 * @param <T> what is submitted
 * @param <G> a group that was taken
 */
final class GroupCommit<T, G> {
  /** What a lane does. */
  interface Work<T, G> {
    /**
     * Makes the group; called for one group after the other, in the order of submission. May ask
     * the database.
     */
    G take(List<T> items);

    /** Makes it durable and tells those who wait. Must not throw. */
    void commit(G group);
  }

  /**
   * @param groupMax a group is closed by the item that takes its weight to this
   * @param queueMax nothing more is taken while this weight waits
   * @param pause least time between the starts of two commits of a lane: it makes groups larger and
   *     costs latency only to those who wait for the commit
   * @param gather how long a lane that is the only busy one waits for as many items as went into
   *     the group before: whoever waited for that commit is likely to come back. Without it,
   *     callers that wait for their answers part into two halves, each of which waits for the
   *     commit of the other as well as for its own
   * @param lanes how many commits may be under way at once
   * @param furtherLaneAt a lane joins others that are busy only when this weight waits: small
   *     commits beside each other cost more than one after the other
   */
  record Limits(
      long groupMax,
      long queueMax,
      Duration pause,
      Duration gather,
      int lanes,
      long furtherLaneAt) {}

  /**
   * A thread, and whether it waits. The first one that waits is woken: as long as one is enough, it
   * is always the same, with the same connection and warm caches at both ends.
   */
  private final class Lane {
    final Thread thread;
    final Condition arrived = lock.newCondition();
    boolean waits;
    boolean isBusy;

    Lane(String name) {
      thread = Thread.ofPlatform().name(name).daemon().unstarted(this::run);
    }

    private void run() {
      GroupCommit.this.run(this);
    }
  }

  private static final Logger LOG = LoggerFactory.getLogger(GroupCommit.class);

  private final ReentrantLock lock = new ReentrantLock();

  /** Held from the taking of items to the end of {@link Work#take}; taken before {@link #lock}. */
  private final ReentrantLock making = new ReentrantLock();

  private final List<Lane> lanes = new ArrayList<>();
  private final Condition closing = lock.newCondition();
  private final ArrayDeque<T> waiting = new ArrayDeque<>();
  private final Limits limits;
  private final ToLongFunction<T> weight;
  private final Work<T, G> work;
  private long waitingWeight;
  private int busy;
  private boolean closed;

  /** The lane that waits for more, until {@link #expected} items are there. */
  private @Nullable Lane gathering;

  private int expected;

  GroupCommit(String name, Limits limits, ToLongFunction<T> weight, Work<T, G> work) {
    this.limits = limits;
    this.weight = weight;
    this.work = work;
    for (int lane = 1; lane <= limits.lanes(); lane++) {
      lanes.add(new Lane(name + "-" + lane));
    }
  }

  void start() {
    lanes.forEach(lane -> lane.thread.start());
  }

  /**
   * @return false when too much waits or the lanes are closed: nothing was taken
   */
  boolean submit(T item) {
    lock.lock();
    try {
      if (closed || waitingWeight >= limits.queueMax()) {
        return false;
      }
      waiting.add(item);
      waitingWeight += weight.applyAsLong(item);
      wake();
      return true;
    } finally {
      lock.unlock();
    }
  }

  /** Waits on a lane's own thread, as a failed commit does before it tries again. */
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

  private void run(Lane lane) {
    long startedAt = System.nanoTime() - limits.pause().toNanos();
    try {
      while (true) {
        G group = next(lane, startedAt);
        if (group == null) {
          return;
        }
        startedAt = System.nanoTime();
        work.commit(group);
      }
    } catch (InterruptedException stop) {
      LOG.debug("lane {} was interrupted", Thread.currentThread().getName());
    } catch (RuntimeException bug) {
      LOG.error(
          "lane {} ends because of a bug; this node accepts and settles nothing more",
          Thread.currentThread().getName(),
          bug);
      throw bug;
    }
  }

  private void wake() {
    if (gathering != null) {
      if (isGathered()) {
        gathering.arrived.signal();
      }
      return;
    }
    if (!mayTake()) {
      return;
    }
    for (Lane lane : lanes) {
      if (lane.waits) {
        lane.waits = false;
        lane.arrived.signal();
        return;
      }
    }
  }

  /** Whether every lane waits for something to do. */
  boolean isIdle() {
    lock.lock();
    try {
      return lanes.stream().allMatch(lane -> lane.waits);
    } finally {
      lock.unlock();
    }
  }

  private boolean mayTake() {
    return !waiting.isEmpty() && (busy == 0 || waitingWeight >= limits.furtherLaneAt());
  }

  /**
   * The next group, after the one before is done; null when the lanes are closed and nothing waits.
   * Whoever submits does not wait while it is made.
   */
  private @Nullable G next(Lane lane, long lastStart) throws InterruptedException {
    while (mayGoOn(lane, lastStart)) {
      making.lock();
      try {
        List<T> items = remove();
        if (!items.isEmpty()) {
          return work.take(items);
        }
      } finally {
        making.unlock();
      }
    }
    return null;
  }

  /** Waits until the lane may take what waits; false when the lanes are closed and nothing does. */
  private boolean mayGoOn(Lane lane, long lastStart) throws InterruptedException {
    lock.lock();
    try {
      if (lane.isBusy) {
        lane.isBusy = false;
        busy--;
      }
      while (!mayTake()) {
        if (closed && waiting.isEmpty()) {
          lanes.forEach(other -> other.arrived.signal());
          return false;
        }
        lane.waits = true;
        lane.arrived.await();
        lane.waits = false;
      }
      lane.isBusy = true;
      busy++;
      gather(lane);
      long rest = lastStart + limits.pause().toNanos() - System.nanoTime();
      while (rest > 0 && !closed) {
        rest = closing.awaitNanos(rest);
      }
      return true;
    } finally {
      lock.unlock();
    }
  }

  /** Waits for those who are likely to come; when they do not, half of them are expected next. */
  private void gather(Lane lane) throws InterruptedException {
    long left = limits.gather().toNanos();
    if (left > 0 && busy == 1) {
      gathering = lane;
      try {
        while (left > 0 && !isGathered()) {
          left = lane.arrived.awaitNanos(left);
        }
      } finally {
        gathering = null;
      }
    }
    expected = Math.max(waiting.size(), expected / 2);
  }

  /** How many items a lane waits for, by what went into the groups before. */
  int expected() {
    lock.lock();
    try {
      return expected;
    } finally {
      lock.unlock();
    }
  }

  private boolean isGathered() {
    return closed || waiting.size() >= expected || waitingWeight >= limits.furtherLaneAt();
  }

  /** What goes into a group; another lane is woken for what it leaves. */
  private List<T> remove() {
    lock.lock();
    try {
      List<T> items = new ArrayList<>();
      long taken = 0;
      while (!waiting.isEmpty() && taken < limits.groupMax()) {
        T item = waiting.remove();
        long itemWeight = weight.applyAsLong(item);
        taken += itemWeight;
        waitingWeight -= itemWeight;
        items.add(item);
      }
      wake();
      return items;
    } finally {
      lock.unlock();
    }
  }

  /** Takes no more, commits what waits, and ends; waits for that at most {@code deadline}. */
  void close(Duration deadline) {
    lock.lock();
    try {
      closed = true;
      lanes.forEach(lane -> lane.arrived.signal());
      closing.signalAll();
    } finally {
      lock.unlock();
    }
    long end = System.nanoTime() + deadline.toNanos();
    try {
      for (Lane lane : lanes) {
        if (!lane.thread.join(Duration.ofNanos(Math.max(1, end - System.nanoTime())))) {
          lane.thread.interrupt();
        }
      }
    } catch (InterruptedException stop) {
      Thread.currentThread().interrupt();
    }
  }
}
