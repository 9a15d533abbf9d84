package dev.viesti.dispatcher.outbox;

import dev.viesti.protocol.delivery.Delivery;
import java.time.Instant;

/** A row in memory, and where it is. Private to a {@link Ledger} and its parts. */
final class Slot {
  Delivery row;
  Ledger.Place place = Ledger.Place.HELD;
  final Turns.Lane lane;

  /** Whether it passed others, and is counted for itself. */
  final boolean reserve;

  /** Whether it has joined the rows of its ordering key. */
  boolean inLine;

  Slot(Delivery row, Turns.Lane lane, boolean reserve) {
    this.row = row;
    this.lane = lane;
    this.reserve = reserve;
  }

  /** When it is due; {@link Instant#MIN} means at once. */
  Instant due() {
    Instant due = row.waitsUntil();
    return due == null ? Instant.MIN : due;
  }
}
