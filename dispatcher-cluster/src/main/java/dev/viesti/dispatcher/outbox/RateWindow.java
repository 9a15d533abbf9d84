package dev.viesti.dispatcher.outbox;

import dev.viesti.protocol.trigger.RateLimit;
import java.time.Duration;
import java.util.ArrayDeque;

/**
 * The starts of attempts in the last span of a {@link RateLimit}: one more is allowed when the span
 * that ends now holds fewer than its permits. Exact, and never idle when it need not be.
 *
 * <p>Times are those of the node's ticker: nanoseconds that nobody corrects, of no known origin, so
 * only their differences mean something. Pure; not thread-safe.
 */
final class RateWindow {
  /**
   * An owner does not know what its predecessor started, only how long ago the last of it was.
   * Shorter windows than this count as used up at that moment, so that the limit holds across the
   * takeover; to wait for an hour would be worse than to exceed it once.
   */
  private static final Duration ASSUMED_USED_MAX = Duration.ofMinutes(1);

  private final ArrayDeque<Long> starts = new ArrayDeque<>();
  private RateLimit limit;

  RateWindow(RateLimit limit) {
    this.limit = limit;
  }

  /** Somebody before may have used all of it up to {@code lastStart}. */
  void assumeUsed(long lastStart) {
    if (!isLong()) {
      for (int n = 0; n < limit.permits(); n++) {
        starts.add(lastStart);
      }
    }
  }

  /** Whether the next owner would not know enough of it to keep the limit. */
  boolean isLong() {
    return limit.per().compareTo(ASSUMED_USED_MAX) > 0;
  }

  /** The limit changed; the starts that are known still count. */
  void configure(RateLimit changed) {
    limit = changed;
  }

  /** Whether no start counts any more. */
  boolean isEmpty(long now) {
    forget(now);
    return starts.isEmpty();
  }

  /** Nanoseconds until the next attempt may start; 0 means now. */
  long untilNext(long now) {
    forget(now);
    if (starts.size() < limit.permits()) {
      return 0;
    }
    long blocking = starts.getFirst();
    int surplus = starts.size() - limit.permits(); // the limit was lowered
    if (surplus > 0) {
      blocking = starts.stream().skip(surplus).findFirst().orElse(blocking);
    }
    return blocking + limit.per().toNanos() - now;
  }

  private void forget(long now) {
    long per = limit.per().toNanos();
    while (!starts.isEmpty() && now - starts.getFirst() >= per) {
      starts.removeFirst();
    }
  }

  /** An attempt starts now. */
  void started(long now) {
    starts.addLast(now);
  }
}
