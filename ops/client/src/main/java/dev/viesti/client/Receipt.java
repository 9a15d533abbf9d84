package dev.viesti.client;

import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What became of an appended event, if its transaction commits.
 *
 * @param eventId Viesti's id of the event; the same for a duplicate
 * @param seq the row's number in the outbox; null for a duplicate
 * @param duplicate an event with the same source and id was accepted within the retention (24 h
 *     unless the cluster says otherwise): nothing was written for this one
 */
public record Receipt(UUID eventId, @Nullable Long seq, boolean duplicate) {}
