package dev.viesti.dispatcher.outbox;

import dev.viesti.persistence.outbox.Claim;
import dev.viesti.protocol.delivery.OrderKey;
import dev.viesti.protocol.trigger.TriggerId;
import java.time.Duration;
import java.util.OptionalLong;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The epoch of an outbox: claims it, renews it when a commit is in doubt, gives it back. Belongs to
 * one {@link Outbox} and is called on its thread only.
 */
final class Ownership {
  /** What became of its statements. */
  sealed interface News extends Outbox.Command {}

  record Claimed(@Nullable Claim claim, Set<OrderKey> parked, @Nullable Throwable failure)
      implements News {}

  record Renewed(OptionalLong epoch, @Nullable Throwable failure) implements News {}

  record ClaimAgain() implements News {}

  record Released() implements News {}

  /** {@code CLAIMING → OWNING ⇄ RENEWING → DRAINING → stopped}; see {@link Outbox}. */
  enum Phase {
    CLAIMING,
    OWNING,
    RENEWING,
    DRAINING,
    PURGING
  }

  private record Start(Claim claim, Set<OrderKey> parked) {}

  private static final Duration AGAIN_FIRST = Duration.ofMillis(200);
  private static final Duration AGAIN_MAX = Duration.ofSeconds(5);

  private final OutboxParts parts;
  private Phase phase = Phase.CLAIMING;
  private Duration again = AGAIN_FIRST;
  private long epoch;
  private long firstSeq;
  private boolean ending;
  private boolean releasing;

  Ownership(OutboxParts parts) {
    this.parts = parts;
  }

  Phase phase() {
    return phase;
  }

  /** 0 before the first claim. */
  long epoch() {
    return epoch;
  }

  /** Whether what memory holds may run: a renewal changes nothing about that. */
  boolean mayRun() {
    return phase == Phase.OWNING || phase == Phase.RENEWING;
  }

  /** The owner has nothing more to do, whatever is left in the table. */
  void end() {
    ending = true;
  }

  boolean isEnding() {
    return ending;
  }

  // ---- the epoch

  /**
   * Asks for the epoch.
   *
   * @param parking triggers whose parked keys are to be read with it
   */
  void claim(Set<TriggerId> parking) {
    parts.ask(
        () -> {
          Owners.Tables tables = parts.owners().tables();
          Claim claim =
              tables
                  .owners()
                  .claim(parts.app(), parts.owners().node(), parts.settings().pendingMax());
          return new Start(claim, tables.deadLetters().parkedKeys(parts.app(), parking));
        },
        (started, failure) ->
            started == null
                ? new Claimed(null, Set.of(), failure)
                : new Claimed(started.claim(), started.parked(), null));
  }

  void claimed(Claim claim) {
    again = AGAIN_FIRST;
    epoch = claim.epoch();
    firstSeq = claim.firstSeq();
    parts.owners().commits().seqs().startAt(firstSeq);
    phase = Phase.OWNING;
    parts
        .log()
        .debug("app {} is owned here, epoch {}, {} rows wait", parts.app(), epoch, claim.pending());
  }

  void claimFailed(@Nullable Throwable failure) {
    parts
        .log()
        .warn(
            "app {} could not claim its outbox ({}); trying again in {} ms",
            parts.app(),
            OutboxParts.why(failure),
            again.toMillis());
    againLater();
  }

  /** A commit whose answer was lost may still take effect: after a new epoch it cannot any more. */
  void renew() {
    if (phase == Phase.OWNING) {
      phase = Phase.RENEWING;
      askToRenew();
    }
  }

  private void askToRenew() {
    parts.ask(
        () -> parts.owners().tables().owners().renew(parts.app(), epoch),
        (renewed, failure) ->
            new Renewed(renewed == null ? OptionalLong.empty() : renewed, failure));
  }

  /**
   * There is a new epoch, and the outbox is still ours.
   *
   * @return false when it is being given up meanwhile: it takes no new events
   */
  boolean renewed(long newEpoch) {
    again = AGAIN_FIRST;
    epoch = newEpoch;
    if (phase != Phase.RENEWING) {
      return false;
    }
    phase = Phase.OWNING;
    return true;
  }

  void againLater() {
    parts.timers().startSingleTimer(new ClaimAgain(), again);
    again = again.multipliedBy(2).compareTo(AGAIN_MAX) > 0 ? AGAIN_MAX : again.multipliedBy(2);
  }

  /** What {@link #againLater} was for. */
  void again(Set<TriggerId> parking) {
    if (phase == Phase.CLAIMING) {
      claim(parking);
    } else if (phase == Phase.RENEWING) {
      askToRenew();
    }
  }

  /** Somebody else is the owner. */
  void lost() {
    parts.log().warn("app {} has another owner now; epoch {} gives it up", parts.app(), epoch);
    parts.owners().telemetry().fenced();
    end();
  }

  // ---- numbers

  /** Rows up to this number are in the table, or never will be, once nothing is in doubt. */
  long certainUpTo() {
    return Math.max(parts.owners().commits().seqs().last(), firstSeq - 1);
  }

  /** The same while writes are under way: whatever an owner before has numbered. */
  long beforeClaim() {
    return firstSeq - 1;
  }

  // ---- giving it up

  /** Takes no new events and starts nothing. */
  void drain() {
    phase = Phase.DRAINING;
  }

  /** The same, and everything in the table is cancelled. */
  void purge() {
    phase = Phase.PURGING;
  }

  /**
   * Says that nobody owns the outbox, once; {@link Released} follows in any case.
   *
   * @param quiet for how long no attempt has been started
   */
  void release(Duration quiet) {
    if (!releasing) {
      releasing = true;
      parts.ask(
          () -> {
            parts.owners().tables().owners().release(parts.app(), epoch, quiet);
            return true;
          },
          (done, failure) -> new Released());
    }
  }
}
