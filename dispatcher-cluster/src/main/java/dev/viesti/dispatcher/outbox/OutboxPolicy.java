package dev.viesti.dispatcher.outbox;

import dev.viesti.protocol.app.AppSettings;
import dev.viesti.protocol.trigger.OnFailure;
import dev.viesti.protocol.trigger.RetryPolicy;
import dev.viesti.protocol.trigger.Trigger;
import dev.viesti.protocol.trigger.TriggerId;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/** What an app's control plane tells its outbox: a copy, replaced as a whole when it changes. */
public record OutboxPolicy(AppSettings settings, Map<TriggerId, Trigger> triggers) {
  /** Executions that a trigger may have at once; one that is disabled or removed has 0. */
  int limit(TriggerId id) {
    Trigger trigger = triggers.get(id);
    if (trigger == null || !trigger.enabled()) {
      return 0;
    }
    Integer own = trigger.concurrency();
    return own == null ? Integer.MAX_VALUE : own;
  }

  /** {@link Turns#REMOVED} of a removed one, whose rows are only to be buried. */
  int priority(TriggerId id) {
    Trigger trigger = triggers.get(id);
    return trigger == null ? Turns.REMOVED : trigger.priority();
  }

  RetryPolicy retry(Trigger trigger) {
    RetryPolicy own = trigger.retry();
    return own == null ? settings.retry() : own;
  }

  /** The triggers that park their keys. */
  Set<TriggerId> parking() {
    Set<TriggerId> parking = new HashSet<>();
    triggers.forEach(
        (id, trigger) -> {
          if (trigger.onFailure() == OnFailure.PARK && trigger.orderBy() != null) {
            parking.add(id);
          }
        });
    return parking;
  }
}
