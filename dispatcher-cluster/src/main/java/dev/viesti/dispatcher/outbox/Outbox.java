package dev.viesti.dispatcher.outbox;

import dev.viesti.dispatcher.commit.SettleQueue;
import dev.viesti.dispatcher.commit.Write;
import dev.viesti.dispatcher.execution.Execution;
import dev.viesti.dispatcher.outbox.Ownership.Phase;
import dev.viesti.dispatcher.wire.Answer;
import dev.viesti.persistence.outbox.Claim;
import dev.viesti.persistence.outbox.Insert;
import dev.viesti.persistence.outbox.RowChange;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.delivery.OrderKey;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Consumer;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.PostStop;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.jspecify.annotations.Nullable;

/**
 * The owner of one app's outbox. It claims the epoch first ({@link Ownership}), reads what waits
 * ({@link PageLoader}), takes new events ({@link OutboxIntake}), runs what is due as far as the
 * gate and the limits allow ({@link OutboxRuns}), and settles outcomes ({@link OutboxSettling}). It
 * lives as a child of its app and stops itself when it has been fenced, when it is drained, or with
 * its app. This class tells its parts what happens, in which order.
 *
 * <p>States, by {@link Ownership.Phase}: {@code CLAIMING → OWNING ⇄ RENEWING → DRAINING → stopped}.
 * While it is claiming or renewing, new events wait for the epoch, up to a limit, and are refused
 * when the database does not give it.
 */
public final class Outbox {
  /** What an outbox understands. All of it stays inside the JVM. */
  public sealed interface Command
      permits FromApp, News, Ownership.News, ClientRowIntake.News, OperatorRequests.Request {}

  /** What its app tells it. */
  public sealed interface FromApp extends Command {}

  /**
   * Accepts events, each with the triggers that it matched, maybe none; answers {@link
   * Answer.Accepted} after the commit.
   *
   * @param answer called once, on any thread; may only tell
   */
  public record Accept(List<Insert.Routed> events, Consumer<Answer> answer) implements FromApp {}

  /** The control plane changed. */
  public record Configure(OutboxPolicy policy) implements FromApp {}

  /** Somebody dealt with dead letters: their keys may not be parked any more. */
  public record CheckParked() implements FromApp {}

  /** Clients may have committed rows. */
  public record ClientRowsMayWait() implements FromApp {}

  /** Lets running executions end, settles, releases the epoch, stops. */
  public record Drain() implements FromApp {}

  /** What became of what it began, and its timers. */
  sealed interface News extends Command {}

  record ParkedFound(long asked, @Nullable Set<OrderKey> keys) implements News {}

  /** There is something in the post box. */
  record Posted() implements News {}

  record Written(InFlight.Sent write, Write.Result result) implements News {}

  record Loaded(PageLoader.@Nullable Loaded page, @Nullable Throwable failure) implements News {}

  record AttemptEnded(Executions.Run run, Execution.Ended ended) implements News {}

  record SettleDone(SettleQueue.Result result) implements News {}

  /** The gate has permits for it. */
  record Granted() implements News {}

  record Due() implements News {}

  /** A limit of the rate may allow another attempt. */
  record RateAllows() implements News {}

  record LoadAgain() implements News {}

  record Look() implements News {}

  record DrainDeadline() implements News {}

  static final String MOVING = "the app is moving to another node";
  private static final String DATABASE_AWAY = "the database is not available";

  private final OutboxParts parts;
  private final Ownership ownership;
  private final Window window;
  private final PageLoader loader;
  private final OutboxIntake intake;
  private final ClientRowIntake clients;
  private final OutboxSettling settling;
  private final Parking parking;
  private final OutboxRuns runs;
  private final Replays replays;
  private final OperatorRequests operators;
  private final AlarmClock alarms;
  private final Idleness idleness;

  private Outbox(OutboxParts parts, Entrance entrance, OutboxPolicy policy) {
    this.parts = parts;
    this.idleness = new Idleness(parts);
    this.ownership = new Ownership(parts);
    this.window = new Window(parts.settings(), parts::now, policy);
    this.loader = new PageLoader(parts, window);
    this.intake = new OutboxIntake(parts, entrance, window);
    this.clients = new ClientRowIntake(parts, window, intake);
    this.settling = new OutboxSettling(parts, window, policy);
    this.parking = new Parking(parts, window, settling, policy);
    this.runs = new OutboxRuns(parts, window, settling, policy);
    this.replays = new Replays(parts, window, parking, intake);
    this.alarms = new AlarmClock(parts);
    this.operators =
        new OperatorRequests(parts, ownership, window, settling, runs, replays, this::nothingLeft);
  }

  /**
   * The behaviour of the owner of {@code app}.
   *
   * @param entrance where events and news of other threads come in; closed when it stops
   */
  public static Behavior<Command> create(
      Owners owners, AppId app, Entrance entrance, OutboxPolicy policy, OutboxParent parent) {
    return Behaviors.setup(
        context ->
            Behaviors.withTimers(
                timers -> {
                  context.setLoggerName(Outbox.class); // its parts log in its name
                  PostBox posts = entrance.posts();
                  var time = new TurnClock(owners.clock(), owners.ticker());
                  var parts = new OutboxParts(context, timers, posts, owners, app, parent, time);
                  var outbox = new Outbox(parts, entrance, policy);
                  posts.open(() -> context.getSelf().tell(new Posted()));
                  outbox.ownership.claim(outbox.parking.triggers());
                  outbox.alarms.start();
                  return outbox.behavior();
                }));
  }

  private Behavior<Command> behavior() {
    return Behaviors.receive(Command.class)
        .onAnyMessage(this::on)
        .onSignal(PostStop.class, stopped -> onStopped())
        .build();
  }

  private Behavior<Command> on(Command command) {
    parts.time().turn();
    if (command instanceof Posted) {
      parts.posts().take().forEach(this::handle);
    } else {
      handle(command);
    }
    if (command instanceof Ownership.Released) {
      return Behaviors.stopped();
    }
    return goOn();
  }

  private void handle(Command command) {
    switch (command) {
      case OperatorRequests.Request request -> operators.on(request);
      case Accept accept -> {
        idleness.busy();
        intake.accept(accept, ownership.phase(), ownership.epoch());
      }
      case Configure(var policy) -> onConfigure(policy);
      case CheckParked() -> checkParked();
      case ParkedFound(var asked, var keys) -> parking.found(asked, keys);
      case ClientRowsMayWait() -> clients.mayWait();
      case ClientRowIntake.Owed() -> {
        alarms.clientRowsRang();
        clients.mayWait();
      }
      case ClientRowIntake.Loaded(var page, var failure) -> clients.loaded(page, failure);
      case ClientRowIntake.Routed(var token, var routes) -> onClientRowsRouted(token, routes);
      case Drain() -> onDrain();
      case Ownership.Claimed(var claim, var parked, var failure) ->
          onClaimed(claim, parked, failure);
      case Ownership.Renewed(var renewed, var failure) -> onRenewed(renewed, failure);
      case Written(var write, var result) -> {
        idleness.busy();
        if (intake.written(write, result, ownership.epoch()) == InFlight.After.RENEW) {
          ownership.renew();
        }
      }
      case Loaded(var page, var failure) -> loader.loaded(page, failure);
      case AttemptEnded(var run, var ended) -> onEnded(run, ended);
      case SettleDone(var result) -> onSettled(result);
      case Granted() -> runs.called();
      case Ownership.ClaimAgain() -> ownership.again(parking.triggers());
      case Due() -> {
        alarms.rang();
        runs.promote();
      }
      case RateAllows() -> alarms.rateRang();
      case LoadAgain() -> loader.again();
      case Look() -> onLook();
      case DrainDeadline() -> runs.cancelAll();
      case Posted posted -> {}
      case Ownership.Released released -> {}
    }
  }

  /** After each message: start what may run, read what there is room for, or end. */
  private Behavior<Command> goOn() {
    parts.time().turn(); // timers are set by it
    intake.letIn(ownership.phase() == Phase.OWNING && !ownership.isEnding(), ownership.epoch());
    if (ownership.mayRun()) {
      parking.bury();
      runs.start(ownership.epoch());
      loader.load(intake.certainUpTo(ownership));
      if (ownership.phase() == Phase.OWNING) {
        replays.goOn(ownership.epoch());
        clients.goOn(ownership.epoch());
      }
      alarms.wakeAt(AlarmClock.earlier(runs.nextDue(), loader.nextRead()));
      alarms.rateAllowsAt(runs.heldUntil());
      alarms.readClientRowsAt(clients.owedAt());
    } else {
      runs.rest();
      if (intake.quiet() && clients.quiet()) {
        operators.nothingOnItsWay();
      }
      if (isDrained()) {
        ownership.release(runs.quiet());
      }
    }
    return ownership.isEnding() ? Behaviors.stopped() : Behaviors.same();
  }

  // ---- ownership

  private void onClaimed(@Nullable Claim claim, Set<OrderKey> parked, @Nullable Throwable failure) {
    if (claim == null) {
      ownership.claimFailed(failure);
      intake.refuseHeld(DATABASE_AWAY);
      return;
    }
    ownership.claimed(claim);
    intake.claimed(claim.pending());
    runs.claimed(claim);
    parking.claimed(parked);
    settling.renew(claim.epoch());
    intake.writeHeld(claim.epoch());
  }

  private void onRenewed(OptionalLong renewed, @Nullable Throwable failure) {
    if (failure != null) {
      intake.refuseHeld(DATABASE_AWAY);
      ownership.againLater();
    } else if (renewed.isEmpty()) {
      lost();
    } else {
      boolean accepts = ownership.renewed(renewed.getAsLong());
      settling.renew(ownership.epoch());
      window.table().certain(ownership.certainUpTo());
      runs.renewed();
      clients.certain();
      if (accepts) {
        intake.writeHeld(ownership.epoch());
      }
    }
  }

  private void lost() {
    ownership.lost();
    intake.refuseHeld(MOVING);
  }

  // ---- events and attempts

  private void onClientRowsRouted(long token, List<List<Insert.Route>> routes) {
    if (ownership.mayRun()) {
      idleness.busy();
      clients.routed(token, routes);
    }
  }

  private void onEnded(Executions.Run run, Execution.Ended ended) {
    intake.settled(runs.ended(run, ended));
    if (run.row.isUnrouted() && !(ended instanceof Execution.Ended.WithOutcome)) {
      clients.left(run.row.seq());
    }
    settling.show();
    if (runs.isFenced()) {
      if (ownership.phase() == Phase.DRAINING) {
        lost();
      } else {
        ownership.renew();
      }
    }
  }

  private void onSettled(SettleQueue.Result result) {
    switch (result) {
      case SettleQueue.Result.Durable(var changes, var missedRetries) -> {
        idleness.busy();
        for (RowChange change : changes) {
          onDurable(change, missedRetries.contains(change.row().seq()));
        }
        settling.show();
      }
      case SettleQueue.Result.Fenced(var staleEpoch, var changes) -> {
        if (staleEpoch < ownership.epoch() || ownership.phase() == Phase.RENEWING) {
          changes.forEach(settling::again); // our own older epoch, perhaps: the renewal will tell
        } else {
          lost();
        }
      }
      case SettleQueue.Result.Refused(var detail, var changes) -> changes.forEach(settling::forget);
    }
  }

  private void onDurable(RowChange change, boolean missed) {
    if (change instanceof RowChange.Mark mark) {
      runs.marked(mark, missed, ownership.epoch());
      return;
    }
    intake.settled(settling.settled(change, missed));
    if (change.row().isUnrouted()) {
      clients.left(change.row().seq());
    }
  }

  // ---- the control plane

  private void onConfigure(OutboxPolicy policy) {
    runs.configure(policy);
    window.configure(policy);
    settling.configure(policy);
    if (parking.configure(policy)) {
      checkParked();
    }
  }

  private void checkParked() {
    if (ownership.mayRun()) {
      parking.check();
    }
  }

  // ---- ending

  private void onDrain() {
    if (ownership.phase() == Phase.CLAIMING || ownership.phase() == Phase.PURGING) {
      ownership.end();
      return;
    }
    ownership.drain();
    settling.keepNoMore();
    intake.refuseHeld(MOVING);
    parts.timers().startSingleTimer(new DrainDeadline(), parts.settings().drainDeadline());
  }

  private boolean isDrained() {
    return ownership.phase() == Phase.DRAINING
        && ownership.epoch() > 0
        && intake.quiet()
        && clients.quiet()
        && window.ledger().isQuiet();
  }

  /** Known, not counted: neither in memory, nor on its way, nor in the table only. */
  private boolean nothingLeft() {
    return window.isEmpty() && intake.quiet() && clients.quiet() && clients.isEmpty();
  }

  private void onLook() {
    parts.owners().telemetry().owns(parts.app(), window.state(intake.pending()));
    runs.markLong();
    settling.writeKept();
    boolean idle = ownership.phase() == Phase.OWNING && nothingLeft();
    if (idle) {
      intake.emptied();
    }
    idleness.look(idle && !runs.mustBeRemembered());
  }

  private Behavior<Command> onStopped() {
    parts.time().turn();
    intake.letIn(false, 0);
    parts.owners().telemetry().ownsNoMore(parts.app());
    runs.leave();
    settling.leave(MOVING);
    replays.refuseWaiting(MOVING);
    alarms.cancel();
    intake.refuseHeld(MOVING);
    for (Command left : parts.posts().close()) {
      if (left instanceof Accept accept) {
        intake.refuse(accept, MOVING);
      }
    }
    return Behaviors.same();
  }
}
