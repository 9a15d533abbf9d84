package dev.viesti.dispatcher.outbox;

import dev.viesti.dispatcher.OutcomeNotice;
import dev.viesti.dispatcher.commit.SettleQueue;
import dev.viesti.dispatcher.execution.Execution;
import dev.viesti.dispatcher.execution.Gate;
import dev.viesti.dispatcher.metrics.Telemetry;
import dev.viesti.persistence.outbox.RowChange;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.delivery.Delivery;
import dev.viesti.protocol.delivery.Outcome;
import dev.viesti.protocol.delivery.Settlement;
import dev.viesti.protocol.handler.HandlerCall;
import dev.viesti.protocol.trigger.Trigger;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.jspecify.annotations.Nullable;

/**
 * The rows in an owner's memory and the executions that run them: starts what the limits and the
 * gate allow, turns outcomes into changes of the table, and takes the changes over once they are
 * durable. Belongs to one {@link Outbox} and is called on its thread only.
 */
final class OutboxRuns {
  /** How the attempt of a row that is being settled has ended; {@code outcome} is its word. */
  private record Ended(int attempt, String outcome, @Nullable String error, Instant at) {}

  /** A day: longer than outages that mend themselves. */
  private static final Duration UNCOUNTED_MAX = Duration.ofDays(1);

  private final ActorContext<Outbox.Command> context;
  private final Owners owners;
  private final AppId app;
  private final SettleQueue settleQueue;
  private final Ledger ledger = new Ledger();
  private final Map<Long, ActorRef<Execution.Command>> executions = new HashMap<>();
  private final Map<Long, Ended> ending = new HashMap<>();
  private final List<OutcomeNotice> notices = new ArrayList<>();
  private final Gate.Waiter waiter;
  private OutboxPolicy policy;
  private boolean inLine;

  OutboxRuns(
      ActorContext<Outbox.Command> context,
      Owners owners,
      AppId app,
      OutboxPolicy policy,
      SettleQueue settleQueue) {
    this.context = context;
    this.owners = owners;
    this.app = app;
    this.policy = policy;
    this.settleQueue = settleQueue;
    ActorRef<Outbox.Command> self = context.getSelf();
    this.waiter = () -> self.tell(new Outbox.Granted());
  }

  void configure(OutboxPolicy newPolicy) {
    policy = newPolicy;
  }

  // ---- memory

  boolean hasRoom() {
    return ledger.size() < owners.settings().windowRows()
        && ledger.bytes() < owners.settings().windowBytes();
  }

  boolean hasRoomForPage() {
    OutboxSettings settings = owners.settings();
    return ledger.size() + settings.pageRows() <= settings.windowRows()
        && ledger.bytes() + settings.windowBytes() / PageLoader.PAGE_SHARE
            <= settings.windowBytes();
  }

  void admit(Delivery row) {
    ledger.admit(row, now());
  }

  void promote() {
    ledger.promote(now());
  }

  @Nullable Instant nextDue() {
    return ledger.nextDue();
  }

  boolean isEmpty() {
    return ledger.size() == 0;
  }

  /** Nothing runs and nothing is on its way to the table. */
  boolean quiet() {
    return ledger.running() == 0 && ledger.settling() == 0;
  }

  List<Long> running() {
    return List.copyOf(executions.keySet());
  }

  Telemetry.OwnerState state(long pending) {
    return new Telemetry.OwnerState(pending, ledger.running(), ledger.oldestAcceptedAt());
  }

  // ---- running

  /** Starts what may run: up to the app's limit, each trigger's limit and the node's permits. */
  void start(long epoch) {
    while (!inLine && underAppLimit()) {
      Delivery row = ledger.startNext(policy::limit);
      if (row == null) {
        return;
      }
      if (owners.gate().acquire(waiter)) {
        begin(row, epoch);
      } else {
        inLine = true;
        ledger.notStarted(row.seq());
      }
    }
  }

  /** A permit that was waited for is here. */
  void granted(boolean mayRun, long epoch) {
    inLine = false;
    Delivery row = mayRun && underAppLimit() ? ledger.startNext(policy::limit) : null;
    if (row == null) {
      owners.gate().release();
    } else {
      begin(row, epoch);
    }
  }

  private boolean underAppLimit() {
    return !policy.settings().paused() && ledger.running() < policy.settings().concurrency();
  }

  private void begin(Delivery row, long epoch) {
    Trigger trigger = policy.triggers().get(row.trigger());
    Instant startedAt = now();
    if (trigger == null) {
      owners.gate().release();
      String reason = "trigger " + row.trigger() + " was removed";
      ending.put(row.seq(), new Ended(row.attempt(), "permanent", reason, startedAt));
      settle(bury(row, row.attempt(), reason, row.attempts(), startedAt, row.firstAttemptAt()));
      return;
    }
    var call = new HandlerCall(app, row.trigger(), row.id(), row.nextAttempt(), epoch, row.event());
    ActorRef<Outbox.Command> self = context.getSelf();
    ActorRef<Execution.Command> execution =
        context.spawnAnonymous(
            Execution.create(
                "execution-" + app + "-" + row.seq(),
                () -> owners.targets().run(trigger.target(), call, trigger.timeout()),
                trigger.timeout(),
                outcome -> self.tell(new Outbox.AttemptEnded(row, startedAt, outcome))));
    executions.put(row.seq(), execution);
  }

  /** An execution has reported. One that was cancelled meanwhile is not listened to any more. */
  void ended(Delivery row, Instant startedAt, Outcome outcome, Outbox.Parent parent) {
    if (executions.remove(row.seq()) == null) {
      return;
    }
    owners.gate().release();
    Instant at = now();
    int attempt = row.nextAttempt();
    Trigger trigger = policy.triggers().get(row.trigger());
    owners
        .telemetry()
        .attempted(
            trigger == null ? "removed" : trigger.target().kind(),
            outcome.word(),
            Duration.between(startedAt, at));
    if (outcome instanceof Outcome.Permanent permanent && permanent.disablesTrigger()) {
      parent.disable().accept(row.trigger(), permanent.reason());
    }
    var retry = trigger == null ? policy.settings().retry() : policy.retry(trigger);
    Outcome counted = countedIfOld(row, outcome, at);
    switch (Settlement.after(attempt, counted, retry, at, owners.random())) {
      case Settlement.Settled settled -> {
        ending.put(row.seq(), new Ended(attempt, outcome.word(), null, at));
        settle(new RowChange.Delete(row));
      }
      case Settlement.Retried(var dueAt, var error) -> {
        ending.put(row.seq(), new Ended(attempt, outcome.word(), error, at));
        String log = AttemptLog.append(row.attempts(), attempt, startedAt, at, outcome);
        Instant started = startedAt.truncatedTo(ChronoUnit.MICROS);
        settle(new RowChange.Retry(row, row.retriedAt(dueAt, started, error, log)));
      }
      case Settlement.Postponed(var dueAt, var reason) ->
          settle(new RowChange.Retry(row, row.postponedTo(dueAt, reason)));
      case Settlement.DeadLettered(var error) -> {
        ending.put(row.seq(), new Ended(attempt, outcome.word(), error, at));
        String log = AttemptLog.append(row.attempts(), attempt, startedAt, at, outcome);
        Instant first = row.firstAttemptAt() == null ? startedAt : row.firstAttemptAt();
        settle(bury(row, attempt, error, log, at, first));
      }
    }
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
    return new RowChange.Bury(row, owners.ids().get(), attempts, error, log, firstAttemptAt, at);
  }

  private void settle(RowChange change) {
    ledger.settling(change.row().seq());
    owners.commits().settler().settle(settleQueue, change);
  }

  // ---- settled

  /** A change of our own older epoch goes again, under the new one. */
  void settleAgain(RowChange change) {
    owners.commits().settler().settle(settleQueue, change);
  }

  /**
   * A change is durable.
   *
   * @param missed a row to be tried again was not there in its old version: it has its new one
   *     since a commit whose answer was lost, or it is gone; the table will tell when it is due. A
   *     row with an ordering key stays in memory all the same, for others wait behind it
   * @return how many rows fewer are in the table
   */
  int settled(RowChange change, boolean missed, TablePosition table) {
    Instant now = now();
    Delivery row = change.row();
    Ended ended = ending.remove(row.seq());
    return switch (change) {
      case RowChange.Delete delete -> {
        ledger.gone(row.seq(), now);
        table.left(row.seq());
        String how = ended == null ? "cancelled" : "settled";
        owners.telemetry().ended(how, Duration.between(row.acceptedAt(), now));
        notice(row, ended, how, null);
        yield 1;
      }
      case RowChange.Bury bury -> {
        ledger.gone(row.seq(), now);
        table.left(row.seq());
        owners.telemetry().ended("dead_lettered", Duration.between(row.acceptedAt(), now));
        notice(row, ended, "dead_lettered", null);
        yield 1;
      }
      case RowChange.Retry retry -> {
        Instant due = retry.next().dueAt();
        boolean near = !missed && table.near(due, now);
        if (due == null || row.orderingKey() != null || near) {
          ledger.retried(retry.next(), now);
        } else {
          ledger.gone(row.seq(), now);
          table.left(row.seq());
          table.dropped(due);
        }
        if (ended != null) {
          owners.telemetry().retried();
          notice(row, ended, "retried", due);
        }
        yield 0;
      }
    };
  }

  /** Shows what {@link #settled} has gathered. */
  void show() {
    if (!notices.isEmpty()) {
      owners.notices().show().accept(List.copyOf(notices));
      notices.clear();
    }
  }

  private void notice(
      Delivery row, @Nullable Ended ended, String settlement, @Nullable Instant nextAttemptAt) {
    if (ended != null && owners.notices().wanted().getAsBoolean()) {
      notices.add(
          new OutcomeNotice(
              app,
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

  /** The database will never take the change: the row stays in the table until the next owner. */
  void forget(RowChange change) {
    ending.remove(change.row().seq());
    ledger.gone(change.row().seq(), now());
  }

  // ---- what operators ask for

  /** Rows that are in the table only wait there. */
  Ledger.Place placeOf(long seq) {
    Ledger.Place place = ledger.placeOf(seq);
    return place == null ? Ledger.Place.HELD : place;
  }

  /**
   * Makes a row that waits for its time due now.
   *
   * @param stored the row as it is in the table
   * @return the row as it will be
   */
  Delivery retryNow(Delivery stored) {
    Delivery row = inMemory(stored);
    Instant now = now().truncatedTo(ChronoUnit.MICROS);
    if (row.waitsUntil() == null || !row.waitsUntil().isAfter(now)) {
      return row;
    }
    Delivery next = row.dueAt(now);
    ledger.admit(row, now);
    settle(new RowChange.Retry(row, next));
    return next;
  }

  void cancel(Delivery stored) {
    Delivery row = inMemory(stored);
    ledger.admit(row, now());
    ActorRef<Execution.Command> execution = executions.remove(row.seq());
    if (execution != null) {
      execution.tell(new Execution.Cancel());
      owners.gate().release();
    }
    settle(new RowChange.Delete(row));
  }

  private Delivery inMemory(Delivery stored) {
    Delivery row = ledger.row(stored.seq());
    return row == null ? stored : row;
  }

  /** Interrupts everything that runs; it stays in the table and will be run again. */
  void cancelAll() {
    for (Map.Entry<Long, ActorRef<Execution.Command>> entry : executions.entrySet()) {
      entry.getValue().tell(new Execution.Cancel());
      owners.gate().release();
      ledger.gone(entry.getKey(), now());
    }
    executions.clear();
  }

  /** Gives back what others could wait for. The executions stop with their parent. */
  void leave() {
    cancelAll();
    if (inLine && !owners.gate().leave(waiter)) {
      owners.gate().release();
    }
    inLine = false;
  }

  private Instant now() {
    return owners.clock().instant();
  }
}
