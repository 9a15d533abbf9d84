package dev.viesti.dispatcher.execution;

import java.util.Comparator;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * A node's permits to run, shared by the owners on it. While owners wait, permits that come free go
 * to them in proportion to their weights, several at a time: start-time fair queueing (Goyal, Vin
 * and Cheng 1996), in which a grant of n moves an owner back by n/weight. Who comes back after a
 * while has no credit for it. An owner is called once for all that it was granted until it looks.
 * Thread-safe.
 */
public final class Gate {
  /**
   * Permits per weight that go to one owner at a time, and that it may keep for its next attempts
   * while others wait that run something already. Larger ones make fewer calls; they make who waits
   * wait for so many ends of attempts.
   */
  static final int QUANTUM = 8;

  /** An owner's place in the line. Made by {@link #place}; for that gate only. */
  public static final class Place {
    private final Runnable granted;
    private int weight = 1;
    private int wanted;
    private int given;
    private int used;
    private double start;
    private long arrived;
    private boolean called;

    private Place(Runnable granted) {
      this.granted = granted;
    }

    private int quantum() {
      return QUANTUM * weight;
    }
  }

  private final TreeSet<Place> line =
      new TreeSet<>(
          Comparator.comparingDouble((Place place) -> place.start)
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
   * @param granted called when permits are the owner's, which {@link #exchange} hands over; not
   *     again before that. With the gate's lock held, so it may only tell
   */
  public Place place(Runnable granted) {
    return new Place(granted);
  }

  /** From its next turn on, the owner's share is in proportion to {@code weight}, 1 or more. */
  public synchronized void weigh(Place place, int weight) {
    place.weight = weight;
  }

  /**
   * Gives permits back and takes others.
   *
   * @param back permits that the owner has and does not need any more
   * @param wanted how many it could use now; for those that it does not get it waits in line, and 0
   *     leaves the line
   * @return permits that it has from now on, in addition. With those it was granted before there
   *     may be more than it wants: it gives them back at once
   */
  public synchronized int exchange(Place place, int back, int wanted) {
    free += back;
    place.used -= back;
    int granted = collect(place);
    want(place, Math.max(0, wanted - granted));
    keep(place, back);
    while (free > 0 && !line.isEmpty()) {
      Place first = line.first();
      give(first, Math.min(free, first.quantum()), place);
    }
    return granted + collect(place);
  }

  /** Leaves the line for good, and gives back what it has and what it was granted. */
  public synchronized void leave(Place place, int back) {
    int unused = exchange(place, back, 0);
    if (unused > 0) {
      exchange(place, unused, 0);
    }
  }

  private static int collect(Place place) {
    int given = place.given;
    place.given = 0;
    place.called = false;
    return given;
  }

  private void want(Place place, int wanted) {
    boolean waits = place.wanted > 0;
    if (waits == (wanted > 0)) {
      place.wanted = wanted; // it keeps its place in the line
      return;
    }
    if (waits) {
      line.remove(place);
    }
    place.wanted = wanted;
    if (!waits) {
      place.start = Math.max(now, place.start);
      place.arrived = arrivals++;
      line.add(place);
    }
  }

  /**
   * Who gives permits back may have them again before others are called, unless somebody waits who
   * runs nothing, or it is a quantum ahead of who is first.
   */
  private void keep(Place place, int back) {
    if (place.wanted == 0 || back == 0) {
      return;
    }
    Place first = line.first();
    double ahead = place.start - first.start;
    if (first != place && first.used > 0 && ahead < QUANTUM) {
      give(place, Math.min(Math.min(back, free), place.quantum()), place);
    }
  }

  /**
   * @param caller need not be called
   */
  private void give(Place place, int most, @Nullable Place caller) {
    int count = Math.min(most, place.wanted);
    line.remove(place);
    now = Math.max(now, place.start);
    place.start += (double) count / place.weight;
    place.wanted -= count;
    place.given += count;
    place.used += count;
    free -= count;
    if (place.wanted > 0) {
      place.arrived = arrivals++;
      line.add(place);
    }
    if (place != caller && !place.called) {
      place.called = true;
      place.granted.run();
    }
  }

  /** Permits in use, or granted to who has not looked yet. */
  public synchronized int used() {
    return permits - free;
  }
}
