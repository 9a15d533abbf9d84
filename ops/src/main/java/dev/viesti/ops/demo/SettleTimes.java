package dev.viesti.ops.demo;

/**
 * How long it took from acceptance to settling.
 *
 * @param samples how many were seen; with none the times are 0 and mean nothing
 */
record SettleTimes(long p50Millis, long p99Millis, int samples) {
  /**
   * @param sorted in ms, ascending
   */
  static SettleTimes of(long[] sorted) {
    return new SettleTimes(percentile(sorted, 50), percentile(sorted, 99), sorted.length);
  }

  private static long percentile(long[] sorted, int percent) {
    int rank = (int) Math.ceil(sorted.length * percent / 100.0);
    return sorted.length == 0 ? 0 : sorted[rank - 1];
  }
}
