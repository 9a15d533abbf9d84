package dev.viesti.dispatcher.outbox;

import dev.viesti.protocol.trigger.RateLimit;
import dev.viesti.protocol.trigger.Trigger;
import dev.viesti.protocol.trigger.TriggerId;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The rate limits of one app and its triggers. Pure; not thread-safe; private to the owner. */
final class Rates {
  private final Map<TriggerId, RateWindow> triggers = new HashMap<>();
  private @Nullable RateWindow app;
  private @Nullable Instant heldUntil;

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

  /** There was an owner before, which may have used up what the limits allow. */
  void takeOver(Instant now) {
    if (app != null) {
      app.assumeUsed(now);
    }
    triggers.values().forEach(window -> window.assumeUsed(now));
  }

  /** Forgets which limits have held what up. */
  void look() {
    heldUntil = null;
  }

  /** Whether the app may start an attempt now. */
  boolean allowsApp(Instant now) {
    return allows(app, now);
  }

  /** Whether the trigger may. */
  boolean allows(TriggerId trigger, Instant now) {
    return triggers.isEmpty() || allows(triggers.get(trigger), now);
  }

  private boolean allows(@Nullable RateWindow window, Instant now) {
    Instant next = window == null ? null : window.nextAt(now);
    if (next == null) {
      return true;
    }
    if (heldUntil == null || next.isBefore(heldUntil)) {
      heldUntil = next;
    }
    return false;
  }

  /** When the first of what was held up since {@link #look} may go on; null when nothing was. */
  @Nullable Instant heldUntil() {
    return heldUntil;
  }

  /** An attempt starts, which both limits allow. */
  void started(TriggerId trigger, Instant now) {
    if (app != null) {
      app.started(now);
    }
    RateWindow own = triggers.get(trigger);
    if (own != null) {
      own.started(now);
    }
  }
}
