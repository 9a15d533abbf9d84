package dev.viesti.dispatcher.target.webhook;

import dev.viesti.dispatcher.target.webhook.BreakerState.Admission;
import dev.viesti.dispatcher.target.webhook.BreakerState.Signal;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The breakers of one node, by endpoint. Keeps only endpoints that fail, and at most {@link
 * #ENDPOINTS_MAX} of them: beyond that a further one is called as if it had no breaker.
 * Thread-safe.
 */
final class Breakers {
  /** Each takes about 200 bytes. */
  static final int ENDPOINTS_MAX = 10_000;

  /** An endpoint that nobody has called for so long is forgotten when there is no room. */
  static final Duration IDLE_MAX = Duration.ofMinutes(10);

  private record Entry(BreakerState state, Instant touched) {}

  private final ConcurrentHashMap<String, Entry> entries = new ConcurrentHashMap<>();
  private final WebhookSettings.Breaker settings;
  private final Clock clock;

  Breakers(WebhookSettings.Breaker settings, Clock clock) {
    this.settings = settings;
    this.clock = clock;
  }

  Admission admit(String endpoint) {
    Instant now = clock.instant();
    Admission[] admission = {BreakerState.healthy().admit(now)};
    entries.computeIfPresent(
        endpoint,
        (key, entry) -> {
          admission[0] = entry.state().admit(now);
          return new Entry(admission[0].next(), now);
        });
    return admission[0];
  }

  void ended(String endpoint, Admission admission, Signal signal) {
    Instant now = clock.instant();
    if (signal == Signal.FAILING && !entries.containsKey(endpoint) && !hasRoom(now)) {
      return;
    }
    entries.compute(
        endpoint,
        (key, entry) -> {
          BreakerState before = entry == null ? BreakerState.healthy() : entry.state();
          BreakerState after = before.after(signal, admission.probe(), now, settings);
          return after.equals(BreakerState.healthy()) ? null : new Entry(after, now);
        });
  }

  int size() {
    return entries.size();
  }

  private boolean hasRoom(Instant now) {
    if (entries.size() < ENDPOINTS_MAX) {
      return true;
    }
    entries.values().removeIf(entry -> entry.touched().plus(IDLE_MAX).isBefore(now));
    return entries.size() < ENDPOINTS_MAX;
  }
}
