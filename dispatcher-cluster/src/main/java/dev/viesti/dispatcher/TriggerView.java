package dev.viesti.dispatcher;

import dev.viesti.protocol.trigger.Trigger;
import dev.viesti.protocol.trigger.TriggerId;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A trigger as its app's owner knows it.
 *
 * @param revision grows with each change, from 1
 * @param disabledReason why Viesti itself switched it off (an endpoint that answered 410); null
 *     otherwise
 */
public record TriggerView(
    TriggerId id,
    Trigger trigger,
    long revision,
    Instant createdAt,
    Instant updatedAt,
    @Nullable String disabledReason) {}
