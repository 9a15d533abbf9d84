package dev.viesti.dispatcher.target.webhook;

import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * Whether an endpoint is called, decided from its last answers:
 *
 * <pre>
 *   Closed   ──failures in a row──▶ Open          ──its time is over: one probe──▶ HalfOpen
 *   HalfOpen ──probe fails──▶ Open, twice as long ──any success──▶ Closed
 *   HalfOpen ──probe says nothing──▶ Open until now: the next one is the probe
 * </pre>
 *
 * <p>Attempts that were let through before it opened may end later: their failures no longer count,
 * a success closes it.
 */
sealed interface BreakerState {
  /** An endpoint that nothing bad is known of. */
  static BreakerState healthy() {
    return new Closed(0);
  }

  /** Attempts run; {@code failures} of them have failed since the last success. */
  record Closed(int failures) implements BreakerState {}

  /** No attempts until then. */
  record Open(Instant until, Duration backoff) implements BreakerState {}

  /** One attempt runs to see whether the endpoint is back. */
  record HalfOpen(Duration backoff) implements BreakerState {}

  /** What an attempt learnt about the endpoint. */
  enum Signal {
    /** It answered. */
    ALIVE,
    /** It could not be reached or did not answer in time, itself or behind its gateway. */
    FAILING,
    /** The attempt was cancelled, or never left this host. */
    NOTHING
  }

  /**
   * @param next the state from now on
   * @param probe whether the attempt is the probe
   * @param retryAfter null when the attempt may run, else the time until it is worth asking again
   */
  record Admission(BreakerState next, boolean probe, @Nullable Duration retryAfter) {}

  /** Asks for an attempt. */
  default Admission admit(Instant now) {
    return switch (this) {
      case Closed closed -> new Admission(closed, false, null);
      case Open open when now.isBefore(open.until()) ->
          new Admission(open, false, Duration.between(now, open.until()));
      case Open open -> new Admission(new HalfOpen(open.backoff()), true, null);
      case HalfOpen halfOpen -> new Admission(halfOpen, false, halfOpen.backoff());
    };
  }

  /** An admitted attempt has ended. */
  default BreakerState after(
      Signal signal, boolean probe, Instant now, WebhookSettings.Breaker settings) {
    if (signal == Signal.ALIVE) {
      return healthy();
    }
    return switch (this) {
      case Closed closed when signal == Signal.NOTHING -> closed;
      case Closed closed when closed.failures() + 1 < settings.failures() ->
          new Closed(closed.failures() + 1);
      case Closed tooMany -> new Open(now.plus(settings.backoff()), settings.backoff());
      case HalfOpen halfOpen when probe -> {
        if (signal == Signal.NOTHING) {
          yield new Open(now, halfOpen.backoff());
        }
        Duration doubled = halfOpen.backoff().multipliedBy(2);
        Duration backoff =
            doubled.compareTo(settings.backoffMax()) > 0 ? settings.backoffMax() : doubled;
        yield new Open(now.plus(backoff), backoff);
      }
      case HalfOpen waitsForItsProbe -> waitsForItsProbe;
      case Open open -> open;
    };
  }
}
