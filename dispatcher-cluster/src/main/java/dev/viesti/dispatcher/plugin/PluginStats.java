package dev.viesti.dispatcher.plugin;

import java.time.Instant;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Counts a plugin's calls. Thread-safe. */
final class PluginStats {
  /** As long as a delivery's last error. */
  private static final int ERROR_MAX = 2_000;

  private final Instant since;
  private final Map<String, Long> errors = new TreeMap<>();
  private long invocations;
  private long nanos;
  private long fuel;
  private int peakPages;
  private int consecutiveTraps;
  private @Nullable String lastError;
  private @Nullable Instant lastErrorAt;
  private @Nullable Instant lastInvocationAt;

  PluginStats(Instant since) {
    this.since = since;
  }

  /**
   * @param usedNanos wall clock
   */
  synchronized void used(Instant at, long usedNanos, long usedFuel, int pages) {
    invocations++;
    nanos += usedNanos;
    fuel += usedFuel;
    peakPages = Math.max(peakPages, pages);
    lastInvocationAt = at;
  }

  synchronized void failed(Instant at, String kind, String message) {
    errors.merge(kind, 1L, Long::sum);
    lastError = message.length() <= ERROR_MAX ? message : message.substring(0, ERROR_MAX);
    lastErrorAt = at;
  }

  /**
   * @return how many calls in a row have trapped, this one included
   */
  synchronized int trapped() {
    return ++consecutiveTraps;
  }

  /** A call has ended in another way than by a trap. */
  synchronized void behaved() {
    consecutiveTraps = 0;
  }

  synchronized PluginMetrics view() {
    return new PluginMetrics(
        since,
        invocations,
        Map.copyOf(errors),
        nanos / 1_000_000,
        fuel,
        65_536L * peakPages,
        consecutiveTraps,
        lastError,
        lastErrorAt,
        lastInvocationAt);
  }
}
