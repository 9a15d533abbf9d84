package dev.viesti.dispatcher.outbox;

import dev.viesti.dispatcher.DeliveryView;
import dev.viesti.dispatcher.wire.Answer;
import dev.viesti.persistence.outbox.RowChange;
import dev.viesti.protocol.delivery.Delivery;
import dev.viesti.protocol.delivery.DeliveryId;
import dev.viesti.protocol.delivery.Outcome;
import dev.viesti.protocol.trigger.TriggerId;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.UUID;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;

/**
 * What people ask an owner for: retry now, cancel, complete, replay, empty. Each is answered once.
 * Belongs to one {@link Outbox} and is called on its thread only.
 */
public final class OperatorRequests {
  /** What somebody asks for, and the news of it. All of it stays inside the JVM. */
  public sealed interface Request extends Outbox.Command {}

  /**
   * Which of its clients' rows run as they are, or will: those after a number, at most {@code
   * limit}. Answers {@link Answer.ClientRows}.
   *
   * @param trigger only this one's; null means all
   */
  public record ListClientRows(
      @Nullable TriggerId trigger, long afterSeq, int limit, ActorRef<Answer> replyTo)
      implements Request {}

  /** The same of the one that is this delivery. Answers {@link Answer.ClientRows}. */
  public record FindClientRow(DeliveryId id, ActorRef<Answer> replyTo) implements Request {}

  /** Answers {@link Answer.Running}. */
  public record AskRunning(ActorRef<Answer> replyTo) implements Request {}

  /**
   * Makes a row due now; {@code row} is what the table says. Answers {@link Answer.OneDelivery}.
   */
  public record RetryNow(Delivery row, ActorRef<Answer> replyTo) implements Request {}

  /** Removes a row; {@code row} is what the table says. Answers {@link Answer.Done}. */
  public record Cancel(Delivery row, ActorRef<Answer> replyTo) implements Request {}

  /** Puts dead letters back. Answers {@link Answer.Replayed}. */
  public record Replay(List<UUID> deadLetters, ActorRef<Answer> replyTo) implements Request {}

  /**
   * Somebody tells the outcome of a deferred delivery. Answers {@link Answer.Done} once it is
   * durable.
   */
  public record Complete(DeliveryId id, Outcome outcome, ActorRef<Answer> replyTo)
      implements Request {}

  /**
   * Stops running and accepting, cancels everything in the table, stops. Answers {@link
   * Answer.Done}.
   */
  public record Purge(ActorRef<Answer> replyTo) implements Request {}

  /** Answers {@link Answer.Done} when nothing waits, else a refusal. */
  public record AskEmpty(ActorRef<Answer> replyTo) implements Request {}

  record DeferredFound(Complete told, @Nullable Delivery row, @Nullable Throwable failure)
      implements Request {}

  /**
   * @param rows empty when the epoch is not ours any more
   */
  record Purged(OptionalInt rows, @Nullable Throwable failure, ActorRef<Answer> replyTo)
      implements Request {}

  private static final String STARTING = "the app's owner is starting or stopping";

  /** Rows of one statement, so that none is long. */
  private static final int PURGE_ROWS = 5_000;

  private final OutboxParts parts;
  private final Ownership ownership;
  private final Window window;
  private final OutboxSettling settling;
  private final OutboxRuns runs;
  private final Replays replays;
  private final BooleanSupplier nothingLeft;
  private @Nullable ActorRef<Answer> purging;

  /**
   * @param nothingLeft whether no row waits or runs, in memory or in the table
   */
  OperatorRequests(
      OutboxParts parts,
      Ownership ownership,
      Window window,
      OutboxSettling settling,
      OutboxRuns runs,
      Replays replays,
      BooleanSupplier nothingLeft) {
    this.parts = parts;
    this.ownership = ownership;
    this.window = window;
    this.settling = settling;
    this.runs = runs;
    this.replays = replays;
    this.nothingLeft = nothingLeft;
  }

  void on(Request request) {
    boolean owns = ownership.phase() == Ownership.Phase.OWNING;
    switch (request) {
      case AskRunning(var replyTo) -> replyTo.tell(new Answer.Running(runs.running()));
      case ListClientRows(var trigger, var afterSeq, var limit, var replyTo) ->
          replyTo.tell(
              clientRows(
                  row -> row.seq() > afterSeq && (trigger == null || trigger.equals(row.trigger())),
                  limit));
      case FindClientRow(var id, var replyTo) ->
          replyTo.tell(clientRows(row -> row.id().equals(id), 1));
      case RetryNow(var row, var replyTo) ->
          replyTo.tell(owns ? retryNow(row) : Answer.unavailable(STARTING));
      case Cancel(var row, var replyTo) -> {
        if (owns) {
          cancel(row, replyTo);
        } else {
          replyTo.tell(Answer.unavailable(STARTING));
        }
      }
      case AskEmpty(var replyTo) -> replyTo.tell(owns ? isEmpty() : Answer.unavailable(STARTING));
      case Complete complete -> complete(complete, owns);
      case DeferredFound found -> found(found, owns);
      case Replay replay -> {
        if (owns) {
          replays.replay(replay, ownership.epoch());
        } else {
          replay.replyTo().tell(Answer.unavailable(STARTING));
        }
      }
      case Purge(var replyTo) -> {
        if (owns) {
          ownership.purge();
          runs.cancelAll();
          purging = replyTo;
        } else {
          replyTo.tell(Answer.unavailable(STARTING));
        }
      }
      case Purged(var rows, var failure, var replyTo) -> purged(rows, failure, replyTo);
    }
  }

  private Answer clientRows(Predicate<Delivery> wanted, int limit) {
    List<Delivery> rows =
        window
            .ledger()
            .rows()
            .filter(row -> row.isUnrouted() && wanted.test(row))
            .sorted(Comparator.comparingLong(Delivery::seq))
            .limit(limit)
            .toList();
    return new Answer.ClientRows(
        rows.stream().map(Delivery::seq).toList(), rows.stream().map(Delivery::trigger).toList());
  }

  private Answer retryNow(Delivery stored) {
    return switch (placeOf(stored)) {
      case RUNNING, SETTLING ->
          Answer.conflict("an attempt of the delivery is under way: wait for its end");
      case PARKED -> Answer.conflict("its ordering key is parked: replay the key's dead letters");
      case HELD, READY, SCHEDULED ->
          new Answer.OneDelivery(
              new DeliveryView(dueNow(inMemory(stored)), DeliveryView.State.WAITING));
    };
  }

  /** Makes a row that waits for its time due now. */
  private Delivery dueNow(Delivery row) {
    Instant now = parts.now().truncatedTo(ChronoUnit.MICROS);
    if (row.waitsUntil() == null || !row.waitsUntil().isAfter(now)) {
      return row;
    }
    Delivery next = row.dueAt(now);
    window.admit(row);
    settling.change(new RowChange.Retry(row, next));
    return next;
  }

  private void cancel(Delivery stored, ActorRef<Answer> replyTo) {
    if (placeOf(stored) == Ledger.Place.SETTLING) {
      replyTo.tell(Answer.conflict("the delivery has just ended and is being settled"));
      return;
    }
    Delivery row = inMemory(stored);
    window.admit(row);
    runs.cancel(row.seq());
    settling.cancelled(row, replyTo);
  }

  private Answer isEmpty() {
    return nothingLeft.getAsBoolean()
        ? new Answer.Done()
        : Answer.conflict("deliveries wait or run: let them end, or cancel them");
  }

  // ---- complete

  private void complete(Complete told, boolean owns) {
    Executions.Run run = owns ? runs.find(told.id()) : null;
    if (!owns) {
      told.replyTo().tell(Answer.unavailable(STARTING));
    } else if (run != null) {
      settling.toldEarly(run.row, told.outcome(), told.replyTo());
    } else if (!settling.toldWhileDeferring(told.id(), told.outcome(), told.replyTo())) {
      parts.ask(
          () ->
              Optional.ofNullable(
                  parts.owners().tables().deliveries().findDeferred(parts.app(), told.id())),
          (row, failure) ->
              new DeferredFound(told, row == null ? null : row.orElse(null), failure));
    }
  }

  private void found(DeferredFound found, boolean owns) {
    Complete told = found.told();
    if (!owns || found.failure() != null) {
      told.replyTo().tell(Answer.unavailable(owns ? OutboxParts.why(found.failure()) : STARTING));
    } else if (found.row() == null) {
      told.replyTo()
          .tell(
              Answer.notFound(
                  "app '%s' has no deferred delivery '%s'".formatted(parts.app(), told.id())));
    } else {
      Delivery row = inMemory(found.row());
      if (placeOf(row) == Ledger.Place.SETTLING || !row.isDeferred()) {
        told.replyTo().tell(Answer.conflict("the delivery does not wait for its outcome any more"));
      } else {
        settling.told(row, told.outcome(), told.replyTo());
      }
    }
  }

  // ---- purge

  /** Nothing is on its way to the table: a purge that is to be made takes all there will be. */
  void nothingOnItsWay() {
    if (purging != null) {
      purge(purging);
      purging = null;
    }
  }

  private void purge(ActorRef<Answer> replyTo) {
    long epoch = ownership.epoch();
    parts.ask(
        () -> parts.owners().tables().housekeeping().purge(parts.app(), epoch, PURGE_ROWS),
        (rows, failure) -> new Purged(rows == null ? OptionalInt.empty() : rows, failure, replyTo));
  }

  private void purged(OptionalInt rows, @Nullable Throwable failure, ActorRef<Answer> replyTo) {
    if (failure != null) {
      replyTo.tell(
          Answer.unavailable("the database is not available: " + OutboxParts.why(failure)));
      ownership.end(); // whatever is left, an owner that starts anew finds it
    } else if (rows.isEmpty()) {
      replyTo.tell(Answer.unavailable(Outbox.MOVING));
      ownership.lost();
    } else if (rows.getAsInt() == PURGE_ROWS) {
      purge(replyTo);
    } else {
      replyTo.tell(new Answer.Done());
      ownership.end();
    }
  }

  // ---- rows

  /** Rows that are in the table only wait there. */
  private Ledger.Place placeOf(Delivery row) {
    Ledger.Place place = window.ledger().placeOf(row.seq());
    return place == null ? Ledger.Place.HELD : place;
  }

  private Delivery inMemory(Delivery stored) {
    Delivery row = window.ledger().row(stored.seq());
    return row == null ? stored : row;
  }
}
