package dev.viesti.dispatcher.outbox;

import java.time.Instant;
import java.util.Comparator;
import java.util.PriorityQueue;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * When the rows in memory that are not due yet become due. Pure; not thread-safe; private to a
 * {@link Ledger}.
 */
final class DueTimes {
  /** Rings for a slot that is still scheduled for this very time; else it is stale. */
  private record Alarm(Instant due, long seq, Slot slot) {
    boolean isStale() {
      return slot.place != Ledger.Place.SCHEDULED || !due.equals(slot.due());
    }
  }

  private final PriorityQueue<Alarm> alarms =
      new PriorityQueue<>(Comparator.comparing(Alarm::due).thenComparingLong(Alarm::seq));

  /** The row is {@link Ledger.Place#SCHEDULED} now. */
  void add(Slot slot) {
    alarms.add(new Alarm(slot.due(), slot.row.seq(), slot));
  }

  /** Takes out the rows whose time has come, in the order of their times. */
  void takeUntil(Instant now, Consumer<Slot> due) {
    for (Alarm first = alarms.peek();
        first != null && !first.due().isAfter(now);
        first = alarms.peek()) {
      alarms.remove();
      if (!first.isStale()) {
        due.accept(first.slot());
      }
    }
  }

  /** When the first of them is due; null when there is none. */
  @Nullable Instant next() {
    Alarm first = alarms.peek();
    while (first != null && first.isStale()) {
      alarms.remove();
      first = alarms.peek();
    }
    return first == null ? null : first.due();
  }
}
