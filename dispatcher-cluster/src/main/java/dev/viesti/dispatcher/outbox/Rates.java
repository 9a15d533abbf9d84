package dev.viesti.dispatcher.outbox;

import dev.viesti.protocol.trigger.RateLimit;
import dev.viesti.protocol.trigger.Trigger;
import dev.viesti.protocol.trigger.TriggerId;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The rate limits of one app and its triggers. Times are those of the node's ticker; see {@link
 * RateWindow}. Pure; not thread-safe; private to the owner.
 */
final class Rates {
  private final Map<TriggerId, RateWindow> triggers = new HashMap<>();
  private @Nullable RateWindow app;
  private long lastStart;
  private long heldUntil;
  private boolean held;

  /** The limits changed, live. */
  void configure(OutboxPolicy policy) {
    app = window(app, policy.settings().rate());
    triggers.keySet().retainAll(policy.triggers().keySet());
    for (Map.Entry<TriggerId, Trigger> one : policy.triggers().entrySet()) {
      RateWindow window = window(triggers.get(one.getKey()), one.getValue().rate());
      if (window == null) {
        triggers.remove(one.getKey());
      } else {
        triggers.put(one.getKey(), window);
      }
    }
  }

  private @Nullable RateWindow window(@Nullable RateWindow known, @Nullable RateLimit limit) {
    if (limit == null) {
      return null;
    }
    if (known != null) {
      known.configure(limit);
      return known;
    }
    return new RateWindow(limit);
  }

  /** Whether nothing is limited: then the time of a start need not be exact. */
  boolean areNone() {
    return app == null && triggers.isEmpty();
  }

  /**
   * There was an owner before, which may have used up what the limits allow.
   *
   * @param quiet for how long it had started nothing; null when it did not say
   */
  void takeOver(@Nullable Duration quiet, long now) {
    Duration known = quiet == null ? Duration.ZERO : atMostLongest(quiet);
    lastStart = now - known.toNanos();
    if (app != null) {
      app.assumeUsed(lastStart);
    }
    triggers.values().forEach(window -> window.assumeUsed(lastStart));
  }

  /** There was none. */
  void startAnew(long now) {
    lastStart = now - RateLimit.PER_MAX.toNanos();
  }

  /**
   * For how long nothing has been started, by this owner or those before; longer is all the same.
   */
  Duration quiet(long now) {
    return atMostLongest(Duration.ofNanos(now - lastStart));
  }

  private static Duration atMostLongest(Duration quiet) {
    return quiet.compareTo(RateLimit.PER_MAX) > 0 ? RateLimit.PER_MAX : quiet;
  }

  /** Whether the limits would be exceeded if another owner started from what this one leaves. */
  boolean mustBeRemembered(long now) {
    return mustBeRemembered(app, now)
        || triggers.values().stream().anyMatch(window -> mustBeRemembered(window, now));
  }

  private static boolean mustBeRemembered(@Nullable RateWindow window, long now) {
    return window != null && window.isLong() && !window.isEmpty(now);
  }

  /** Forgets which limits have held what up. */
  void look() {
    held = false;
  }

  /** Whether the app may start an attempt now. */
  boolean allowsApp(long now) {
    return allows(app, now);
  }

  /** Whether the trigger may. */
  boolean allows(TriggerId trigger, long now) {
    return triggers.isEmpty() || allows(triggers.get(trigger), now);
  }

  private boolean allows(@Nullable RateWindow window, long now) {
    long wait = window == null ? 0 : window.untilNext(now);
    if (wait <= 0) {
      return true;
    }
    if (!held || now + wait - heldUntil < 0) {
      heldUntil = now + wait;
    }
    held = true;
    return false;
  }

  /** When the first of what was held up since {@link #look} may go on; null when nothing was. */
  @Nullable Long heldUntil() {
    return held ? heldUntil : null;
  }

  /** An attempt starts, which both limits allow. */
  void started(TriggerId trigger, long now) {
    lastStart = now;
    if (app != null) {
      app.started(now);
    }
    RateWindow own = triggers.get(trigger);
    if (own != null) {
      own.started(now);
    }
  }
}
