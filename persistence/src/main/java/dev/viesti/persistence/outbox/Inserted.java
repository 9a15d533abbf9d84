package dev.viesti.persistence.outbox;

import dev.viesti.protocol.delivery.Delivery;
import java.util.BitSet;
import java.util.List;

/**
 * What became of an {@link Insert}.
 *
 * @param fenced the epoch was not the owner's any more: nothing was written
 * @param rows the rows as they are in the table, in the order of their numbers
 * @param duplicates the events of the insert, by position, whose (source, id) was accepted before
 */
public record Inserted(boolean fenced, List<Delivery> rows, BitSet duplicates) {
  /** Nothing was written. */
  public static final Inserted FENCED = new Inserted(true, List.of(), new BitSet());
}
