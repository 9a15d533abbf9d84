package dev.viesti.dispatcher.outbox;

import dev.viesti.protocol.delivery.Delivery;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Rows whose last attempts only memory knows of. A retry that is due in a moment is not worth a new
 * version of its row, which would cost more than the delivery itself: most of the time the next
 * attempt settles it. What is kept for twice as long is written after all, so a crash forgets only
 * attempts of the last seconds.
 *
 * <p>Pure; not thread-safe; private to the owner.
 */
final class KeptRetries {
  /** The version that the table has, and when the first attempt ended that it does not tell of. */
  private record Kept(Delivery stored, Instant since) {}

  private final Map<Long, Kept> rows = new HashMap<>();
  private Duration moment;

  /**
   * @param moment how near a retry is that is kept; zero keeps none
   */
  KeptRetries(Duration moment) {
    this.moment = moment;
  }

  /**
   * Whether a retry need not be written now.
   *
   * @param stored the version in the table. One that says that it runs, or that a client wrote, has
   *     to be replaced in any case; so has one that was published for later and has joined its
   *     ordering key since: after a crash it would have to join again, behind others
   */
  boolean mayKeep(Delivery stored, Instant due, Instant now) {
    return !moment.isZero()
        && stored.runningSince() == null
        && !stored.isUnrouted()
        && !(stored.isDelayed() && stored.orderingKey() != null)
        && !due.isAfter(now.plus(moment));
  }

  /** Remembers what the table has, unless an earlier retry is kept already. */
  void keep(Delivery stored, Instant now) {
    rows.putIfAbsent(stored.seq(), new Kept(stored, now));
  }

  /** Whether the table has another version of the row than memory. */
  boolean keeps(long seq) {
    return rows.containsKey(seq);
  }

  /** The version of the row that the table has. */
  Delivery stored(Delivery row) {
    Kept kept = rows.get(row.seq());
    return kept == null ? row : kept.stored();
  }

  /** The row has another version in the table, or is out of it. */
  void written(long seq) {
    rows.remove(seq);
  }

  /** Rows whose next attempt should have settled them by now, and has not. */
  List<Long> overdue(Instant now) {
    return since(now.minus(moment.multipliedBy(2)));
  }

  /**
   * From now on all are written.
   *
   * @return those that are not yet
   */
  List<Long> keepNoMore() {
    moment = Duration.ZERO;
    return since(Instant.MAX);
  }

  private List<Long> since(Instant latest) {
    List<Long> found = new ArrayList<>();
    rows.forEach(
        (seq, kept) -> {
          if (!kept.since().isAfter(latest)) {
            found.add(seq);
          }
        });
    return found;
  }
}
