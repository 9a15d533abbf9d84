package dev.viesti.dispatcher;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A place in an app's outbox: after the row with this key.
 *
 * @param dueAt null for rows that are due at once; they come first
 */
public record DeliveryPosition(@Nullable Instant dueAt, long seq) {}
