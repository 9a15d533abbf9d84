package dev.viesti.persistence.outbox;

import java.util.BitSet;
import java.util.Set;

/**
 * What became of a group of settlements.
 *
 * @param held those, by position, whose epoch was still the owner's; for the others nothing was
 *     written
 * @param missed rows of those held that were not in the table in the version that was named: a
 *     commit whose answer was lost had settled them before, or somebody removed them by hand
 * @param missedRetries numbers of the rows among them that were to stay in the table (retried,
 *     deferred, marked): each has its new version already, or is gone
 */
public record Settled(BitSet held, int missed, Set<Long> missedRetries) {}
