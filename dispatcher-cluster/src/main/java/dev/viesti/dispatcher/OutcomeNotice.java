package dev.viesti.dispatcher;

import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.delivery.DeliveryId;
import dev.viesti.protocol.trigger.TriggerId;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * One attempt has ended and its outcome is durable.
 *
 * @param eventId the CloudEvents id
 * @param attempt 1-based; the attempt that ended
 * @param outcome the outcome's word: {@code succeeded}, {@code retryable}, {@code permanent},
 *     {@code timed_out}
 * @param settlement what follows: {@code settled}, {@code retried}, {@code dead_lettered}
 * @param error null when it succeeded
 * @param nextAttemptAt null when there is none
 * @param acceptedAt when the event was accepted
 * @param at when the attempt ended
 */
public record OutcomeNotice(
    AppId app,
    TriggerId trigger,
    DeliveryId delivery,
    String eventId,
    String eventType,
    int attempt,
    String outcome,
    String settlement,
    @Nullable String error,
    @Nullable Instant nextAttemptAt,
    Instant acceptedAt,
    Instant at) {}
