package dev.viesti.protocol.delivery;

import dev.viesti.protocol.trigger.TriggerId;
import org.jspecify.annotations.Nullable;

/** What is delivered strictly one after the other: a trigger's deliveries of one ordering key. */
public record OrderKey(TriggerId trigger, String key) {
  /** Null when the delivery is not ordered. */
  public static @Nullable OrderKey of(Delivery row) {
    String key = row.orderingKey();
    return key == null ? null : new OrderKey(row.trigger(), key);
  }
}
