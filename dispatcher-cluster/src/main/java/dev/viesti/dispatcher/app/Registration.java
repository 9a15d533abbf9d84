package dev.viesti.dispatcher.app;

import dev.viesti.dispatcher.Refusal;
import dev.viesti.dispatcher.TriggerView;
import dev.viesti.dispatcher.filter.EventFilter;
import dev.viesti.dispatcher.filter.InvalidFilterException;
import dev.viesti.protocol.trigger.Target;
import dev.viesti.protocol.trigger.Trigger;
import java.util.Base64;
import org.jspecify.annotations.Nullable;

/** What only the owner can check of a trigger that is registered, and what it fills in. */
final class Registration {
  /** Standard Webhooks asks for 24 to 64. */
  private static final int SECRET_BYTES = 32;

  private final AppParts parts;

  Registration(AppParts parts) {
    this.parts = parts;
  }

  /**
   * @param was the trigger of that id so far
   * @return null when it may be registered
   */
  @Nullable Refusal refuse(AppState state, @Nullable TriggerView was, Trigger trigger) {
    if (was == null && state.triggers().size() >= parts.triggersMax()) {
      return new Refusal.Conflict(
          "the app has %d triggers, which is its limit".formatted(parts.triggersMax()));
    }
    String filter = trigger.filter();
    if (filter != null) {
      try {
        EventFilter.compile(filter);
      } catch (InvalidFilterException wrong) {
        return new Refusal.Invalid("/filter", String.valueOf(wrong.getMessage()));
      }
    }
    return parts.owners().targets().check(trigger.target());
  }

  /** A webhook without a secret keeps the one that its trigger had, or gets a new one. */
  Trigger complete(Trigger trigger, @Nullable TriggerView was) {
    if (!(trigger.target() instanceof Target.Webhook webhook) || webhook.secret() != null) {
      return trigger;
    }
    String secret =
        was != null && was.trigger().target() instanceof Target.Webhook before
            ? before.secret()
            : freshSecret();
    return trigger.withTarget(new Target.Webhook(webhook.url(), secret));
  }

  private String freshSecret() {
    var bytes = new byte[SECRET_BYTES];
    parts.secrets().nextBytes(bytes);
    return Target.Webhook.SECRET_PREFIX + Base64.getEncoder().encodeToString(bytes);
  }
}
