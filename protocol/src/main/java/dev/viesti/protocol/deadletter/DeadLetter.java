package dev.viesti.protocol.deadletter;

import dev.viesti.protocol.delivery.DeliveryId;
import dev.viesti.protocol.event.Event;
import dev.viesti.protocol.trigger.TriggerId;
import java.time.Instant;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A delivery given up on.
 *
 * @param id its own id (UUIDv7, so newer sorts later): a replayed delivery that dies again leaves a
 *     second dead letter with the same {@code delivery}
 * @param attempts attempts that were made
 * @param attemptLog the failed attempts as a JSON array
 * @param resolvedAt null while nobody has dealt with it
 */
public record DeadLetter(
    UUID id,
    DeliveryId delivery,
    Event event,
    TriggerId trigger,
    @Nullable String orderingKey,
    int attempts,
    Instant acceptedAt,
    @Nullable Instant firstAttemptAt,
    @Nullable Instant lastAttemptAt,
    @Nullable String lastError,
    @Nullable String attemptLog,
    Instant createdAt,
    @Nullable Instant resolvedAt,
    @Nullable Resolution resolution,
    @Nullable String resolutionNote) {}
