package dev.viesti.dispatcher.outbox;

import dev.viesti.persistence.outbox.Claim;
import dev.viesti.protocol.delivery.Delivery;

/**
 * What an owner is careful with because owners before it went without a word: what they ran may be
 * why. What may have been running then is marked in the table before it runs again, and of the
 * deliveries that have seen a node go away, one runs at a time. Not thread-safe.
 */
final class CarefulStarts {
  /**
   * After one crash: what may have run at that moment, four times over. Rows of other triggers, or
   * of clients, may come before the one that did it; so each further crash in a row makes it four
   * times as many, until that one is among them, however large the backlog.
   */
  private static final int STARTS = 256;

  /** 256 · 4^12 is more than a table can hold. */
  private static final int GROWS_MAX = 12;

  private static final long NONE = -1;

  private long left;
  private long below;
  private long suspect = NONE;

  void claimed(Claim claim) {
    int grows = Math.min(claim.crashes() - 1, GROWS_MAX);
    left = claim.crashes() == 0 ? 0 : (long) STARTS << (2 * grows);
    below = claim.firstSeq();
  }

  /** Whether another delivery that may end a node runs: this one must wait for its end. */
  boolean mustWait(Delivery row) {
    return isSuspect(row) && suspect != NONE;
  }

  /**
   * An attempt of the row begins.
   *
   * @return whether the table must know before it runs
   */
  boolean begins(Delivery row) {
    boolean careful = left > 0 && row.seq() < below;
    left -= careful ? 1 : 0;
    boolean isSuspect = isSuspect(row);
    if (isSuspect) {
      suspect = row.seq();
    }
    return isSuspect || careful;
  }

  /** Its attempt is over. */
  void ended(Delivery row) {
    if (suspect == row.seq()) {
      suspect = NONE;
    }
  }

  private static boolean isSuspect(Delivery row) {
    return AttemptLog.crashes(row.attempts()) > 0;
  }
}
