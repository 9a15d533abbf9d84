package dev.viesti.dispatcher.outbox;

import static java.util.concurrent.TimeUnit.NANOSECONDS;

import dev.viesti.dispatcher.DeliveryView;
import dev.viesti.dispatcher.Refusal;
import dev.viesti.dispatcher.commit.SettleQueue;
import dev.viesti.dispatcher.commit.Write;
import dev.viesti.dispatcher.execution.Execution;
import dev.viesti.dispatcher.wire.Answer;
import dev.viesti.persistence.outbox.Claim;
import dev.viesti.persistence.outbox.Insert;
import dev.viesti.persistence.outbox.RowChange;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.delivery.Delivery;
import dev.viesti.protocol.delivery.DeliveryId;
import dev.viesti.protocol.delivery.OrderKey;
import dev.viesti.protocol.delivery.Outcome;
import dev.viesti.protocol.event.Event;
import dev.viesti.protocol.trigger.TriggerId;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.PostStop;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.jspecify.annotations.Nullable;

/**
 * The owner of one app's outbox. It claims the epoch first, reads what waits, takes new events,
 * runs what is due as far as the gate and the limits allow, and settles outcomes. It lives as a
 * child of its app and stops itself when it has been fenced, when it is drained, or with its app.
 *
 * <p>States, by {@link Phase}: {@code CLAIMING → OWNING ⇄ RENEWING → DRAINING → stopped}. While it
 * is claiming or renewing, new events wait for the epoch, up to a limit, and are refused when the
 * database does not give it.
 */
public final class Outbox {
  /** What an outbox understands. All of it stays inside the JVM. */
  public sealed interface Command {}

  /**
   * Accepts events, each with the triggers that it matched, maybe none; answers {@link
   * Answer.Accepted} after the commit.
   *
   * @param answer called once, on any thread; may only tell
   */
  public record Accept(List<Insert.Routed> events, Consumer<Answer> answer) implements Command {}

  /** The control plane changed. */
  public record Configure(OutboxPolicy policy) implements Command {}

  /** Answers {@link Answer.Running}. */
  public record AskRunning(ActorRef<Answer> replyTo) implements Command {}

  /**
   * Makes a row due now; {@code row} is what the table says. Answers {@link Answer.OneDelivery}.
   */
  public record RetryNow(Delivery row, ActorRef<Answer> replyTo) implements Command {}

  /** Somebody dealt with dead letters: their keys may not be parked any more. */
  public record CheckParked() implements Command {}

  /** Removes a row; {@code row} is what the table says. Answers {@link Answer.Done}. */
  public record Cancel(Delivery row, ActorRef<Answer> replyTo) implements Command {}

  /** Puts dead letters back. Answers {@link Answer.Replayed}. */
  public record Replay(List<UUID> deadLetters, ActorRef<Answer> replyTo) implements Command {}

  /**
   * Somebody tells the outcome of a deferred delivery. Answers {@link Answer.Done} once it is
   * durable.
   */
  public record Complete(DeliveryId id, Outcome outcome, ActorRef<Answer> replyTo)
      implements Command {}

  /**
   * Stops running and accepting, cancels everything in the table, stops. Answers {@link
   * Answer.Done}.
   */
  public record Purge(ActorRef<Answer> replyTo) implements Command {}

  /** Answers {@link Answer.Done} when nothing waits, else a refusal. */
  public record AskEmpty(ActorRef<Answer> replyTo) implements Command {}

  /** Clients may have committed rows. */
  public record ClientRowsMayWait() implements Command {}

  /** Lets running executions end, settles, releases the epoch, stops. */
  public record Drain() implements Command {}

  private record Start(Claim claim, Set<OrderKey> parked) {}

  record Claimed(@Nullable Claim claim, Set<OrderKey> parked, @Nullable Throwable failure)
      implements Command {}

  record ParkedFound(long asked, @Nullable Set<OrderKey> keys) implements Command {}

  record Renewed(OptionalLong epoch, @Nullable Throwable failure) implements Command {}

  /** There is something in the post box. */
  record Posted() implements Command {}

  record Written(OutboxIntake.InFlight write, Write.Result result) implements Command {}

  record DeferredFound(Complete told, @Nullable Delivery row, @Nullable Throwable failure)
      implements Command {}

  record Loaded(PageLoader.@Nullable Loaded page, @Nullable Throwable failure) implements Command {}

  record AttemptEnded(Executions.Run run, Execution.Ended ended) implements Command {}

  record SettleDone(SettleQueue.Result result) implements Command {}

  record Granted() implements Command {}

  record ClientRowsLoaded(ClientRowIntake.@Nullable Loaded page, @Nullable Throwable failure)
      implements Command {}

  record ClientRowsRouted(long token, List<List<Insert.Route>> routes) implements Command {}

  record ClientRowsOwed() implements Command {}

  record Purged(boolean all, @Nullable Throwable failure, ActorRef<Answer> replyTo)
      implements Command {}

  record ClaimAgain() implements Command {}

  record Due() implements Command {}

  record LoadAgain() implements Command {}

  record Look() implements Command {}

  record DrainDeadline() implements Command {}

  record Released() implements Command {}

  /**
   * What an outbox tells its app; all of them may only tell.
   *
   * @param disable an endpoint said that it is gone for good
   * @param idle there has been nothing to do for a while
   * @param router answers with the matches of each event, in their order; maybe never
   */
  public record Parent(
      BiConsumer<TriggerId, String> disable,
      Runnable idle,
      BiConsumer<List<Event>, Consumer<List<List<Insert.Route>>>> router) {
    void route(List<Event> events, Consumer<List<List<Insert.Route>>> answer) {
      router.accept(events, answer);
    }
  }

  enum Phase {
    CLAIMING,
    OWNING,
    RENEWING,
    DRAINING,
    PURGING
  }

  static final String MOVING = "the app is moving to another node";
  private static final String STARTING = "the app's owner is starting or stopping";
  private static final Duration AGAIN_FIRST = Duration.ofMillis(200);
  private static final Duration AGAIN_MAX = Duration.ofSeconds(5);
  private static final Duration LOOK_EVERY = Duration.ofSeconds(1);
  private static final int PURGE_ROWS = 5_000;
  private static final Duration RETRY_AFTER = Duration.ofSeconds(1);

  private final ActorContext<Command> context;
  private final PostBox posts;
  private final TimerScheduler<Command> timers;
  private final Owners owners;
  private final AppId app;
  private final Parent parent;
  private final SettleQueue settleQueue;
  private final OutboxRuns runs;
  private final TablePosition table;
  private final PageLoader loader;
  private final OutboxIntake intake;
  private final ArrayDeque<Replay> replays = new ArrayDeque<>();
  private final ClientRowIntake clients;
  private Phase phase = Phase.CLAIMING;
  private Duration again = AGAIN_FIRST;
  private long epoch;
  private boolean ending;
  private boolean releasing;
  private boolean loadsAgain = true;
  private @Nullable Instant wakesAt;
  private @Nullable Future<?> alarm;
  private @Nullable Instant clientRowsAt;
  private Instant busyAt;
  private long firstSeq;

  private Outbox(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      PostBox posts,
      Owners owners,
      AppId app,
      OutboxPolicy policy,
      Parent parent) {
    this.context = context;
    this.posts = posts;
    this.timers = timers;
    this.owners = owners;
    this.app = app;
    this.parent = parent;
    this.busyAt = owners.clock().instant();
    this.table = new TablePosition(owners.settings().horizon());
    this.loader = new PageLoader(owners, app);
    ActorRef<Command> self = context.getSelf();
    this.settleQueue = new SettleQueue(app, 0, result -> posts.post(new SettleDone(result)));
    this.runs = new OutboxRuns(self, posts, parent, owners, app, policy, settleQueue);
    this.intake = new OutboxIntake(posts, owners, app, runs, table);
    this.clients = new ClientRowIntake(context, posts, owners, app, parent, runs, table, intake);
  }

  /**
   * The behaviour of the owner of {@code app}.
   *
   * @param posts where other threads leave commands for it; closed when it stops
   */
  public static Behavior<Command> create(
      Owners owners, AppId app, PostBox posts, OutboxPolicy policy, Parent parent) {
    return Behaviors.setup(
        context ->
            Behaviors.withTimers(
                timers -> {
                  var outbox = new Outbox(context, timers, posts, owners, app, policy, parent);
                  posts.open(() -> context.getSelf().tell(new Posted()));
                  outbox.claim();
                  timers.startTimerWithFixedDelay(new Look(), LOOK_EVERY);
                  timers.startTimerWithFixedDelay(
                      new ClientRowsMayWait(), owners.settings().clientRowsInterval());
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
    if (command instanceof Posted) {
      posts.take().forEach(this::handle);
    } else {
      handle(command);
    }
    if (command instanceof Released) {
      return Behaviors.stopped();
    }
    return goOn();
  }

  private void handle(Command command) {
    switch (command) {
      case Accept accept -> onAccept(accept);
      case Configure(var policy) -> onConfigure(policy);
      case CheckParked() -> checkParked();
      case ParkedFound(var asked, var keys) -> onParkedFound(asked, keys);
      case AskRunning(var replyTo) -> replyTo.tell(new Answer.Running(runs.running()));
      case RetryNow(var row, var replyTo) -> onRetryNow(row, replyTo);
      case Cancel(var row, var replyTo) -> onCancel(row, replyTo);
      case Complete complete -> onComplete(complete);
      case DeferredFound found -> onDeferredFound(found);
      case Replay replay -> onReplay(replay);
      case Purge(var replyTo) -> onPurge(replyTo);
      case AskEmpty(var replyTo) -> onAskEmpty(replyTo);
      case ClientRowsMayWait() -> clients.mayWait();
      case ClientRowsOwed() -> {
        clientRowsAt = null;
        clients.mayWait();
      }
      case ClientRowsLoaded(var page, var failure) -> clients.loaded(page, failure);
      case ClientRowsRouted(var token, var routes) -> onClientRowsRouted(token, routes);
      case Drain() -> onDrain();
      case Claimed(var claim, var parked, var failure) -> onClaimed(claim, parked, failure);
      case Renewed(var renewed, var failure) -> onRenewed(renewed, failure);
      case Written(var write, var result) -> after(intake.written(write, result));
      case Loaded(var page, var failure) -> onLoaded(page, failure);
      case AttemptEnded(var run, var ended) -> onEnded(run, ended);
      case SettleDone(var result) -> onSettled(result);
      case Granted() -> runs.granted(owning(), epoch);
      case Purged(var all, var failure, var replyTo) -> onPurged(all, failure, replyTo);
      case ClaimAgain() -> claimOrRenew();
      case Due() -> onDue();
      case LoadAgain() -> loadsAgain = true;
      case Look() -> onLook();
      case DrainDeadline() -> runs.cancelAll();
      case Posted posted -> {}
      case Released released -> {}
    }
  }

  /** After each message: start what may run, read what there is room for, or end. */
  private Behavior<Command> goOn() {
    if (owning()) {
      runs.start(epoch);
      load();
      if (phase == Phase.OWNING) {
        clients.goOn(epoch);
      }
      wakeAt();
    } else if (phase == Phase.DRAINING
        && epoch > 0
        && intake.quiet()
        && clients.quiet()
        && runs.quiet()) {
      release();
    }
    return ending ? Behaviors.stopped() : Behaviors.same();
  }

  private boolean owning() {
    return phase == Phase.OWNING || phase == Phase.RENEWING;
  }

  // ---- ownership

  private void claim() {
    Set<TriggerId> parking = runs.parking();
    CompletableFuture<Start> start =
        supply(
            () -> {
              Owners.Tables tables = owners.tables();
              Claim claim =
                  tables.owners().claim(app, owners.node(), owners.settings().pendingMax());
              return new Start(claim, tables.deadLetters().parkedKeys(app, parking));
            });
    context.pipeToSelf(
        start,
        (started, failure) ->
            started == null
                ? new Claimed(null, Set.of(), failure)
                : new Claimed(started.claim(), started.parked(), null));
  }

  private void onClaimed(@Nullable Claim claim, Set<OrderKey> parked, @Nullable Throwable failure) {
    if (claim == null) {
      context
          .getLog()
          .warn(
              "app {} could not claim its outbox ({}); trying again in {} ms",
              app,
              why(failure),
              again.toMillis());
      intake.refuseHeld("the database is not available");
      againLater();
      return;
    }
    again = AGAIN_FIRST;
    epoch = claim.epoch();
    firstSeq = claim.firstSeq();
    intake.claimed(claim.pending());
    runs.claimed(claim);
    runs.parked(runs.askingForParked(), parked);
    settleQueue.renew(epoch);
    owners.commits().seqs().startAt(claim.firstSeq());
    context
        .getLog()
        .debug("app {} is owned here, epoch {}, {} rows wait", app, epoch, claim.pending());
    phase = Phase.OWNING;
    intake.writeHeld(epoch);
  }

  /** A commit whose answer was lost may still take effect: after a new epoch it cannot any more. */
  private void renew() {
    if (phase == Phase.OWNING) {
      phase = Phase.RENEWING;
      claimOrRenew();
    }
  }

  private void claimOrRenew() {
    if (phase == Phase.CLAIMING) {
      claim();
    } else if (phase == Phase.RENEWING) {
      context.pipeToSelf(supply(() -> owners.tables().owners().renew(app, epoch)), Outbox::renewed);
    }
  }

  private static Command renewed(@Nullable OptionalLong epoch, @Nullable Throwable failure) {
    return new Renewed(epoch == null ? OptionalLong.empty() : epoch, failure);
  }

  private void onRenewed(OptionalLong renewed, @Nullable Throwable failure) {
    if (failure != null) {
      intake.refuseHeld("the database is not available");
      againLater();
    } else if (renewed.isEmpty()) {
      fenced();
    } else {
      again = AGAIN_FIRST;
      epoch = renewed.getAsLong();
      settleQueue.renew(epoch);
      table.certain(certainUpTo());
      runs.renewed();
      clients.certain();
      if (phase == Phase.RENEWING) {
        phase = Phase.OWNING;
        intake.writeHeld(epoch);
      }
    }
  }

  private void againLater() {
    timers.startSingleTimer(new ClaimAgain(), again);
    again = again.multipliedBy(2).compareTo(AGAIN_MAX) > 0 ? AGAIN_MAX : again.multipliedBy(2);
  }

  private void fenced() {
    context.getLog().warn("app {} has another owner now; epoch {} gives it up", app, epoch);
    owners.telemetry().fenced();
    intake.refuseHeld(MOVING);
    ending = true;
  }

  // ---- accepting

  private void onAccept(Accept accept) {
    busyAt = owners.clock().instant();
    switch (phase) {
      case OWNING -> intake.write(accept, epoch);
      case CLAIMING, RENEWING -> intake.hold(accept);
      case DRAINING, PURGING -> intake.refuse(accept, MOVING);
    }
  }

  private void onEnded(Executions.Run run, Execution.Ended ended) {
    int settled = runs.ended(run, ended, table);
    intake.settled(settled);
    if (run.row.isUnrouted() && !(ended instanceof Execution.Ended.WithOutcome)) {
      clients.left(run.row.seq());
    }
    runs.show();
    if (runs.isFenced()) {
      if (phase == Phase.DRAINING) {
        fenced();
      } else {
        renew();
      }
    }
  }

  private void after(OutboxIntake.After after) {
    if (after == OutboxIntake.After.RENEW) {
      renew();
    }
  }

  // ---- reading

  private void load() {
    boolean room = loadsAgain && runs.hasRoomForPage();
    boolean forced = loadsAgain && runs.mustRead(table);
    TablePosition.Read read = table.next(room, forced, owners.clock().instant(), readable());
    if (read != null) {
      context.pipeToSelf(loader.load(read), Loaded::new);
    }
  }

  /** Numbers up to which all rows of this app are in the table, or never will be. */
  private long readable() {
    return intake.quiet() ? certainUpTo() : firstSeq - 1;
  }

  private long certainUpTo() {
    return Math.max(owners.commits().seqs().last(), firstSeq - 1);
  }

  private void onLoaded(PageLoader.@Nullable Loaded page, @Nullable Throwable failure) {
    if (page == null) {
      table.failed();
      loadsAgain = false;
      context
          .getLog()
          .warn("app {} could not read its outbox ({}); trying again soon", app, why(failure));
      timers.startSingleTimer(new LoadAgain(), RETRY_AFTER);
      return;
    }
    runs.admit(table.loaded(page.rows(), page.complete(), page.nextDue()), table);
  }

  private void onClientRowsRouted(long token, List<List<Insert.Route>> routes) {
    if (owning()) {
      busyAt = owners.clock().instant();
      clients.routed(token, routes);
    }
  }

  private void wakeAtClientRows() {
    Instant next = clients.owedAt();
    if (next != null && !next.equals(clientRowsAt)) {
      clientRowsAt = next;
      Duration until = Duration.between(owners.clock().instant(), next);
      timers.startSingleTimer(
          ClientRowsOwed.class,
          new ClientRowsOwed(),
          until.isPositive() ? until : Duration.ofMillis(1));
    }
  }

  private void wakeAt() {
    wakeAtClientRows();
    // without room there is nothing to wake up for: the next row that is settled makes some
    boolean room = loadsAgain && runs.hasRoomForPage() && !table.reading();
    Instant next = earlier(runs.nextDue(), room ? table.nextScheduledRead() : null);
    if (Objects.equals(next, wakesAt)) {
      return;
    }
    wakesAt = next;
    if (alarm != null) {
      alarm.cancel(false);
      alarm = null;
    }
    if (next != null) {
      long until = Duration.between(owners.clock().instant(), next).toNanos();
      alarm = owners.alarms().schedule(() -> posts.post(new Due()), until, NANOSECONDS);
    }
  }

  private void onDue() {
    wakesAt = null;
    runs.promote();
  }

  private static @Nullable Instant earlier(@Nullable Instant one, @Nullable Instant other) {
    if (one == null) {
      return other;
    }
    return other == null || one.isBefore(other) ? one : other;
  }

  // ---- settling

  private void onSettled(SettleQueue.Result result) {
    switch (result) {
      case SettleQueue.Result.Durable(var changes, var missedRetries) -> {
        busyAt = owners.clock().instant();
        for (RowChange change : changes) {
          boolean missed = missedRetries.contains(change.row().seq());
          intake.settled(runs.settled(change, missed, table, epoch));
          if (change.row().isUnrouted() && !(change instanceof RowChange.Mark)) {
            clients.left(change.row().seq());
          }
        }
        runs.show();
        replayWaiting();
      }
      case SettleQueue.Result.Fenced(var staleEpoch, var changes) -> {
        if (staleEpoch < epoch || phase == Phase.RENEWING) {
          changes.forEach(runs::settleAgain); // our own older epoch, perhaps: the renewal will tell
        } else {
          fenced();
        }
      }
      case SettleQueue.Result.Refused(var detail, var changes) -> changes.forEach(runs::forget);
    }
  }

  // ---- what operators ask for

  private void onRetryNow(Delivery stored, ActorRef<Answer> replyTo) {
    if (phase != Phase.OWNING) {
      replyTo.tell(unavailable(STARTING));
      return;
    }
    switch (runs.placeOf(stored.seq())) {
      case RUNNING, SETTLING ->
          replyTo.tell(conflict("an attempt of the delivery is under way: wait for its end"));
      case PARKED ->
          replyTo.tell(conflict("its ordering key is parked: replay the key's dead letters"));
      case HELD, READY, SCHEDULED -> {
        Delivery row = runs.retryNow(stored);
        replyTo.tell(new Answer.OneDelivery(new DeliveryView(row, DeliveryView.State.WAITING)));
      }
    }
  }

  private void onCancel(Delivery stored, ActorRef<Answer> replyTo) {
    if (phase != Phase.OWNING) {
      replyTo.tell(unavailable(STARTING));
    } else if (runs.placeOf(stored.seq()) == Ledger.Place.SETTLING) {
      replyTo.tell(conflict("the delivery has just ended and is being settled"));
    } else {
      runs.cancel(stored);
      replyTo.tell(new Answer.Done());
    }
  }

  private void onComplete(Complete told) {
    if (phase != Phase.OWNING) {
      told.replyTo().tell(unavailable(STARTING));
    } else if (!runs.complete(told.id(), told.outcome(), told.replyTo())) {
      context.pipeToSelf(
          supply(
              () -> Optional.ofNullable(owners.tables().deliveries().findDeferred(app, told.id()))),
          (row, failure) ->
              new DeferredFound(told, row == null ? null : row.orElse(null), failure));
    }
  }

  private void onDeferredFound(DeferredFound found) {
    Complete told = found.told();
    if (phase != Phase.OWNING || found.failure() != null) {
      told.replyTo().tell(unavailable(phase == Phase.OWNING ? why(found.failure()) : STARTING));
    } else if (found.row() == null) {
      told.replyTo()
          .tell(
              new Answer.Refused(
                  new Refusal.NotFound(
                      "app '%s' has no deferred delivery '%s'".formatted(app, told.id()))));
    } else {
      runs.complete(found.row(), told.outcome(), told.replyTo());
    }
  }

  /** What was given up shortly before must be among the dead letters that are replayed. */
  private void onReplay(Replay replay) {
    if (phase != Phase.OWNING) {
      replay.replyTo().tell(unavailable(STARTING));
    } else if (runs.isBurying()) {
      replays.add(replay);
      runs.replaying(true);
    } else {
      intake.replay(replay.deadLetters(), epoch, replay.replyTo());
    }
  }

  private void replayWaiting() {
    while (!replays.isEmpty() && !runs.isBurying()) {
      onReplay(replays.remove());
    }
  }

  private void onConfigure(OutboxPolicy policy) {
    if (runs.configure(policy)) {
      checkParked();
    }
  }

  private void checkParked() {
    Set<TriggerId> parking = runs.parking();
    if (!parking.isEmpty() && owning()) {
      long asked = runs.askingForParked();
      context.pipeToSelf(
          supply(() -> owners.tables().deadLetters().parkedKeys(app, parking)),
          (keys, failure) -> new ParkedFound(asked, keys));
    }
  }

  private void onParkedFound(long asked, @Nullable Set<OrderKey> keys) {
    if (keys == null || !runs.parked(asked, keys)) {
      timers.startSingleTimer(new CheckParked(), RETRY_AFTER);
    }
  }

  private void onAskEmpty(ActorRef<Answer> replyTo) {
    if (phase != Phase.OWNING) {
      replyTo.tell(unavailable(STARTING));
    } else if (nothingLeft()) {
      replyTo.tell(new Answer.Done());
    } else {
      replyTo.tell(conflict("deliveries wait or run: let them end, or cancel them"));
    }
  }

  /** Known, not counted: neither in memory, nor on its way, nor in the table only. */
  private boolean nothingLeft() {
    return runs.isEmpty()
        && intake.quiet()
        && clients.quiet()
        && clients.isEmpty()
        && !table.behind()
        && table.nextScheduledRead() == null;
  }

  private void onPurge(ActorRef<Answer> replyTo) {
    if (phase != Phase.OWNING) {
      replyTo.tell(unavailable(STARTING));
      return;
    }
    phase = Phase.PURGING;
    runs.cancelAll();
    purge(replyTo);
  }

  private void purge(ActorRef<Answer> replyTo) {
    context.pipeToSelf(
        supply(() -> owners.tables().housekeeping().purge(app, epoch, PURGE_ROWS) < PURGE_ROWS),
        (all, failure) -> new Purged(all != null && all, failure, replyTo));
  }

  private void onPurged(boolean all, @Nullable Throwable failure, ActorRef<Answer> replyTo) {
    if (failure == null && !all) {
      purge(replyTo);
      return;
    }
    replyTo.tell(
        failure == null
            ? new Answer.Done()
            : unavailable("the database is not available: " + why(failure)));
    ending = true; // whatever is left, an owner that starts anew finds it
  }

  // ---- ending

  private void onDrain() {
    if (phase == Phase.CLAIMING || phase == Phase.PURGING) {
      ending = true;
      return;
    }
    phase = Phase.DRAINING;
    intake.refuseHeld(MOVING);
    timers.startSingleTimer(new DrainDeadline(), owners.settings().drainDeadline());
  }

  private void release() {
    if (!releasing) {
      releasing = true;
      CompletableFuture<Boolean> release =
          supply(
              () -> {
                owners.tables().owners().release(app, epoch);
                return true;
              });
      context.pipeToSelf(release, (done, failure) -> new Released());
    }
  }

  private void onLook() {
    Instant now = owners.clock().instant();
    owners.telemetry().owns(app, runs.state(intake.pending()));
    runs.markLong();
    boolean idle = phase == Phase.OWNING && nothingLeft();
    if (idle) {
      intake.emptied();
    }
    if (!idle) {
      busyAt = now;
    } else if (!now.isBefore(busyAt.plus(owners.settings().idleAfter()))) {
      parent.idle().run();
      busyAt = now;
    }
  }

  private Behavior<Command> onStopped() {
    owners.telemetry().ownsNoMore(app);
    runs.leave();
    replays.forEach(replay -> replay.replyTo().tell(unavailable(MOVING)));
    if (alarm != null) {
      alarm.cancel(false);
    }
    intake.refuseHeld(MOVING);
    for (Command left : posts.close()) {
      if (left instanceof Accept accept) {
        intake.refuse(accept, MOVING);
      }
    }
    return Behaviors.same();
  }

  private <T> CompletableFuture<T> supply(Callable<T> statement) {
    return Statements.on(owners.blocking(), statement);
  }

  static Answer unavailable(String why) {
    return new Answer.Refused(new Refusal.Unavailable(why, RETRY_AFTER));
  }

  static Answer conflict(String why) {
    return new Answer.Refused(new Refusal.Conflict(why));
  }

  static String why(@Nullable Throwable failure) {
    return failure == null ? "no reason given" : String.valueOf(failure.getMessage());
  }
}
