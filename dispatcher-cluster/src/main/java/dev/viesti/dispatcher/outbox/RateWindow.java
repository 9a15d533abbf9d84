package dev.viesti.dispatcher.outbox;

import dev.viesti.protocol.trigger.RateLimit;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * The starts of attempts in the last span of a {@link RateLimit}: one more is allowed when the span
 * that ends now holds fewer than its permits. Exact, and never idle when it need not be. Pure; not
 * thread-safe.
 */
final class RateWindow {
  /**
   * An owner does not know what its predecessor started. Shorter windows than this count as used up
   * at the takeover, so that the limit holds across it; to wait for an hour would be worse than to
   * exceed it once.
   */
  private static final Duration ASSUMED_USED_MAX = Duration.ofMinutes(1);

  private final ArrayDeque<Instant> starts = new ArrayDeque<>();
  private RateLimit limit;

  RateWindow(RateLimit limit) {
    this.limit = limit;
  }

  /** Somebody before may have used all of it until now. */
  void assumeUsed(Instant now) {
    if (limit.per().compareTo(ASSUMED_USED_MAX) <= 0) {
      for (int n = 0; n < limit.permits(); n++) {
        starts.add(now);
      }
    }
  }

  /** The limit changed; the starts that are known still count. */
  void configure(RateLimit changed) {
    limit = changed;
  }

  /** When the next attempt may start; null means now. */
  @Nullable Instant nextAt(Instant now) {
    Instant since = now.minus(limit.per());
    while (!starts.isEmpty() && !starts.getFirst().isAfter(since)) {
      starts.removeFirst();
    }
    if (starts.size() < limit.permits()) {
      return null;
    }
    Instant blocking = starts.getFirst();
    int surplus = starts.size() - limit.permits(); // the limit was lowered
    if (surplus > 0) {
      blocking = starts.stream().skip(surplus).findFirst().orElse(blocking);
    }
    return blocking.plus(limit.per());
  }

  /** An attempt starts now. */
  void started(Instant now) {
    starts.addLast(now);
  }
}
