package dev.viesti.dispatcher.outbox;

import dev.viesti.dispatcher.OutcomeNotice;
import dev.viesti.dispatcher.commit.SettleQueue;
import dev.viesti.dispatcher.execution.Execution;
import dev.viesti.dispatcher.execution.Gate;
import dev.viesti.dispatcher.metrics.Telemetry;
import dev.viesti.dispatcher.wire.Answer;
import dev.viesti.persistence.outbox.Claim;
import dev.viesti.persistence.outbox.RowChange;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.delivery.Delivery;
import dev.viesti.protocol.delivery.DeliveryId;
import dev.viesti.protocol.delivery.OrderKey;
import dev.viesti.protocol.delivery.Outcome;
import dev.viesti.protocol.delivery.Settlement;
import dev.viesti.protocol.handler.HandlerCall;
import dev.viesti.protocol.trigger.OnFailure;
import dev.viesti.protocol.trigger.Trigger;
import dev.viesti.protocol.trigger.TriggerId;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.pekko.actor.typed.ActorRef;
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

  /** Longer attempts are marked in the table; shorter ones are over before it would be worth it. */
  private static final Duration MARK_AFTER = Duration.ofSeconds(1);

  /** After a crash: what may have run at that moment, four times over. */
  private static final int CAREFUL_STARTS = 256;

  /** Between two looks whether another delivery that may end a node has ended. */
  private static final Duration SUSPECT_PAUSE = Duration.ofMillis(200);

  /** How far beyond the window memory may grow for rows that others in it wait for. */
  private static final int REWOUND_PAGES = 2;

  private final PostBox posts;
  private final Outbox.Parent parent;
  private final Owners owners;
  private final AppId app;
  private final SettleQueue settleQueue;
  private final Ledger ledger = new Ledger();
  private final Executions executions = new Executions();
  private final Map<Long, Ended> ending = new HashMap<>();
  private final List<OutcomeNotice> notices = new ArrayList<>();
  private final List<Delivery> fenced = new ArrayList<>();
  private final Told told = new Told();
  private final Gate.Place place;
  private final Rates rates = new Rates();
  private OutboxPolicy policy;
  private boolean inLine;
  private boolean replaying;
  private int carefulStarts;
  private long carefulBelow;
  private long suspect = -1;

  OutboxRuns(
      ActorRef<Outbox.Command> self,
      PostBox posts,
      Outbox.Parent parent,
      Owners owners,
      AppId app,
      OutboxPolicy policy,
      SettleQueue settleQueue) {
    this.posts = posts;
    this.parent = parent;
    this.owners = owners;
    this.app = app;
    this.policy = policy;
    this.settleQueue = settleQueue;
    this.place = owners.gate().place(() -> self.tell(new Outbox.Granted()));
    apply(policy);
  }

  /**
   * Owners before this one went without a word: what they ran may be why. What may have been
   * running then is marked before it runs again.
   */
  void claimed(Claim claim) {
    carefulStarts = claim.crashes() == 0 ? 0 : CAREFUL_STARTS;
    carefulBelow = claim.firstSeq();
    if (claim.epoch() > 1) {
      rates.takeOver(now());
    }
  }

  /**
   * @return whether keys may be parked of which the table of dead letters has not been asked
   */
  boolean configure(OutboxPolicy newPolicy) {
    Set<TriggerId> before = policy.parking();
    policy = newPolicy;
    apply(newPolicy);
    Set<TriggerId> parking = newPolicy.parking();
    ledger.parked().retain(key -> parking.contains(key.trigger()));
    ledger.rearrange(now());
    return !before.containsAll(parking);
  }

  private void apply(OutboxPolicy changed) {
    owners.gate().weigh(place, changed.settings().weight());
    rates.configure(changed);
    ledger.prioritise(changed::priority);
  }

  /** Executions that a trigger may have now. */
  private int limit(TriggerId trigger) {
    return rates.allows(trigger, now()) ? policy.limit(trigger) : 0;
  }

  // ---- parked keys

  /** Triggers that park their keys. */
  Set<TriggerId> parking() {
    return policy.parking();
  }

  /** Whether a dead letter of a parked key is on its way: what replays the key must wait for it. */
  boolean isBurying() {
    return ledger.parked().isBurying();
  }

  /** While dead letters are being put back, no further delivery joins them. */
  void replaying(boolean underWay) {
    replaying = underWay;
  }

  /** Dead letters are back in the table, all of them of these keys. */
  void replayed(Set<OrderKey> keys, TablePosition table) {
    ledger.parked().replayed(keys);
    known(table);
    ledger.rearrange(now());
  }

  long askingForParked() {
    return ledger.parked().asking();
  }

  /**
   * The table says which keys have open dead letters.
   *
   * @return false when it must be asked again: a replay is under way, and it may have seen what the
   *     owner has not
   */
  boolean parked(long asked, Set<OrderKey> open) {
    if (replaying) {
      return false;
    }
    Set<TriggerId> parking = policy.parking();
    Set<OrderKey> keys = new HashSet<>(open);
    keys.removeIf(key -> !parking.contains(key.trigger()));
    ledger.parked().answered(asked, keys);
    ledger.rearrange(now());
    return true;
  }

  private void park() {
    Delivery row = replaying ? null : ledger.nextParked();
    while (row != null) {
      Instant at = now();
      String reason = "parked: an earlier delivery of its key is a dead letter";
      ending.put(row.seq(), new Ended(row.attempt(), "permanent", reason, at));
      ledger.parked().burying(new OrderKey(row.trigger(), String.valueOf(row.orderingKey())));
      settle(bury(row, row.attempt(), reason, row.attempts(), at, row.firstAttemptAt()));
      row = ledger.nextParked();
    }
  }

  // ---- memory

  boolean hasRoom() {
    return ledger.size() < owners.settings().windowRows()
        && ledger.bytes() < owners.settings().windowBytes();
  }

  /**
   * Whether a fresh row may pass those that are only in the table: it has a priority, and no order.
   */
  boolean mayPass(Delivery row) {
    OutboxSettings settings = owners.settings();
    return row.orderingKey() == null
        && policy.priority(row.trigger()) > 0
        && ledger.size() < settings.windowRows() + settings.pageRows();
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

  /** Rows of a page, read while it is known that the table has all others up to that number. */
  void admit(List<Delivery> rows, TablePosition table) {
    rows.forEach(this::admit);
    known(table);
  }

  /** What is read of the table has changed. */
  void known(TablePosition table) {
    ledger.knownUpTo(table.knownUpTo(), table.atOnceUpTo(), now());
  }

  /** Whether a page may be read though memory is full: rows in memory wait for those in it. */
  boolean mustRead(TablePosition table) {
    OutboxSettings settings = owners.settings();
    return (table.rewound() || ledger.waitsForRows())
        && ledger.size() < settings.windowRows() + REWOUND_PAGES * settings.pageRows();
  }

  /** What became due, and attempts whose time is up. */
  void promote() {
    Instant now = now();
    ledger.promote(now);
    for (Executions.Run run : executions.overdue(now)) {
      run.cancel();
      if (run.isStarted()) {
        stopped(run, new Outcome.TimedOut(run.trigger.timeout()));
      } else { // its mark is still on its way to a database that is slow: nothing has run
        var again = new Executions.Run(run.row, run.trigger, now);
        again.mark();
        executions.add(again);
      }
    }
  }

  /** When {@link #promote} must be called next; null when it need not be. */
  @Nullable Instant nextDue() {
    return Stream.of(
            Optional.ofNullable(ledger.nextDue()),
            Optional.ofNullable(executions.nextCheck()),
            Optional.ofNullable(rates.heldUntil()))
        .flatMap(Optional::stream)
        .min(Comparator.naturalOrder())
        .orElse(null);
  }

  boolean isEmpty() {
    return ledger.size() == 0;
  }

  /** Nothing runs and nothing is on its way to the table. */
  boolean quiet() {
    return ledger.running() == 0 && ledger.settling() == 0;
  }

  List<Long> running() {
    return executions.seqs();
  }

  Telemetry.OwnerState state(long pending) {
    return new Telemetry.OwnerState(pending, ledger.running(), ledger.oldestAcceptedAt());
  }

  // ---- running

  /** Starts what may run: up to the app's limit, each trigger's limit and the node's permits. */
  void start(long epoch) {
    park();
    rates.look();
    while (!inLine && underAppLimit()) {
      Delivery row = ledger.startNext(this::limit);
      if (row == null) {
        return;
      }
      if (owners.gate().acquire(place)) {
        begin(row, epoch);
      } else {
        inLine = true;
        ledger.notStarted(row.seq(), now());
      }
    }
  }

  /** A permit that was waited for is here. */
  void granted(boolean mayRun, long epoch) {
    inLine = false;
    Delivery row = mayRun && underAppLimit() ? ledger.startNext(this::limit) : null;
    if (row == null) {
      owners.gate().release();
    } else {
      begin(row, epoch);
    }
  }

  private boolean underAppLimit() {
    return !policy.settings().paused()
        && ledger.running() < policy.settings().concurrency()
        && rates.allowsApp(now());
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
    Instant since = row.runningSince();
    if (since != null) {
      owners.gate().release();
      settleAttempt(
          row, since, row.isDeferred() ? new Outcome.TimedOut(deferral(row)) : crashed(row));
      return;
    }
    boolean isSuspect = AttemptLog.crashes(row.attempts()) > 0;
    if (isSuspect && suspect >= 0) {
      owners.gate().release();
      Instant later = startedAt.plus(SUSPECT_PAUSE).truncatedTo(ChronoUnit.MICROS);
      settle(new RowChange.Retry(row, row.dueAt(later)));
      return;
    }
    var run = new Executions.Run(row, trigger, startedAt);
    executions.add(run);
    rates.started(row.trigger(), startedAt);
    boolean careful = carefulStarts > 0 && row.seq() < carefulBelow;
    if (isSuspect || careful) {
      suspect = isSuspect ? row.seq() : suspect;
      carefulStarts -= careful ? 1 : 0;
      mark(run);
    } else {
      launch(run, epoch);
    }
  }

  private static Duration deferral(Delivery row) {
    return row.dueAt() == null || row.runningSince() == null
        ? Duration.ZERO
        : Duration.between(row.runningSince(), row.dueAt());
  }

  private Outcome crashed(Delivery row) {
    int crashes = AttemptLog.crashes(row.attempts()) + 1;
    return crashes < owners.settings().crashesMax()
        ? new Outcome.Crashed()
        : new Outcome.Permanent(Outcome.Crashed.REASON + ", " + crashes + " times");
  }

  private void launch(Executions.Run run, long epoch) {
    Delivery row = run.row;
    var call = new HandlerCall(app, row.trigger(), row.id(), row.nextAttempt(), epoch, row.event());
    run.started(
        Execution.start(
            "execution-" + app + "-" + row.seq(),
            () -> owners.targets().run(run.trigger, call, row),
            ended -> posts.post(new Outbox.AttemptEnded(run, ended))));
  }

  private void mark(Executions.Run run) {
    run.mark();
    Instant since = run.startedAt.truncatedTo(ChronoUnit.MICROS);
    owners.commits().settler().settle(settleQueue, new RowChange.Mark(run.row, since));
  }

  /** Attempts that take long are marked in the table, so that a crash counts as one. */
  void markLong() {
    executions.unmarkedSince(now().minus(MARK_AFTER)).forEach(this::mark);
  }

  /**
   * An execution has reported. One that was cancelled or timed out meanwhile is not listened to.
   *
   * @return how many rows fewer are in the table
   */
  int ended(Executions.Run run, Execution.Ended end, TablePosition table) {
    if (!executions.remove(run)) {
      return 0;
    }
    Delivery row = run.row;
    switch (end) {
      case Execution.Ended.WithOutcome(var outcome) -> stopped(run, outcome);
      case Execution.Ended.Settled() -> {
        released(run);
        attempted(run.trigger, Outcome.Succeeded.PLAIN, run.startedAt);
        ending.put(row.seq(), new Ended(row.nextAttempt(), "succeeded", null, now()));
        return settled(new RowChange.Delete(row), false, table, -1);
      }
      case Execution.Ended.Gone() -> {
        released(run);
        lookAgain(row, table);
      }
      case Execution.Ended.Fenced() -> {
        released(run);
        fenced.add(row);
      }
    }
    return 0;
  }

  /**
   * A row was not there in the version that was named. Most likely it is settled; but it may have
   * been marked at that very moment, so the table has the last word.
   */
  private void lookAgain(Delivery row, TablePosition table) {
    ledger.gone(row.seq(), now());
    table.left(row.seq());
    Instant due = row.dueAt();
    if (due == null) {
      table.rewind(row.seq());
      known(table);
    } else if (!row.isUnrouted()) {
      table.dropped(due);
    }
  }

  /** Whether an execution found that the epoch is not ours any more. */
  boolean isFenced() {
    return !fenced.isEmpty();
  }

  /** It was our own older epoch: those executions are made again. */
  void renewed() {
    fenced.forEach(row -> ledger.notStarted(row.seq(), now()));
    fenced.clear();
  }

  private void stopped(Executions.Run run, Outcome outcome) {
    released(run);
    settleAttempt(run.row, run.startedAt, outcome);
  }

  private void released(Executions.Run run) {
    owners.gate().release();
    if (suspect == run.row.seq()) {
      suspect = -1;
    }
  }

  private void attempted(@Nullable Trigger trigger, Outcome outcome, Instant startedAt) {
    owners
        .telemetry()
        .attempted(
            trigger == null ? "removed" : trigger.target().kind(),
            outcome.word(),
            Duration.between(startedAt, now()));
  }

  private void settleAttempt(Delivery row, Instant startedAt, Outcome outcome) {
    Instant at = now();
    int attempt = row.nextAttempt();
    Trigger trigger = policy.triggers().get(row.trigger());
    attempted(trigger, outcome, startedAt);
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
      case Settlement.Deferred(var deadline) -> defer(row, startedAt, deadline);
      case Settlement.DeadLettered(var error) -> {
        ending.put(row.seq(), new Ended(attempt, outcome.word(), error, at));
        String log = AttemptLog.append(row.attempts(), attempt, startedAt, at, outcome);
        giveUp(row, trigger, attempt, error, log, startedAt, at);
      }
    }
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
      settle(new RowChange.Retry(row, row.retriedAt(Delivery.BLOCKED_UNTIL, started, error, log)));
      return;
    }
    if (rule == OnFailure.PARK && key != null) {
      ledger.parked().burying(key);
    }
    Instant first = row.firstAttemptAt() == null ? startedAt : row.firstAttemptAt();
    settle(bury(row, attempt, error, log, at, first));
  }

  /** Somebody may have told the outcome before the target had even answered. */
  private void defer(Delivery row, Instant startedAt, Instant deadline) {
    Outcome early = told.take(row.seq());
    if (early != null) {
      settleAttempt(row, startedAt, early);
      return;
    }
    Instant since = startedAt.truncatedTo(ChronoUnit.MICROS);
    Instant until = deadline.isAfter(since) ? deadline : since.plus(1, ChronoUnit.MICROS);
    settle(new RowChange.Defer(row, row.deferredUntil(until, since)));
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
  int settled(RowChange change, boolean missed, TablePosition table, long epoch) {
    Instant now = now();
    Delivery row = change.row();
    if (change instanceof RowChange.Mark mark) {
      marked(mark, missed, table, epoch);
      return 0;
    }
    Ended ended = ending.remove(row.seq());
    if (!(change instanceof RowChange.Defer && told.isEarly(row.seq()))) {
      told.settled(row.seq());
    }
    return switch (change) {
      case RowChange.Mark mark -> 0;
      case RowChange.Delete delete -> {
        ledger.gone(row.seq(), now);
        table.left(row.seq());
        String how = ended == null ? "cancelled" : "settled";
        owners.telemetry().ended(how, Duration.between(row.acceptedAt(), now));
        notice(row, ended, how, null);
        yield 1;
      }
      case RowChange.Bury bury -> {
        ledger.parked().buried(OrderKey.of(row));
        ledger.gone(row.seq(), now);
        table.left(row.seq());
        owners.telemetry().ended("dead_lettered", Duration.between(row.acceptedAt(), now));
        notice(row, ended, "dead_lettered", null);
        yield 1;
      }
      case RowChange.Later later -> {
        Instant due = later.next().dueAt();
        boolean near = !missed && table.near(due, now);
        if (due == null || row.orderingKey() != null || near) {
          ledger.retried(later.next(), now);
        } else {
          ledger.gone(row.seq(), now);
          table.left(row.seq());
          table.dropped(due);
        }
        if (ended != null && later.next().isBlocked()) {
          owners.telemetry().blocked();
          notice(row, ended, "blocked", null);
        } else if (ended != null) {
          owners.telemetry().retried();
          notice(row, ended, "retried", due);
        }
        Outcome early = later instanceof RowChange.Defer ? told.take(row.seq()) : null;
        if (early != null) {
          tell(later.next(), early);
        }
        yield 0;
      }
    };
  }

  private void marked(RowChange.Mark mark, boolean missed, TablePosition table, long epoch) {
    Delivery row = mark.row();
    if (mark.since() == null) { // interrupted: whoever owns it next runs it again
      ledger.gone(row.seq(), now());
      return;
    }
    Executions.Run run = executions.find(row.seq());
    if (run == null || run.isStarted()) {
      return;
    }
    if (missed) {
      executions.remove(run);
      released(run);
      lookAgain(row, table);
    } else {
      launch(run, epoch);
    }
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
    Executions.Run run = executions.remove(row.seq());
    if (run != null) {
      run.cancel();
      released(run);
    }
    settle(new RowChange.Delete(row));
  }

  /**
   * Somebody tells the outcome of an attempt that may be under way in this JVM: it counts as soon
   * as the target has answered that it is deferred.
   *
   * @return false when there is no such attempt
   */
  boolean complete(DeliveryId id, Outcome outcome, ActorRef<Answer> replyTo) {
    Executions.Run run = executions.find(id);
    if (run != null) {
      told.early(run.row.seq(), outcome, replyTo);
      return true;
    }
    return false;
  }

  /** The same of a row that the table knows as deferred. */
  void complete(Delivery stored, Outcome outcome, ActorRef<Answer> replyTo) {
    Delivery row = inMemory(stored);
    Ledger.Place place = placeOf(row.seq());
    if (place == Ledger.Place.SETTLING || !row.isDeferred()) {
      replyTo.tell(Outbox.conflict("the delivery does not wait for its outcome any more"));
      return;
    }
    told.wait(row.seq(), replyTo);
    tell(row, outcome);
  }

  private void tell(Delivery row, Outcome outcome) {
    ledger.admit(row, now());
    settleAttempt(row, row.runningSince() == null ? now() : row.runningSince(), outcome);
  }

  private Delivery inMemory(Delivery stored) {
    Delivery row = ledger.row(stored.seq());
    return row == null ? stored : row;
  }

  /**
   * Interrupts everything that runs; it stays in the table and will be run again. A row that says
   * that it runs takes that back: an attempt that we ended ourselves is no crash.
   */
  void cancelAll() {
    for (Executions.Run run : executions.clear()) {
      run.cancel();
      released(run);
      if (run.isMarked()) {
        ledger.settling(run.row.seq());
        owners.commits().settler().settle(settleQueue, new RowChange.Mark(run.row, null));
      } else {
        ledger.gone(run.row.seq(), now());
      }
    }
  }

  /** Gives back what others could wait for. The executions stop with their parent. */
  void leave() {
    cancelAll();
    if (inLine && !owners.gate().leave(place)) {
      owners.gate().release();
    }
    inLine = false;
  }

  private Instant now() {
    return owners.clock().instant();
  }
}
