package dev.viesti.dispatcher;

import dev.viesti.protocol.trigger.TriggerId;
import org.jspecify.annotations.Nullable;

/**
 * Which dead letters.
 *
 * @param trigger only this trigger's; null means all
 * @param resolved only resolved ones, only unresolved ones; null means both
 */
public record DeadLetterQuery(@Nullable TriggerId trigger, @Nullable Boolean resolved) {
  /** Nobody has dealt with them. */
  public static final DeadLetterQuery UNRESOLVED = new DeadLetterQuery(null, false);
}
