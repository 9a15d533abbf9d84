package dev.viesti.persistence.outbox;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Ownership of an app's outbox.
 *
 * @param epoch larger than that of every owner before
 * @param firstSeq first of a block of {@link OwnerRepository#SEQ_BLOCK} row numbers, larger than
 *     every number that an owner before could still write
 * @param pending rows in the outbox, counted up to the limit that was asked for
 * @param crashes owners before it in a row that went without releasing the outbox: killed, or cut
 *     off
 * @param quiet for how long the owner before it had started no attempt; null when it went without
 *     releasing the outbox, or when there was none
 */
public record Claim(
    long epoch, long firstSeq, long pending, int crashes, @Nullable Duration quiet) {}
