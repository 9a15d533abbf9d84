package dev.viesti.dispatcher;

import com.fasterxml.jackson.annotation.JsonProperty;
import dev.viesti.protocol.delivery.Delivery;

/** A delivery that is not settled, and what it is doing. */
public record DeliveryView(Delivery delivery, State state) {
  /** What a delivery that is not settled can be doing. */
  public enum State {
    /** Waits for its turn: it is due. */
    @JsonProperty("waiting")
    WAITING,
    /** Waits for its time: the next attempt is in the future. */
    @JsonProperty("scheduled")
    SCHEDULED,
    /** An attempt is under way. */
    @JsonProperty("running")
    RUNNING,
    /** Was given up on, and holds up its ordering key until somebody retries or cancels it. */
    @JsonProperty("blocked")
    BLOCKED
  }
}
