package dev.viesti.protocol.delivery;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import dev.viesti.protocol.event.Derived;
import dev.viesti.protocol.trigger.TriggerId;
import java.util.UUID;

/**
 * Names one event on its way to one trigger's target. It follows from the two, so it is the same in
 * every attempt, on every node and after a replay: receivers deduplicate by it.
 */
public record DeliveryId(@JsonValue UUID value) {
  @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
  public DeliveryId {}

  public static DeliveryId of(UUID eventId, TriggerId trigger) {
    return new DeliveryId(Derived.uuid(eventId.toString(), trigger.value()));
  }

  @Override
  public String toString() {
    return value.toString();
  }
}
