package dev.viesti.dispatcher.outbox;

import dev.viesti.dispatcher.execution.Execution;
import dev.viesti.dispatcher.execution.Gate;
import dev.viesti.persistence.outbox.Claim;
import dev.viesti.persistence.outbox.RowChange;
import dev.viesti.protocol.delivery.Delivery;
import dev.viesti.protocol.delivery.DeliveryId;
import dev.viesti.protocol.delivery.Outcome;
import dev.viesti.protocol.handler.HandlerCall;
import dev.viesti.protocol.trigger.Trigger;
import dev.viesti.protocol.trigger.TriggerId;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The attempts of an owner: starts what the limits and the gate allow, watches their time, and
 * interrupts them. What follows from their end is {@link OutboxSettling}'s. Belongs to one {@link
 * Outbox} and is called on its thread only.
 */
final class OutboxRuns {
  /** Longer attempts are marked in the table; shorter ones are over before it would be worth it. */
  private static final Duration MARK_AFTER = Duration.ofSeconds(1);

  /** Between two looks whether another delivery that may end a node has ended. */
  private static final Duration SUSPECT_PAUSE = Duration.ofMillis(200);

  /** Permits asked for at a time: what limits of triggers leave of them is given back at once. */
  private static final int TAKE_MAX = 64;

  private final OutboxParts parts;
  private final Window window;
  private final OutboxSettling settling;
  private final Gate gate;
  private final Gate.Place place;
  private final Executions executions = new Executions();
  private final Rates rates = new Rates();
  private final CarefulStarts careful = new CarefulStarts();
  private final List<Delivery> fenced = new ArrayList<>();
  private OutboxPolicy policy;
  private int freed;
  private boolean inLine;
  private boolean called;

  OutboxRuns(OutboxParts parts, Window window, OutboxSettling settling, OutboxPolicy policy) {
    this.parts = parts;
    this.window = window;
    this.settling = settling;
    this.policy = policy;
    this.gate = parts.owners().gate();
    var self = parts.context().getSelf();
    this.place = gate.place(() -> self.tell(new Outbox.Granted()));
    configure(policy);
  }

  void configure(OutboxPolicy changed) {
    policy = changed;
    gate.weigh(place, changed.settings().weight());
    rates.configure(changed);
  }

  void claimed(Claim claim) {
    careful.claimed(claim);
    if (claim.epoch() > 1) {
      rates.takeOver(claim.quiet(), parts.ticks());
    } else {
      rates.startAnew(parts.ticks());
    }
  }

  List<Long> running() {
    return executions.seqs();
  }

  /** An attempt that is under way in this JVM; looks through all of them. */
  Executions.@Nullable Run find(DeliveryId id) {
    return executions.find(id);
  }

  // ---- starting

  /** Starts what may run: up to the app's limit, each trigger's limit and the node's permits. */
  void start(long epoch) {
    buryRemoved();
    rates.look();
    if (inLine && !called && freed == 0) {
      return;
    }
    called = false;
    Delivery row = next();
    int back = row == null ? freed : 0;
    int permits = row == null ? 0 : take(freed);
    freed = 0;
    while (row != null && permits > 0) {
      permits -= begin(row, epoch) ? 1 : 0;
      row = next();
      if (row != null && permits == 0 && !inLine) {
        permits = take(0);
      }
    }
    if (row == null) {
      leaveLine(back + permits);
    } else {
      window.ledger().notStarted(row.seq(), parts.now());
    }
  }

  /** The next row that may run, but for a permit; null when there is none. */
  private @Nullable Delivery next() {
    return underAppLimit() ? window.ledger().startNext(this::limit) : null;
  }

  /** Gives back permits, and asks for as many as the rows that are ready may need. */
  private int take(int back) {
    int room = policy.settings().concurrency() - window.ledger().running();
    int wanted = 1 + Math.min(TAKE_MAX - 1, Math.min(room, window.ledger().ready()));
    int taken = gate.exchange(place, back, wanted);
    inLine = taken < wanted;
    return taken;
  }

  /** Nothing more may start now: others may have what is not needed. */
  private void leaveLine(int back) {
    if (inLine || back > 0) {
      gate.leave(place, back);
    }
    inLine = false;
  }

  /** The owner starts nothing any more. */
  void rest() {
    int back = freed;
    freed = 0;
    leaveLine(back);
  }

  /** Rows of removed triggers need no permit and wait for no limit: nothing of them runs. */
  private void buryRemoved() {
    Delivery row = policy.settings().paused() ? null : window.ledger().nextRemoved();
    while (row != null) {
      settling.buryUntried(row, "trigger " + row.trigger() + " was removed");
      row = window.ledger().nextRemoved();
    }
  }

  /** Permits that were waited for are there: {@link #start} takes them. */
  void called() {
    called = true;
  }

  private boolean underAppLimit() {
    return !policy.settings().paused()
        && window.ledger().running() < policy.settings().concurrency()
        && rates.allowsApp(ticks());
  }

  private long ticks() {
    return rates.areNone() ? parts.time().ticks() : parts.ticks();
  }

  /** Executions that a trigger may have now. */
  private int limit(TriggerId trigger) {
    return rates.allows(trigger, ticks()) ? policy.limit(trigger) : 0;
  }

  /**
   * @return whether it uses a permit
   */
  private boolean begin(Delivery row, long epoch) {
    Trigger trigger = Objects.requireNonNull(policy.triggers().get(row.trigger()));
    Instant startedAt = parts.now();
    Instant since = row.runningSince();
    if (since != null) {
      Outcome outcome = row.isDeferred() ? new Outcome.TimedOut(deferral(row)) : crashed(row);
      settling.ended(row, since, outcome, true);
      return false;
    }
    if (careful.mustWait(row)) {
      Instant later = startedAt.plus(SUSPECT_PAUSE).truncatedTo(ChronoUnit.MICROS);
      settling.change(new RowChange.Retry(row, row.dueAt(later)));
      return false;
    }
    var run = new Executions.Run(row, trigger, startedAt);
    executions.add(run);
    rates.started(row.trigger(), ticks());
    if (careful.begins(row)) {
      mark(run);
    } else {
      launch(run, epoch);
    }
    return true;
  }

  private static Duration deferral(Delivery row) {
    return row.dueAt() == null || row.runningSince() == null
        ? Duration.ZERO
        : Duration.between(row.runningSince(), row.dueAt());
  }

  private Outcome crashed(Delivery row) {
    int crashes = AttemptLog.crashes(row.attempts()) + 1;
    return crashes < parts.settings().crashesMax()
        ? new Outcome.Crashed()
        : new Outcome.Permanent(Outcome.Crashed.REASON + ", " + crashes + " times");
  }

  private void launch(Executions.Run run, long epoch) {
    Delivery row = run.row;
    Delivery stored = settling.stored(row);
    run.started(
        Execution.start(
            "execution-" + parts.app() + "-" + row.seq(),
            () -> parts.owners().targets().run(run.trigger, call(row, epoch), stored),
            ended -> parts.posts().post(new Outbox.AttemptEnded(run, ended))));
  }

  /** Made by the execution: its id is a hash, which is not the owner's time to spend. */
  private HandlerCall call(Delivery row, long epoch) {
    return new HandlerCall(
        parts.app(), row.trigger(), row.id(), row.nextAttempt(), epoch, row.event());
  }

  // ---- marks

  /** Attempts that take long are marked in the table, so that a crash counts as one. */
  void markLong() {
    executions.unmarkedSince(parts.now().minus(MARK_AFTER)).forEach(this::mark);
  }

  private void mark(Executions.Run run) {
    run.mark();
    settling.mark(run.row, run.startedAt.truncatedTo(ChronoUnit.MICROS));
  }

  /**
   * A mark is durable.
   *
   * @param missed its row was not there in the version that was named
   */
  void marked(RowChange.Mark mark, boolean missed, long epoch) {
    Delivery row = mark.row();
    if (mark.since() == null) { // interrupted: whoever owns it next runs it again
      window.ledger().gone(row.seq(), parts.now());
      return;
    }
    Executions.Run run = executions.find(row.seq());
    if (run == null || run.isStarted()) {
      return;
    }
    if (missed) {
      executions.remove(run);
      released(run);
      settling.lookAgain(row);
    } else {
      launch(run, epoch);
    }
  }

  // ---- ending

  /**
   * An execution has reported. One that was cancelled or timed out meanwhile is not listened to.
   *
   * @return how many rows fewer are in the table
   */
  int ended(Executions.Run run, Execution.Ended end) {
    if (!executions.remove(run)) {
      return 0;
    }
    released(run);
    switch (end) {
      case Execution.Ended.WithOutcome(var outcome) ->
          settling.ended(run.row, run.startedAt, outcome, run.isMarked());
      case Execution.Ended.Settled() -> {
        return settling.settledItself(run.row, run.trigger, run.startedAt);
      }
      case Execution.Ended.Gone() -> settling.lookAgain(run.row);
      case Execution.Ended.Fenced() -> fenced.add(run.row);
    }
    return 0;
  }

  /** What became due, and attempts whose time is up. */
  void promote() {
    Instant now = parts.now();
    window.ledger().promote(now);
    for (Executions.Run run : executions.overdue(now)) {
      run.cancel();
      if (run.isStarted()) {
        released(run);
        var timedOut = new Outcome.TimedOut(run.trigger.timeout());
        settling.ended(run.row, run.startedAt, timedOut, run.isMarked());
      } else { // its mark is still on its way to a database that is slow: nothing has run
        var again = new Executions.Run(run.row, run.trigger, now);
        again.mark();
        executions.add(again);
      }
    }
  }

  /** When {@link #promote} must be called next; null when it need not be. */
  @Nullable Instant nextDue() {
    return AlarmClock.earlier(window.ledger().nextDue(), executions.nextCheck());
  }

  /**
   * When a limit of the rate allows what it held up, by the node's ticker; null: it held nothing.
   */
  @Nullable Long heldUntil() {
    return rates.heldUntil();
  }

  /** For how long no attempt has been started. */
  Duration quiet() {
    return rates.quiet(parts.ticks());
  }

  /** Whether limits of the rate would be exceeded if the owner left now, with nothing to do. */
  boolean mustBeRemembered() {
    return rates.mustBeRemembered(parts.ticks());
  }

  /** Whether an execution found that the epoch is not ours any more. */
  boolean isFenced() {
    return !fenced.isEmpty();
  }

  /** It was our own older epoch: those executions are made again. */
  void renewed() {
    fenced.forEach(row -> window.ledger().notStarted(row.seq(), parts.now()));
    fenced.clear();
  }

  private void released(Executions.Run run) {
    freed++;
    careful.ended(run.row);
  }

  /** Interrupts an attempt of the row, if there is one: it is not listened to any more. */
  void cancel(long seq) {
    Executions.Run run = executions.remove(seq);
    if (run != null) {
      run.cancel();
      released(run);
    }
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
        window.ledger().settling(run.row.seq());
        settling.mark(run.row, null);
      } else {
        window.ledger().gone(run.row.seq(), parts.now());
      }
    }
  }

  /** Gives back what others could wait for. The executions stop with their parent. */
  void leave() {
    cancelAll();
    rest();
  }
}
