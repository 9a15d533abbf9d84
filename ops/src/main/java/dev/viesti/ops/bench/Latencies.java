package dev.viesti.ops.bench;

import java.util.Arrays;
import java.util.Map;

/** Times of many requests, all of them kept: no bucket rounds a percentile. Thread-safe. */
final class Latencies {
  private static final int START = 4_096;

  private long[] nanos = new long[START];
  private int count;

  synchronized void add(long took) {
    if (count == nanos.length) {
      nanos = Arrays.copyOf(nanos, count * 2);
    }
    nanos[count++] = took;
  }

  synchronized int count() {
    return count;
  }

  /** What was gathered so far, and is not here any more. */
  synchronized Latencies take() {
    var taken = new Latencies();
    taken.nanos = Arrays.copyOf(nanos, Math.max(count, 1));
    taken.count = count;
    count = 0;
    return taken;
  }

  /** Puts {@code p50_ms}, {@code p95_ms} and {@code p99_ms}; nothing when there are no times. */
  synchronized void into(Map<String, Double> figures, String prefix) {
    if (count == 0) {
      return;
    }
    Arrays.sort(nanos, 0, count);
    for (int percent : new int[] {50, 95, 99}) {
      int rank = (int) Math.ceil(count * percent / 100.0);
      figures.put(prefix + "p" + percent + "_ms", nanos[Math.max(rank, 1) - 1] / 1e6);
    }
  }
}
