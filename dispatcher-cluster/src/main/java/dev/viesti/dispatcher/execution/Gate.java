package dev.viesti.dispatcher.execution;

import java.util.Comparator;
import java.util.PriorityQueue;

/**
 * A node's permits to run, shared by the owners on it. While owners wait, permits that come free go
 * to them one at a time in proportion to their weights: start-time fair queueing (Goyal, Vin and
 * Cheng 1996), in which each grant moves an owner back by 1/weight. Who comes back after a while
 * has no credit for it. An owner waits at most once. Thread-safe.
 */
public final class Gate {
  /** An owner's place in the line. Made by {@link #place}; for that gate only. */
  public static final class Place {
    private final Runnable granted;
    private int weight = 1;
    private double turn;
    private long arrived;
    private boolean waiting;

    private Place(Runnable granted) {
      this.granted = granted;
    }
  }

  private final PriorityQueue<Place> line =
      new PriorityQueue<>(
          Comparator.comparingDouble((Place place) -> place.turn)
              .thenComparingLong(place -> place.arrived));
  private final int permits;
  private int free;
  private double now;
  private long arrivals;

  /**
   * @param permits executions that may run on this node at once
   */
  public Gate(int permits) {
    this.permits = permits;
    this.free = permits;
  }

  /**
   * A place for an owner, out of line, with weight 1.
   *
   * @param granted called when one permit is the owner's, to be used or released; with the gate's
   *     lock held, so it may only tell
   */
  public Place place(Runnable granted) {
    return new Place(granted);
  }

  /** From its next turn on, the owner's share is in proportion to {@code weight}, 1 or more. */
  public synchronized void weigh(Place place, int weight) {
    place.weight = weight;
  }

  /**
   * Takes a permit, or gets in line. The place must not be in line already.
   *
   * @return false when it waits now; {@code granted} will be called
   */
  public synchronized boolean acquire(Place place) {
    if (free > 0 && line.isEmpty()) {
      free--;
      return true;
    }
    place.turn = Math.max(now, place.turn) + 1.0 / place.weight;
    place.arrived = arrivals++;
    place.waiting = true;
    line.add(place);
    return false;
  }

  /** Gives a permit back. */
  public synchronized void release() {
    Place first = line.poll();
    if (first == null) {
      free++;
    } else {
      now = first.turn;
      first.waiting = false;
      first.granted.run();
    }
  }

  /**
   * Leaves the line.
   *
   * @return false when it was not in it any more: a permit has been granted, and must be released
   */
  public synchronized boolean leave(Place place) {
    if (place.waiting) {
      place.waiting = false;
      return line.remove(place);
    }
    return false;
  }

  /** Permits in use. */
  public synchronized int used() {
    return permits - free;
  }
}
