package dev.viesti.persistence.outbox;

import dev.viesti.protocol.delivery.Delivery;
import java.time.Instant;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** What a settlement does to a row. {@code row} is the version that is expected in the table. */
public sealed interface RowChange {
  Delivery row();

  /** The same change, expecting another version of the row in the table. */
  RowChange of(Delivery version);

  /** The row goes: settled or cancelled. */
  record Delete(Delivery row) implements RowChange {
    @Override
    public Delete of(Delivery version) {
      return new Delete(version);
    }
  }

  /** The row stays, in a new version. */
  sealed interface Later extends RowChange {
    Delivery next();
  }

  /** The row takes the place of the one it was made from ({@link Delivery#retriedAt}). */
  record Retry(Delivery row, Delivery next) implements Later {
    @Override
    public Retry of(Delivery version) {
      return new Retry(version, next);
    }
  }

  /**
   * The attempt goes on without its target. The row takes the place of the one it was made from
   * ({@link Delivery#deferredUntil}), and can be found by the delivery's id.
   */
  record Defer(Delivery row, Delivery next) implements Later {
    @Override
    public Defer of(Delivery version) {
      return new Defer(version, next);
    }
  }

  /**
   * The row says since when an attempt of it runs; its version stays as it is.
   *
   * @param since null when that attempt was interrupted and shall not count
   */
  record Mark(Delivery row, @Nullable Instant since) implements RowChange {
    @Override
    public Mark of(Delivery version) {
      return new Mark(version, since);
    }
  }

  /**
   * The row moves to the dead letters.
   *
   * @param deadLetterId UUIDv7, so that newer ones sort later
   * @param attempts attempts made in all
   */
  record Bury(
      Delivery row,
      UUID deadLetterId,
      int attempts,
      String error,
      @Nullable String attemptLog,
      @Nullable Instant firstAttemptAt,
      Instant lastAttemptAt)
      implements RowChange {
    @Override
    public Bury of(Delivery version) {
      return new Bury(
          version, deadLetterId, attempts, error, attemptLog, firstAttemptAt, lastAttemptAt);
    }
  }
}
