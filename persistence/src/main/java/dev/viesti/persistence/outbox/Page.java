package dev.viesti.persistence.outbox;

import dev.viesti.protocol.delivery.Delivery;
import java.util.List;

/**
 * Rows read from an outbox.
 *
 * @param complete there were no more when it was read
 */
public record Page(List<Delivery> rows, boolean complete) {}
