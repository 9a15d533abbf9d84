package dev.viesti.dispatcher.outbox;

import dev.viesti.protocol.delivery.Delivery;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What an owner knows of the rows that are only in the table, and which page it should read next.
 *
 * <p>Rows that are due at once: all up to {@code cursor} are in memory or gone. While it is not
 * {@code behind}, there are none beyond it either, and rows just written are taken over without
 * reading them. Rows with a time of their own: none of those not in memory is due before {@code
 * unloadedDue}. Rows with an ordering key and a time of their own hold others back, so a new owner
 * reads them first of all and keeps them.
 *
 * <p>Rows may be durable in another order than that of their numbers, so a page counts only as far
 * as nothing smaller can still be on its way.
 *
 * <p>One page is read at a time. A row that leaves memory while a page is under way may be in that
 * page in its old version; it is left out then.
 *
 * <p>Pure; not thread-safe; private to the owner.
 */
final class TablePosition {
  /** A page to be read. */
  sealed interface Read {
    /** Heads of ordered keys, after this row. */
    record Heads(Instant afterDue, long afterSeq) implements Read {}

    /** Rows due at once, after this number. */
    record AtOnce(long afterSeq) implements Read {}

    /** Rows due up to {@code until}, after this row. */
    record Scheduled(Instant until, Instant afterDue, long afterSeq) implements Read {}
  }

  /** Before every time that a row can have, and representable in {@code timestamptz}. */
  static final Instant BEFORE_ALL = Instant.parse("1970-01-01T00:00:00Z");

  private static final long BEFORE_FIRST = -1;

  private final Duration horizon;
  private final Duration lead;
  private final Set<Long> leftWhileReading = new HashSet<>();

  private boolean headsRead;
  private Instant headsDue = BEFORE_ALL;
  private long headsSeq = BEFORE_FIRST;

  private boolean behind = true;
  private long cursor = BEFORE_FIRST;
  private long written = BEFORE_FIRST;
  private long writtenAtRead = BEFORE_FIRST;
  private long boundAtRead = BEFORE_FIRST;
  private long rewoundFrom = BEFORE_FIRST;
  private long passedUpTo = BEFORE_FIRST;
  private boolean unsureWhileReading;
  private boolean doubtful;
  private boolean discarded;

  private @Nullable Instant unloadedDue = BEFORE_ALL;
  private @Nullable Instant droppedSinceStart;
  private Instant scheduledDue = BEFORE_ALL;
  private long scheduledSeq = BEFORE_FIRST;

  private @Nullable Read reading;

  /**
   * @param horizon how far ahead rows with a time of their own are taken into memory
   */
  TablePosition(Duration horizon) {
    this.horizon = horizon;
    this.lead = horizon.dividedBy(2);
  }

  /** Whether rows that were just written must be read back later instead of being taken over. */
  boolean behind() {
    return behind;
  }

  boolean reading() {
    return reading != null;
  }

  /** Whether every head of an ordering key with a time of its own is in memory. */
  boolean knowsHeads() {
    return headsRead;
  }

  /** Whether a row that is due at {@code due} is near enough to stay in memory. */
  boolean near(@Nullable Instant due, Instant now) {
    return due == null || !due.isAfter(now.plus(horizon));
  }

  /** Rows up to this number are durable; {@code taken}: all of them are in memory. */
  void wrote(long lastSeq, boolean taken) {
    written = Math.max(written, lastSeq);
    if (taken) {
      cursor = Math.max(cursor, lastSeq);
    } else if (lastSeq > cursor) {
      behind = true;
    }
  }

  /** Rows are in the table, beyond the cursor, of which nobody told: a replay. */
  void unsure() {
    behind = true;
    unsureWhileReading = reading != null;
  }

  /** Rows from {@code seq} on came into the table, maybe before others that are in memory. */
  void rewind(long seq) {
    if (seq <= cursor) {
      passedUpTo = Math.max(passedUpTo, cursor);
      rewoundFrom = Math.max(rewoundFrom, cursor);
      cursor = seq - 1;
    }
    behind = true;
    discarded = reading != null; // it may have passed their places before they came
  }

  /**
   * Whether memory holds rows beyond some that are only in the table: those must be read, room or
   * not.
   */
  boolean rewound() {
    return cursor < rewoundFrom;
  }

  /** Of rows up to this number that are in memory, no earlier one is in the table only. */
  long knownUpTo() {
    return rewound() ? cursor : Long.MAX_VALUE;
  }

  /** Up to this number, all rows due at once that are in the table are in memory. */
  long atOnceUpTo() {
    return behind ? cursor : Long.MAX_VALUE;
  }

  /**
   * The answer of a commit was lost. Its rows may come into the table at any moment, behind rows
   * with larger numbers: nothing is read, and no page under way counts, until {@link #certain}.
   */
  void doubt() {
    behind = true;
    doubtful = true;
    discarded = reading != null;
  }

  /**
   * What is not in the table by now will never be: the epoch under which it was sent is over.
   *
   * @param lastNumber of all rows so far
   */
  void certain(long lastNumber) {
    doubtful = false;
    written = Math.max(written, lastNumber);
    unsure();
  }

  /** Whether this row was read with a page before the news of its commit came. */
  boolean passed(long seq) {
    return seq <= Math.max(cursor, passedUpTo);
  }

  /** A row with a time of its own is in the table and not in memory. */
  void dropped(Instant due) {
    droppedSinceStart = earlier(droppedSinceStart, due); // a walk may have passed that time already
    unloadedDue = earlier(unloadedDue, due);
  }

  /** A row left memory. */
  void left(long seq) {
    if (reading != null) {
      leftWhileReading.add(seq);
    }
  }

  /**
   * When scheduled rows are to be read next: well before they are due; null when there are none.
   */
  @Nullable Instant nextScheduledRead() {
    return unloadedDue == null || unloadedDue.equals(BEFORE_ALL)
        ? unloadedDue
        : unloadedDue.minus(lead);
  }

  /**
   * The page to read next; null when one is under way or nothing is to be read.
   *
   * @param room whether memory has room for a page
   * @param forced without room: rows in memory wait for others that are due at once and must be
   *     read
   * @param certainUpTo rows up to this number are in the table or never will be; of larger ones
   *     some may still be on their way, behind others that are there already, and are left out
   */
  @Nullable Read next(boolean room, boolean forced, Instant now, long certainUpTo) {
    if (reading != null || doubtful || !(room || (forced && behind))) {
      return null;
    }
    if (!headsRead && room) {
      reading = new Read.Heads(headsDue, headsSeq);
    } else if (room && unloadedDue != null && !unloadedDue.isAfter(now.plus(lead))) {
      if (scheduledSeq == BEFORE_FIRST) {
        droppedSinceStart = null; // a walk from the start sees them all
      }
      reading = new Read.Scheduled(now.plus(horizon), scheduledDue, scheduledSeq);
    } else if (behind) {
      writtenAtRead = written;
      boundAtRead = Math.max(certainUpTo, written);
      reading = new Read.AtOnce(cursor);
    }
    return reading;
  }

  /** The read that was under way failed; it will be asked for again. */
  void failed() {
    finish();
  }

  /**
   * The page that was under way is there.
   *
   * @param nextDue after a complete page of scheduled rows: when the first one beyond it is due
   * @return its rows without those that are out of date
   */
  List<Delivery> loaded(List<Delivery> page, boolean pageComplete, @Nullable Instant nextDue) {
    Read read = reading;
    if (doubtful || discarded) {
      finish();
      return List.of();
    }
    long bound = read instanceof Read.AtOnce ? boundAtRead : Long.MAX_VALUE;
    List<Delivery> rows = page.stream().filter(row -> row.seq() <= bound).toList();
    boolean complete = pageComplete || rows.size() < page.size();
    Delivery last = rows.isEmpty() ? null : rows.getLast();
    if (read != null) {
      switch (read) {
        case Read.Heads heads -> {
          headsRead = complete;
          if (last != null && last.dueAt() != null) {
            headsDue = last.dueAt();
            headsSeq = last.seq();
          }
        }
        case Read.AtOnce atOnce -> {
          cursor = Math.max(cursor, last == null ? cursor : last.seq());
          if (complete) {
            cursor = Math.max(cursor, writtenAtRead);
            rewoundFrom = BEFORE_FIRST;
            behind = written > cursor || unsureWhileReading;
          }
        }
        case Read.Scheduled scheduled -> {
          if (complete) {
            unloadedDue = earlier(nextDue, droppedSinceStart);
            scheduledDue = BEFORE_ALL;
            scheduledSeq = BEFORE_FIRST;
            droppedSinceStart = null;
          } else if (last != null && last.dueAt() != null) {
            scheduledDue = last.dueAt();
            scheduledSeq = last.seq();
          }
        }
      }
    }
    List<Delivery> fresh =
        rows.stream().filter(row -> !leftWhileReading.contains(row.seq())).toList();
    finish();
    return fresh;
  }

  private void finish() {
    reading = null;
    discarded = false;
    unsureWhileReading = false;
    leftWhileReading.clear();
  }

  private static @Nullable Instant earlier(@Nullable Instant one, @Nullable Instant other) {
    if (one == null) {
      return other;
    }
    return other == null || one.isBefore(other) ? one : other;
  }
}
