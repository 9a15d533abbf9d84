package dev.viesti.ops.bench;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLongArray;

/** When each of a run's events first came to its endpoint. Thread-safe. */
final class Arrivals {
  private static final Duration LOOK_EVERY = Duration.ofMillis(5);

  private final byte[] mark;

  /** {@link System#nanoTime}, 0 = not yet. */
  private final AtomicLongArray at;

  private final AtomicInteger distinct = new AtomicInteger();
  private final AtomicInteger repeated = new AtomicInteger();

  /**
   * @param run the run's name, as {@link Events} writes it into ids
   * @param events numbered from 0
   */
  Arrivals(String run, int events) {
    this.mark = ("\"" + run + "-").getBytes(StandardCharsets.US_ASCII);
    this.at = new AtomicLongArray(events);
  }

  /** Events of another run are not counted. */
  void note(MessageReader request, long nanoTime) {
    int index = request.numberAfter(mark);
    if (index < 0 || index >= at.length()) {
      return;
    }
    if (at.compareAndSet(index, 0, nanoTime)) {
      distinct.incrementAndGet();
    } else {
      repeated.incrementAndGet();
    }
  }

  /** Different events so far. */
  int distinct() {
    return distinct.get();
  }

  /** Requests for events that had come already. */
  int repeated() {
    return repeated.get();
  }

  /** {@link System#nanoTime} of the event's first arrival; 0 = it has not come. */
  long at(int index) {
    return at.get(index);
  }

  /** The latest first arrival; 0 when nothing has come. */
  long last() {
    long last = 0;
    for (int i = 0; i < at.length(); i++) {
      long one = at.get(i);
      last = last == 0 || (one != 0 && one - last > 0) ? one : last;
    }
    return last;
  }

  /**
   * Waits until {@code count} different events have come.
   *
   * @throws java.util.concurrent.TimeoutException when they have not by then
   */
  void await(int count, Duration limit) throws Exception {
    Wait.until(
        () -> distinct() >= count,
        LOOK_EVERY,
        limit,
        "not all %,d events have come".formatted(count));
  }
}
