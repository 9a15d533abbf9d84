package dev.viesti.dispatcher.outbox;

import dev.viesti.persistence.outbox.ClientRow;
import dev.viesti.persistence.outbox.ClientRowRepository.ClientPage;
import dev.viesti.persistence.outbox.ClientRowRepository.Horizon;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What an owner knows of the rows that clients write, and which page of them it should read next.
 *
 * <p>Clients commit in another order than they take numbers in, so a cursor on the largest number
 * seen loses what commits late. Every row up to {@code mark} is in the owner's hands or gone; reads
 * begin there. The mark moves by this rule, which knows no clocks and no margins:
 *
 * <ol>
 *   <li>A client's transaction has its id before it takes a number.
 *   <li>A {@link Horizon} is the last number given out, and then a transaction id: whoever took a
 *       number up to it has a smaller id.
 *   <li>A page that begins at the mark, in whose snapshot no transaction below that id runs any
 *       more, has seen every row up to the horizon that there will ever be. The mark moves there,
 *       or to the page's last row if it ended earlier.
 * </ol>
 *
 * <p>While a transaction stays open the mark stays, and reading from it costs more and more. Such a
 * whole pass may take a twentieth of the time; wake-ups between two of them read only what lies
 * beyond the largest number seen.
 *
 * <p>Pure; not thread-safe; private to the owner.
 */
final class ClientRows {
  /**
   * A page to be read.
   *
   * @param horizon a new horizon is to be taken <em>before</em> it
   */
  record Read(long afterSeq, boolean horizon) {}

  /** So many times its own length a whole pass waits for the next one. */
  private static final int SHARE = 19;

  /** It waits no longer than this: a late commit must not. */
  private static final Duration WAIT_MAX = Duration.ofSeconds(5);

  /** After a statement that failed: a short outage may be over, and a lost epoch is renewed. */
  private static final Duration AGAIN_FIRST = Duration.ofMillis(100);

  private static final long BEFORE_FIRST = -1;

  private final Set<Long> held = new HashSet<>();
  private final Set<Long> leftWhileReading = new HashSet<>();
  private long mark = BEFORE_FIRST;
  private long seen = BEFORE_FIRST;
  private @Nullable Horizon horizon;

  private boolean wanted = true;
  private boolean inPass;
  private boolean whole;
  private long cursor = BEFORE_FIRST;
  private Instant passAt = Instant.MIN;
  private Instant wholeFrom = Instant.MIN;
  private Duration again = AGAIN_FIRST;
  private boolean wholeOwed;
  private boolean returned;
  private boolean outdated;
  private @Nullable Read reading;

  /** There may be rows that are not seen yet. */
  void mayWait() {
    wanted = true;
  }

  /** All that was seen is gone, and nothing more was heard of. */
  boolean quiet() {
    return held.isEmpty() && !wanted && !inPass && !wholeOwed && !returned;
  }

  long mark() {
    return mark;
  }

  /** When to look again because only the end was read; null when that is not so. */
  @Nullable Instant owedAt() {
    return wholeOwed && !wanted && !inPass ? wholeFrom : null;
  }

  /**
   * The page to read next; null when one is under way or nothing is to be read.
   *
   * @param room whether memory has room for a page
   */
  @Nullable Read next(boolean room, Instant now) {
    if (reading != null || !room || !(inPass || wanted)) {
      return null;
    }
    if (!inPass) {
      wanted = false;
      inPass = true;
      passAt = now;
      whole = !now.isBefore(wholeFrom);
      wholeOwed = !whole;
      returned &= !whole;
      cursor = whole ? mark : seen;
    }
    boolean moves = whole && cursor == mark && (seen > mark || mark == BEFORE_FIRST);
    reading = new Read(cursor, moves && horizon == null);
    return reading;
  }

  /** The read that was under way failed: it begins anew, soon. */
  void failed(Instant now) {
    lookAgain(now);
    finish();
  }

  /**
   * The page that was under way is there.
   *
   * @param taken the horizon that was taken before it, if one was asked for
   * @return its rows that are new to the owner, which holds them from now on
   */
  List<ClientRow> loaded(@Nullable Horizon taken, ClientPage page, Instant now) {
    Read read = reading;
    if (read == null) {
      return List.of();
    }
    horizon = taken == null ? horizon : taken;
    long last = page.rows().isEmpty() ? read.afterSeq() : page.rows().getLast().seq();
    moveMark(read, page, last);
    seen = Math.max(seen, Math.max(last, mark));
    cursor = last;
    if (page.complete()) {
      endPass(now);
    }
    List<ClientRow> fresh =
        page.rows().stream()
            .filter(row -> !held.contains(row.seq()) && !leftWhileReading.contains(row.seq()))
            .toList();
    fresh.forEach(row -> held.add(row.seq()));
    finish();
    return fresh;
  }

  private void moveMark(Read read, ClientPage page, long last) {
    Horizon to = horizon;
    if (to == null
        || outdated
        || read.afterSeq() > mark
        || page.oldestRunning() < to.transaction()) {
      return;
    }
    mark = Math.max(mark, page.complete() ? to.seq() : Math.min(to.seq(), last));
    if (mark >= to.seq()) {
      horizon = null;
    }
  }

  private void endPass(Instant now) {
    inPass = false;
    if (whole && !returned) {
      Duration wait = Duration.between(passAt, now).multipliedBy(SHARE);
      wholeFrom = now.plus(wait.compareTo(WAIT_MAX) > 0 ? WAIT_MAX : wait);
    }
  }

  /** A row has left the clients' range: settled, or replaced by rows of the owner's own. */
  void left(long seq) {
    held.remove(seq);
    if (reading != null) {
      leftWhileReading.add(seq);
    }
  }

  /**
   * Rows could not be taken after all: they are read once more, soon, and less soon if that happens
   * again and again.
   */
  void again(Collection<Long> seqs, Instant now) {
    if (seqs.isEmpty()) {
      return;
    }
    for (long seq : seqs) {
      left(seq);
      mark = Math.min(mark, seq - 1);
    }
    outdated |= reading != null; // that page leaves them out, and must not move the mark past them
    returned = true;
    lookAgain(now);
  }

  private void lookAgain(Instant now) {
    inPass = false;
    wholeFrom = now.plus(again);
    wholeOwed = true;
    again = again.multipliedBy(2).compareTo(WAIT_MAX) > 0 ? WAIT_MAX : again.multipliedBy(2);
  }

  /** A statement succeeded: whatever made others fail is over. */
  void succeeded() {
    again = AGAIN_FIRST;
  }

  private void finish() {
    reading = null;
    outdated = false;
    leftWhileReading.clear();
  }
}
