package dev.viesti.persistence.outbox;

import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.event.Event;
import dev.viesti.protocol.trigger.TriggerId;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Events of one app to be accepted by its owner in one transaction.
 *
 * @param epoch the owner's
 */
public record Insert(AppId app, long epoch, Instant acceptedAt, List<Routed> events) {
  /** An event and the triggers that it matched, at least one. */
  public record Routed(Event event, List<Route> routes) {}

  /** One match. */
  public record Route(TriggerId trigger, @Nullable String orderingKey) {}

  /** Rows that this insert writes when nothing is a duplicate. */
  public int rows() {
    int rows = 0;
    for (Routed routed : events) {
      rows += routed.routes().size();
    }
    return rows;
  }
}
