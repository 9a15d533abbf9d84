package dev.viesti.dispatcher.execution;

import java.util.ArrayDeque;

/**
 * A node's permits to run, shared fairly by the owners on it: while somebody waits, each permit
 * that comes free goes to the one who has waited longest, one at a time, whatever others would like
 * to take. An owner waits at most once. Thread-safe.
 */
public final class Gate {
  /** Somebody who wants to run. Called with the gate's lock held: may only tell. */
  @FunctionalInterface
  public interface Waiter {
    /** One permit is yours: use it, or release it. */
    void granted();
  }

  private final ArrayDeque<Waiter> waiting = new ArrayDeque<>();
  private final int permits;
  private int free;

  /**
   * @param permits executions that may run on this node at once
   */
  public Gate(int permits) {
    this.permits = permits;
    this.free = permits;
  }

  /**
   * Takes a permit, or gets in line. {@code waiter} must not be in line already.
   *
   * @return false when it waits now; {@link Waiter#granted} comes later
   */
  public synchronized boolean acquire(Waiter waiter) {
    if (free > 0 && waiting.isEmpty()) {
      free--;
      return true;
    }
    waiting.add(waiter);
    return false;
  }

  /** Gives a permit back. */
  public synchronized void release() {
    Waiter first = waiting.poll();
    if (first == null) {
      free++;
    } else {
      first.granted();
    }
  }

  /**
   * Leaves the line.
   *
   * @return false when {@code waiter} was not in it any more: a permit has been granted, and must
   *     be released
   */
  public synchronized boolean leave(Waiter waiter) {
    return waiting.remove(waiter);
  }

  /** Permits in use. */
  public synchronized int used() {
    return permits - free;
  }
}
