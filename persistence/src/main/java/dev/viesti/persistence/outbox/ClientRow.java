package dev.viesti.persistence.outbox;

import dev.viesti.protocol.delivery.Delivery;
import dev.viesti.protocol.event.Event;
import dev.viesti.protocol.trigger.TriggerId;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A row that a client wrote in its own transaction, not routed yet.
 *
 * @param runningSince it was routed by a former owner, and ran when that went away
 */
public record ClientRow(long seq, Instant acceptedAt, @Nullable Instant runningSince, Event event) {
  /** The row as a delivery that runs where it is. */
  public Delivery asItIs(TriggerId trigger) {
    return Delivery.fresh(seq, event.deliveredAt(null), trigger, null, acceptedAt)
        .dueAt(Delivery.UNROUTED)
        .running(runningSince);
  }
}
