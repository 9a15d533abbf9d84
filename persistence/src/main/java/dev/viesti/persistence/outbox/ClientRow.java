package dev.viesti.persistence.outbox;

import dev.viesti.protocol.event.Event;
import java.time.Instant;

/** A row that a client wrote in its own transaction, not routed yet. */
public record ClientRow(long seq, Instant acceptedAt, Event event) {}
