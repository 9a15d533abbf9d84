package dev.viesti.dispatcher.outbox;

import dev.viesti.dispatcher.OutcomeNotice;
import dev.viesti.dispatcher.commit.SettleQueue;
import dev.viesti.dispatcher.wire.Answer;
import dev.viesti.persistence.outbox.RowChange;
import dev.viesti.protocol.delivery.Delivery;
import dev.viesti.protocol.delivery.DeliveryId;
import dev.viesti.protocol.delivery.OrderKey;
import dev.viesti.protocol.delivery.Outcome;
import dev.viesti.protocol.delivery.Settlement;
import dev.viesti.protocol.trigger.OnFailure;
import dev.viesti.protocol.trigger.Trigger;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;

/**
 * What follows from the end of an attempt: makes its outcome a change of the row, hands that to the
 * settler, and takes it over once it is durable. Belongs to one {@link Outbox} and is called on its
 * thread only.
 */
final class OutboxSettling {
  /** How the attempt of a row that is being settled has ended; {@code outcome} is its word. */
  private record Ended(int attempt, String outcome, @Nullable String error, Instant at) {}

  /** A day: longer than outages that mend themselves. */
  private static final Duration UNCOUNTED_MAX = Duration.ofDays(1);

  private final OutboxParts parts;
  private final Window window;
  private final SettleQueue queue;
  private final Map<Long, Ended> ending = new HashMap<>();
  private final List<OutcomeNotice> notices = new ArrayList<>();
  private final Told told = new Told();
  private final KeptRetries kept;
  private OutboxPolicy policy;

  OutboxSettling(OutboxParts parts, Window window, OutboxPolicy policy) {
    this.parts = parts;
    this.window = window;
    this.policy = policy;
    this.kept = new KeptRetries(parts.settings().retryInMemory());
    PostBox posts = parts.posts();
    this.queue =
        new SettleQueue(parts.app(), 0, result -> posts.post(new Outbox.SettleDone(result)));
  }

  void configure(OutboxPolicy changed) {
    policy = changed;
  }

  /** There is a new epoch; what waits to be settled goes under that one. */
  void renew(long epoch) {
    queue.renew(epoch);
  }

  // ---- outcomes

  /**
   * An attempt of the row has ended, or counts as ended.
   *
   * @param marked the table says that it runs, or soon will
   */
  void ended(Delivery row, Instant startedAt, Outcome outcome, boolean marked) {
    Instant at = parts.now();
    int attempt = row.nextAttempt();
    Trigger trigger = policy.triggers().get(row.trigger());
    attempted(trigger, outcome, startedAt);
    if (outcome instanceof Outcome.Permanent permanent && permanent.disablesTrigger()) {
      parts.parent().disable().accept(row.trigger(), permanent.reason());
    }
    var retry = trigger == null ? policy.settings().retry() : policy.retry(trigger);
    Outcome counted = countedIfOld(row, outcome, at);
    switch (Settlement.after(attempt, counted, retry, at, parts.owners().random())) {
      case Settlement.Settled settled -> {
        ending.put(row.seq(), new Ended(attempt, outcome.word(), null, at));
        change(new RowChange.Delete(row));
      }
      case Settlement.Retried(var dueAt, var error) -> {
        var ended = new Ended(attempt, outcome.word(), error, at);
        String log = AttemptLog.append(row.attempts(), attempt, startedAt, at, outcome);
        Instant started = startedAt.truncatedTo(ChronoUnit.MICROS);
        Delivery next = row.retriedAt(dueAt, started, error, log);
        if (!marked && kept.mayKeep(stored(row), dueAt, at)) {
          kept.keep(row, at);
          window.ledger().retried(next, at);
          retried(row, ended, dueAt);
        } else {
          ending.put(row.seq(), ended);
          change(new RowChange.Retry(row, next));
        }
      }
      case Settlement.Postponed(var dueAt, var reason) ->
          change(new RowChange.Retry(row, row.postponedTo(dueAt, reason)));
      case Settlement.Deferred(var deadline) -> defer(row, startedAt, deadline);
      case Settlement.DeadLettered(var error) -> {
        ending.put(row.seq(), new Ended(attempt, outcome.word(), error, at));
        String log = AttemptLog.append(row.attempts(), attempt, startedAt, at, outcome);
        giveUp(row, trigger, attempt, error, log, startedAt, at);
      }
    }
  }

  /**
   * An attempt succeeded, and its own transaction has settled the row.
   *
   * @return how many rows fewer are in the table
   */
  int settledItself(Delivery row, Trigger trigger, Instant startedAt) {
    attempted(trigger, Outcome.Succeeded.PLAIN, startedAt);
    ending.put(row.seq(), new Ended(row.nextAttempt(), "succeeded", null, parts.now()));
    return settled(new RowChange.Delete(row), false);
  }

  /** Gives a row up without an attempt. */
  void buryUntried(Delivery row, String reason) {
    Instant at = parts.now();
    ending.put(row.seq(), new Ended(row.attempt(), "permanent", reason, at));
    change(bury(row, row.attempt(), reason, row.attempts(), at, row.firstAttemptAt()));
  }

  /** A delivery without an ordering key holds up nobody; of one with a key its trigger decides. */
  private void giveUp(
      Delivery row,
      @Nullable Trigger trigger,
      int attempt,
      String error,
      String log,
      Instant startedAt,
      Instant at) {
    Instant started = startedAt.truncatedTo(ChronoUnit.MICROS);
    OrderKey key = trigger == null ? null : OrderKey.of(row);
    OnFailure rule = trigger == null || key == null ? OnFailure.SKIP : trigger.onFailure();
    if (rule == OnFailure.BLOCK) {
      change(new RowChange.Retry(row, row.retriedAt(Delivery.BLOCKED_UNTIL, started, error, log)));
      return;
    }
    if (rule == OnFailure.PARK && key != null) {
      window.ledger().parked().burying(key);
    }
    Instant first = row.firstAttemptAt() == null ? startedAt : row.firstAttemptAt();
    change(bury(row, attempt, error, log, at, first));
  }

  /** Somebody may have told the outcome before the target had even answered. */
  private void defer(Delivery row, Instant startedAt, Instant deadline) {
    Outcome early = told.take(row.seq());
    if (early != null) {
      ended(row, startedAt, early, true);
      return;
    }
    Instant since = startedAt.truncatedTo(ChronoUnit.MICROS);
    Instant until = deadline.isAfter(since) ? deadline : since.plus(1, ChronoUnit.MICROS);
    told.deferring(row);
    change(new RowChange.Defer(row, row.deferredUntil(until, since)));
  }

  /** An endpoint that is away for ever must not keep a delivery for ever. */
  private static Outcome countedIfOld(Delivery row, Outcome outcome, Instant at) {
    return outcome instanceof Outcome.Postponed(var reason, var by)
            && Duration.between(row.acceptedAt(), at).compareTo(UNCOUNTED_MAX) > 0
        ? new Outcome.Retryable(reason, by, null)
        : outcome;
  }

  private RowChange bury(
      Delivery row,
      int attempts,
      String error,
      @Nullable String log,
      Instant at,
      @Nullable Instant firstAttemptAt) {
    return new RowChange.Bury(
        row, parts.owners().ids().get(), attempts, error, log, firstAttemptAt, at);
  }

  private void attempted(@Nullable Trigger trigger, Outcome outcome, Instant startedAt) {
    parts
        .owners()
        .telemetry()
        .attempted(
            trigger == null ? "removed" : trigger.target().kind(),
            outcome.word(),
            Duration.between(startedAt, parts.now()));
  }

  // ---- outcomes that somebody else tells

  /**
   * Somebody tells the outcome of an attempt that is under way: it counts as soon as the target has
   * answered that it is deferred.
   */
  void toldEarly(Delivery row, Outcome outcome, ActorRef<Answer> replyTo) {
    told.early(row.seq(), outcome, replyTo);
  }

  /**
   * The same of an attempt that has just answered so, while that is on its way to the table.
   *
   * @return false when there is no such attempt
   */
  boolean toldWhileDeferring(DeliveryId id, Outcome outcome, ActorRef<Answer> replyTo) {
    Long seq = told.deferring(id);
    if (seq == null) {
      return false;
    }
    told.early(seq, outcome, replyTo);
    return true;
  }

  /** The same of a row that waits for it. */
  void told(Delivery row, Outcome outcome, ActorRef<Answer> replyTo) {
    told.wait(row.seq(), replyTo);
    endedElsewhere(row, outcome);
  }

  /** An operator has the row removed; answers {@code replyTo} once that is durable. */
  void cancelled(Delivery row, ActorRef<Answer> replyTo) {
    told.wait(row.seq(), replyTo);
    change(new RowChange.Delete(row));
  }

  /** The owner stops: whoever waits for it has to ask again. */
  void leave(String why) {
    told.leave(why);
  }

  private void endedElsewhere(Delivery row, Outcome outcome) {
    window.admit(row);
    ended(row, row.runningSince() == null ? parts.now() : row.runningSince(), outcome, true);
  }

  // ---- to the table

  /** The version that the table has of a row in memory. */
  Delivery stored(Delivery row) {
    return kept.stored(row);
  }

  /** Hands a change of a row to the settler. */
  void change(RowChange change) {
    window.ledger().settling(change.row().seq());
    Delivery row = change.row();
    again(kept.keeps(row.seq()) ? change.of(stored(row)) : change);
  }

  /** Writes the retries that memory has kept for long enough. */
  void writeKept() {
    kept.overdue(parts.now()).forEach(this::writeKept);
  }

  /** Writes all of them, and keeps no more: another owner is to know of them. */
  void keepNoMore() {
    kept.keepNoMore().forEach(this::writeKept);
  }

  private void writeKept(long seq) {
    Delivery row = window.ledger().row(seq);
    Ledger.Place place = window.ledger().placeOf(seq);
    if (row != null && (place == Ledger.Place.SCHEDULED || place == Ledger.Place.READY)) {
      change(new RowChange.Retry(row, row));
    }
  }

  /** Has the row say since when it runs, or that it does not; its place in memory stays. */
  void mark(Delivery row, @Nullable Instant since) {
    again(new RowChange.Mark(stored(row), since));
  }

  /** A change of our own older epoch goes again, under the new one. */
  void again(RowChange change) {
    parts.owners().commits().settler().settle(queue, change);
  }

  // ---- settled

  /**
   * A change is durable; of marks {@link OutboxRuns#marked} takes notice.
   *
   * @param missed a row to be tried again was not there in its old version; see {@link
   *     Window#waitsAgain}
   * @return how many rows fewer are in the table
   */
  int settled(RowChange change, boolean missed) {
    Delivery row = change.row();
    if (change instanceof RowChange.Mark) {
      return 0;
    }
    kept.written(row.seq());
    Ended ended = ending.remove(row.seq());
    if (!(change instanceof RowChange.Defer && told.isEarly(row.seq()))) {
      told.settled(row.seq());
    }
    return switch (change) {
      case RowChange.Mark mark -> 0;
      case RowChange.Delete delete -> {
        window.left(row);
        over(row, ended, ended == null ? "cancelled" : "settled");
        yield 1;
      }
      case RowChange.Bury bury -> {
        window.ledger().parked().buried(OrderKey.of(row));
        window.left(row);
        over(row, ended, "dead_lettered");
        yield 1;
      }
      case RowChange.Later later -> {
        if (later instanceof RowChange.Defer) {
          told.deferred(row);
        }
        later(later, ended, missed);
        yield 0;
      }
    };
  }

  private void over(Delivery row, @Nullable Ended ended, String how) {
    parts.owners().telemetry().ended(how, Duration.between(row.acceptedAt(), parts.now()));
    notice(row, ended, how, null);
  }

  private void later(RowChange.Later later, @Nullable Ended ended, boolean missed) {
    Delivery next = later.next();
    window.waitsAgain(next, missed);
    if (ended != null && next.isBlocked()) {
      parts.owners().telemetry().blocked();
      notice(later.row(), ended, "blocked", null);
    } else if (ended != null) {
      retried(later.row(), ended, next.dueAt());
    }
    Outcome early = later instanceof RowChange.Defer ? told.take(next.seq()) : null;
    if (early != null) {
      endedElsewhere(next, early);
    }
  }

  private void retried(Delivery row, Ended ended, @Nullable Instant dueAt) {
    parts.owners().telemetry().retried();
    notice(row, ended, "retried", dueAt);
  }

  /** A row was not there in the version that was named: the table has the last word. */
  void lookAgain(Delivery row) {
    Delivery stored = stored(row);
    kept.written(row.seq());
    window.lookAgain(stored);
  }

  /** The database will never take the change: the row stays in the table until the next owner. */
  void forget(RowChange change) {
    kept.written(change.row().seq());
    ending.remove(change.row().seq());
    told.deferred(change.row());
    window.ledger().gone(change.row().seq(), parts.now());
  }

  /** Shows what {@link #settled} has gathered. */
  void show() {
    if (!notices.isEmpty()) {
      parts.owners().notices().show().accept(List.copyOf(notices));
      notices.clear();
    }
  }

  private void notice(
      Delivery row, @Nullable Ended ended, String settlement, @Nullable Instant nextAttemptAt) {
    if (ended != null && parts.owners().notices().wanted().getAsBoolean()) {
      notices.add(
          new OutcomeNotice(
              parts.app(),
              row.trigger(),
              row.id(),
              row.event().cloudEventId(),
              row.event().type(),
              ended.attempt(),
              ended.outcome(),
              settlement,
              ended.error(),
              nextAttemptAt,
              row.acceptedAt(),
              ended.at()));
    }
  }
}
