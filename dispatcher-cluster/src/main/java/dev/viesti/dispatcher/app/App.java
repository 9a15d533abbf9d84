package dev.viesti.dispatcher.app;

import dev.viesti.dispatcher.Completion;
import dev.viesti.dispatcher.Refusal;
import dev.viesti.dispatcher.TriggerView;
import dev.viesti.dispatcher.outbox.Outbox;
import dev.viesti.dispatcher.outbox.OutboxPolicy;
import dev.viesti.dispatcher.outbox.Owners;
import dev.viesti.dispatcher.outbox.PostBox;
import dev.viesti.dispatcher.outbox.Statements;
import dev.viesti.dispatcher.wire.Answer;
import dev.viesti.dispatcher.wire.Wire;
import dev.viesti.persistence.app.AppDirectory;
import dev.viesti.persistence.outbox.Insert;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.app.AppSettings;
import dev.viesti.protocol.delivery.Delivery;
import dev.viesti.protocol.delivery.DeliveryId;
import dev.viesti.protocol.event.Event;
import dev.viesti.protocol.trigger.Trigger;
import dev.viesti.protocol.trigger.TriggerId;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.Consumer;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.PostStop;
import org.apache.pekko.actor.typed.SupervisorStrategy;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding;
import org.apache.pekko.cluster.sharding.typed.javadsl.EntityTypeKey;
import org.apache.pekko.persistence.typed.PersistenceId;
import org.apache.pekko.persistence.typed.RecoveryCompleted;
import org.apache.pekko.persistence.typed.javadsl.CommandHandler;
import org.apache.pekko.persistence.typed.javadsl.Effect;
import org.apache.pekko.persistence.typed.javadsl.EventHandler;
import org.apache.pekko.persistence.typed.javadsl.EventSourcedBehavior;
import org.apache.pekko.persistence.typed.javadsl.RetentionCriteria;
import org.apache.pekko.persistence.typed.javadsl.SignalHandler;
import org.jspecify.annotations.Nullable;

/**
 * One app: the single writer of its control plane and the parent of its outbox. Sharded by {@link
 * AppId}. An entity for an app that does not exist answers {@link Refusal.NotFound} and goes away.
 */
public final class App extends EventSourcedBehavior<App.Command, AppEvent, AppState> {
  /** The sharding entity type. */
  public static final EntityTypeKey<Command> KEY = EntityTypeKey.create(Command.class, "app");

  /** What an app understands. */
  public sealed interface Command {}

  public record PutApp(
      AppSettings settings,
      @Nullable Long expectedRevision,
      String principal,
      ActorRef<Answer> replyTo)
      implements Command, Wire {}

  public record GetApp(ActorRef<Answer> replyTo) implements Command, Wire {}

  public record DeleteApp(boolean cancelDeliveries, String principal, ActorRef<Answer> replyTo)
      implements Command, Wire {}

  public record PutTrigger(
      TriggerId id,
      Trigger trigger,
      @Nullable Long expectedRevision,
      String principal,
      ActorRef<Answer> replyTo)
      implements Command, Wire {}

  public record GetTrigger(TriggerId id, ActorRef<Answer> replyTo) implements Command, Wire {}

  public record ListTriggers(ActorRef<Answer> replyTo) implements Command, Wire {}

  public record DeleteTrigger(TriggerId id, String principal, ActorRef<Answer> replyTo)
      implements Command, Wire {}

  public record Publish(List<Event> events, ActorRef<Answer> replyTo) implements Command, Wire {}

  public record AskRunning(ActorRef<Answer> replyTo) implements Command, Wire {}

  public record RetryDelivery(Delivery row, ActorRef<Answer> replyTo) implements Command, Wire {}

  public record CancelDelivery(Delivery row, ActorRef<Answer> replyTo) implements Command, Wire {}

  /** Tells the outcome of a deferred delivery. */
  public record CompleteDelivery(DeliveryId id, Completion completion, ActorRef<Answer> replyTo)
      implements Command, Wire {}

  public record Replay(List<UUID> deadLetters, ActorRef<Answer> replyTo) implements Command, Wire {}

  /** Somebody marked dead letters as dealt with: their keys may go on. */
  public record DeadLettersResolved() implements Command, Wire {}

  /** Makes sure that the app's owner is there, and looks: rows of it are due, or new. */
  public record Wake() implements Command, Wire {}

  /** Sharding's word that the app moves or the node stops. */
  public record Stop() implements Command, Wire {}

  private record DirectoryWritten(
      Answer answer, @Nullable Throwable failure, ActorRef<Answer> replyTo) implements Command {}

  private record Emptied(@Nullable Answer answer, DeleteApp delete) implements Command {}

  private record Forgotten(@Nullable Throwable failure, DeleteApp delete) implements Command {}

  private record Disable(TriggerId id, String reason) implements Command {}

  private record RouteRows(List<Event> events, Consumer<List<List<Insert.Route>>> answer)
      implements Command {}

  private record OutboxGone() implements Command {}

  private record Idle() implements Command {}

  /** Every {@value} events; state and events are small, and replay reads at most as many. */
  private static final int SNAPSHOT_EVERY = 100;

  /** How long an entity without an app stays: long enough for a burst of mistakes. */
  private static final Duration NOTHING_HERE = Duration.ofSeconds(10);

  /** Emptying an outbox with a million rows takes seconds. */
  private static final Duration PURGE_TIMEOUT = Duration.ofMinutes(2);

  private static final int FORGET_BATCH = 5_000;
  private static final Duration RETRY_AFTER = Duration.ofSeconds(1);

  private final ActorContext<Command> context;
  private final AppId app;
  private final ActorRef<ClusterSharding.ShardCommand> shard;
  private final AppParts parts;
  private final Registration registration;
  private @Nullable ActorRef<Outbox.Command> outbox;
  private @Nullable PostBox posts;
  private boolean stopping;
  private boolean deleting;

  private App(
      ActorContext<Command> context,
      AppId app,
      ActorRef<ClusterSharding.ShardCommand> shard,
      AppParts parts) {
    // the outbox survives a journal that is away for a while: deliveries need no control plane
    super(
        PersistenceId.of("app", app.value()),
        SupervisorStrategy.restartWithBackoff(Duration.ofMillis(200), Duration.ofSeconds(5), 0.2)
            .withStopChildren(false));
    this.context = context;
    this.app = app;
    this.shard = shard;
    this.parts = parts;
    this.registration = new Registration(parts);
    context.getChild("outbox").ifPresent(child -> outbox = child.<Outbox.Command>unsafeUpcast());
    posts = parts.locals().outbox(app);
  }

  /** The behaviour of {@code app} on this node. */
  public static Behavior<Command> create(
      AppId app, ActorRef<ClusterSharding.ShardCommand> shard, AppParts parts) {
    return Behaviors.setup(context -> new App(context, app, shard, parts));
  }

  @Override
  public AppState emptyState() {
    return AppState.NONE;
  }

  @Override
  public RetentionCriteria retentionCriteria() {
    return RetentionCriteria.snapshotEvery(
        SNAPSHOT_EVERY, 2); // events stay: they are the audit log
  }

  @Override
  public SignalHandler<AppState> signalHandler() {
    return newSignalHandlerBuilder()
        .onSignal(RecoveryCompleted.instance(), this::onRecovered)
        .onSignal(PostStop.instance(), state -> parts.locals().remove(app))
        .build();
  }

  @Override
  public EventHandler<AppState, AppEvent> eventHandler() {
    return AppState::after;
  }

  @Override
  public CommandHandler<Command, AppEvent, AppState> commandHandler() {
    return newCommandHandlerBuilder().forAnyState().onAnyCommand(this::on);
  }

  private Effect<AppEvent, AppState> on(AppState state, Command command) {
    return switch (command) {
      case Publish publish -> onPublish(state, publish);
      case PutApp put -> onPutApp(state, put);
      case PutTrigger put -> state.exists() ? onPutTrigger(state, put) : unknown(put.replyTo());
      case DeleteTrigger delete ->
          state.exists() ? onDeleteTrigger(state, delete) : unknown(delete.replyTo());
      case DeleteApp delete -> onDeleteApp(state, delete);
      case Emptied(var answer, var delete) -> onEmptied(answer, delete);
      case Forgotten(var failure, var delete) -> onForgotten(failure, delete);
      case GetApp(var replyTo) ->
          state.exists() ? answer(replyTo, new Answer.App(state.view(app))) : unknown(replyTo);
      case GetTrigger(var id, var replyTo) -> onGetTrigger(state, id, replyTo);
      case ListTriggers(var replyTo) ->
          state.exists()
              ? answer(replyTo, new Answer.Triggers(List.copyOf(state.triggers().values())))
              : unknown(replyTo);
      case AskRunning(var replyTo) -> forward(state, new Outbox.AskRunning(replyTo), replyTo);
      case RetryDelivery(var row, var replyTo) ->
          forward(state, new Outbox.RetryNow(row, replyTo), replyTo);
      case CancelDelivery(var row, var replyTo) ->
          forward(state, new Outbox.Cancel(row, replyTo), replyTo);
      case CompleteDelivery(var id, var completion, var replyTo) ->
          forward(state, new Outbox.Complete(id, completion.outcome(), replyTo), replyTo);
      case Replay(var ids, var replyTo) -> forward(state, new Outbox.Replay(ids, replyTo), replyTo);
      case DirectoryWritten(var answer, var failure, var replyTo) -> {
        replyTo.tell(
            failure == null ? answer : unavailable("saved, but not listed yet: repeat it"));
        yield Effect().none();
      }
      case Disable(var id, var reason) -> onDisable(state, id, reason);
      case Wake() -> onWake();
      case RouteRows(var events, var answer) -> onRouteRows(state, events, answer);
      case DeadLettersResolved() -> {
        if (outbox != null) {
          outbox.tell(new Outbox.CheckParked());
        }
        yield Effect().none();
      }
      case Idle() -> {
        shard.tell(new ClusterSharding.Passivate<>(context.getSelf()));
        yield Effect().none();
      }
      case Stop() -> onStop();
      case OutboxGone() -> onOutboxGone(state);
    };
  }

  // ---- life

  private void onRecovered(AppState state) {
    if (state.exists()) {
      configureOutbox(state);
    } else {
      context.setReceiveTimeout(NOTHING_HERE, new Idle());
    }
  }

  private void configureOutbox(AppState state) {
    if (state.settings() == null || stopping) {
      return;
    }
    Map<TriggerId, Trigger> triggers = new HashMap<>();
    state.triggers().values().forEach(view -> triggers.put(view.id(), view.trigger()));
    var policy = new OutboxPolicy(state.settings(), Map.copyOf(triggers));
    ActorRef<Outbox.Command> child = outbox;
    PostBox box = posts;
    if (child != null && box != null) {
      child.tell(new Outbox.Configure(policy));
      admit(state, box);
      return;
    }
    box = new PostBox();
    ActorRef<Command> self = context.getSelf();
    var parent =
        new Outbox.Parent(
            (id, reason) -> self.tell(new Disable(id, reason)),
            () -> self.tell(new Idle()),
            (events, answer) -> self.tell(new RouteRows(events, answer)));
    child = context.spawn(Outbox.create(parts.owners(), app, box, policy, parent), "outbox");
    context.watchWith(child, new OutboxGone());
    context.cancelReceiveTimeout();
    outbox = child;
    posts = box;
    admit(state, box);
  }

  /** From now on events are matched to the triggers of {@code state}. */
  private void admit(AppState state, PostBox box) {
    var router = new Router(state.triggers().values(), parts.owners().telemetry()::filterFailed);
    parts.locals().put(app, router, box, !deleting);
  }

  private Effect<AppEvent, AppState> onStop() {
    stopping = true;
    parts.locals().open(app, false);
    if (outbox == null) {
      return Effect().stop();
    }
    outbox.tell(new Outbox.Drain());
    return Effect().none();
  }

  /** Fenced, drained, or emptied for a deletion. Whoever needs the app next starts it anew. */
  private Effect<AppEvent, AppState> onOutboxGone(AppState state) {
    outbox = null;
    posts = null;
    parts.locals().remove(app);
    return deleting || !state.exists() ? Effect().none() : Effect().stop();
  }

  // ---- events

  private Effect<AppEvent, AppState> onPublish(AppState state, Publish publish) {
    if (!state.exists()) {
      return unknown(publish.replyTo());
    }
    if (outbox == null || deleting) {
      return answer(publish.replyTo(), unavailable("the app is starting or stopping"));
    }
    return parts.locals().publish(app, publish.events(), publish.replyTo()::tell)
        ? Effect().none()
        : answer(publish.replyTo(), unavailable("the app is starting or stopping"));
  }

  /** An owner that is only starting reads everything anyway. */
  private Effect<AppEvent, AppState> onWake() {
    if (outbox != null) {
      outbox.tell(new Outbox.ClientRowsMayWait());
    }
    return Effect().none();
  }

  /** Events that a service wrote itself: they are accepted now that somebody has seen them. */
  private Effect<AppEvent, AppState> onRouteRows(
      AppState state, List<Event> events, Consumer<List<List<Insert.Route>>> answer) {
    List<List<Insert.Route>> routes =
        state.exists() && !deleting ? parts.locals().route(app, events) : null;
    if (routes != null) {
      int unmatched = (int) routes.stream().filter(List::isEmpty).count();
      parts.owners().telemetry().accepted(events.size(), unmatched, 0);
      answer.accept(routes);
    }
    return Effect().none();
  }

  // ---- the app itself

  private Effect<AppEvent, AppState> onPutApp(AppState state, PutApp put) {
    if (deleting) {
      return answer(put.replyTo(), unavailable("the app is being deleted"));
    }
    Refusal refusal = revision(put.expectedRevision(), state.revision());
    if (refusal != null) {
      return refuse(put.replyTo(), refusal);
    }
    Instant now = now();
    AppEvent event =
        state.exists()
            ? new AppEvent.SettingsChanged(put.settings(), now, put.principal())
            : new AppEvent.AppCreated(put.settings(), now, put.principal());
    var effect =
        put.settings().equals(state.settings()) ? Effect().none() : Effect().persist(event);
    return effect.thenRun(after -> list(after, put.replyTo()));
  }

  /** Answers once the directory has it: a list asked for after the answer shows it. */
  private void list(AppState state, ActorRef<Answer> replyTo) {
    configureOutbox(state);
    var view = state.view(app);
    var line =
        new AppDirectory.Line(
            app,
            view.settings().displayName(),
            view.settings().paused(),
            view.createdAt(),
            view.updatedAt());
    var written =
        Statements.on(
            parts.owners().blocking(),
            () -> {
              parts.directory().put(line);
              return true;
            });
    context.pipeToSelf(
        written, (done, failure) -> new DirectoryWritten(new Answer.App(view), failure, replyTo));
  }

  private Effect<AppEvent, AppState> onDeleteApp(AppState state, DeleteApp delete) {
    if (!state.exists()) {
      return unknown(delete.replyTo());
    }
    if (outbox == null || deleting) {
      return answer(delete.replyTo(), unavailable("the app is starting or stopping"));
    }
    deleting = true;
    parts.locals().open(app, false);
    ActorRef<Outbox.Command> child = outbox;
    if (delete.cancelDeliveries()) {
      purge(child, delete);
    } else {
      context.ask(
          Answer.class,
          child,
          RETRY_AFTER.multipliedBy(5),
          Outbox.AskEmpty::new,
          (answer, failure) -> new Emptied(answer, delete));
    }
    return Effect().none();
  }

  private void purge(ActorRef<Outbox.Command> child, DeleteApp delete) {
    context.ask(
        Answer.class,
        child,
        PURGE_TIMEOUT,
        Outbox.Purge::new,
        (answer, failure) ->
            new Emptied(answer, new DeleteApp(true, delete.principal(), delete.replyTo())));
  }

  private Effect<AppEvent, AppState> onEmptied(@Nullable Answer answer, DeleteApp delete) {
    if (!(answer instanceof Answer.Done)) {
      return notDeleted(
          answer == null ? unavailable("the outbox did not answer") : answer, delete.replyTo());
    }
    if (!delete.cancelDeliveries() && outbox != null) {
      purge(outbox, delete); // nothing waits; this keeps it so
      return Effect().none();
    }
    context.pipeToSelf(
        Statements.on(parts.owners().blocking(), this::forgetApp),
        (done, failure) -> new Forgotten(failure, delete));
    return Effect().none();
  }

  private Effect<AppEvent, AppState> notDeleted(Answer why, ActorRef<Answer> replyTo) {
    deleting = false;
    parts.locals().open(app, true);
    replyTo.tell(why);
    return outbox == null ? Effect().stop() : Effect().none();
  }

  /** Before the app itself, so that a deletion that failed half-way can be repeated. */
  private boolean forgetApp() throws SQLException {
    Owners.Tables tables = parts.owners().tables();
    while (tables.deadLetters().purge(app, FORGET_BATCH) == FORGET_BATCH
        || tables.housekeeping().forgetIdsOf(app, FORGET_BATCH) == FORGET_BATCH) {
      // in batches, so that no transaction is long
    }
    parts.directory().remove(app);
    return true;
  }

  private Effect<AppEvent, AppState> onForgotten(@Nullable Throwable failure, DeleteApp delete) {
    if (failure != null) {
      return notDeleted(unavailable("not deleted yet: repeat it"), delete.replyTo());
    }
    return Effect()
        .persist(new AppEvent.AppDeleted(now(), delete.principal()))
        .thenRun(
            after -> {
              deleting = false;
              context.setReceiveTimeout(NOTHING_HERE, new Idle());
              delete.replyTo().tell(new Answer.Done());
            });
  }

  // ---- triggers

  private Effect<AppEvent, AppState> onPutTrigger(AppState state, PutTrigger put) {
    TriggerView was = state.trigger(put.id());
    Refusal refusal = revision(put.expectedRevision(), was == null ? 0 : was.revision());
    if (refusal == null) {
      refusal = registration.refuse(state, was, put.trigger());
    }
    if (refusal != null) {
      return refuse(put.replyTo(), refusal);
    }
    Trigger trigger = registration.complete(put.trigger(), was);
    if (was != null && was.trigger().equals(trigger)) {
      return answer(put.replyTo(), new Answer.OneTrigger(was));
    }
    AppEvent event =
        was == null
            ? new AppEvent.TriggerRegistered(put.id(), trigger, now(), put.principal())
            : new AppEvent.TriggerChanged(put.id(), trigger, now(), put.principal());
    return Effect()
        .persist(event)
        .thenRun(
            after -> {
              configureOutbox(after);
              TriggerView view = after.trigger(put.id());
              if (view != null) {
                put.replyTo().tell(new Answer.OneTrigger(view));
              }
            });
  }

  private Effect<AppEvent, AppState> onGetTrigger(
      AppState state, TriggerId id, ActorRef<Answer> replyTo) {
    if (!state.exists()) {
      return unknown(replyTo);
    }
    TriggerView view = state.trigger(id);
    return view == null
        ? unknownTrigger(id, replyTo)
        : answer(replyTo, new Answer.OneTrigger(view));
  }

  private Effect<AppEvent, AppState> onDeleteTrigger(AppState state, DeleteTrigger delete) {
    if (state.trigger(delete.id()) == null) {
      return unknownTrigger(delete.id(), delete.replyTo());
    }
    return Effect()
        .persist(new AppEvent.TriggerRemoved(delete.id(), now(), delete.principal()))
        .thenRun(
            after -> {
              configureOutbox(after);
              delete.replyTo().tell(new Answer.Done());
            });
  }

  private Effect<AppEvent, AppState> onDisable(AppState state, TriggerId id, String reason) {
    TriggerView view = state.trigger(id);
    if (view == null || !view.trigger().enabled()) {
      return Effect().none();
    }
    context.getLog().warn("app {} trigger {} is switched off: {}", app, id, reason);
    return Effect()
        .persist(new AppEvent.TriggerDisabled(id, reason, now()))
        .thenRun(this::configureOutbox);
  }

  // ---- answers

  private Effect<AppEvent, AppState> forward(
      AppState state, Outbox.Command command, ActorRef<Answer> replyTo) {
    if (!state.exists()) {
      return unknown(replyTo);
    }
    if (outbox == null || deleting) {
      return answer(replyTo, unavailable("the app is starting or stopping"));
    }
    outbox.tell(command);
    return Effect().none();
  }

  private Effect<AppEvent, AppState> answer(ActorRef<Answer> replyTo, Answer answer) {
    replyTo.tell(answer);
    return Effect().none();
  }

  private Effect<AppEvent, AppState> refuse(ActorRef<Answer> replyTo, Refusal refusal) {
    return answer(replyTo, new Answer.Refused(refusal));
  }

  private Effect<AppEvent, AppState> unknown(ActorRef<Answer> replyTo) {
    return refuse(replyTo, new Refusal.NotFound("there is no app '%s'".formatted(app)));
  }

  private Effect<AppEvent, AppState> unknownTrigger(TriggerId id, ActorRef<Answer> replyTo) {
    return refuse(replyTo, new Refusal.NotFound("app '%s' has no trigger '%s'".formatted(app, id)));
  }

  private static @Nullable Refusal revision(@Nullable Long expected, long actual) {
    return expected == null || expected == actual ? null : new Refusal.PreconditionFailed(actual);
  }

  private static Answer unavailable(String why) {
    return new Answer.Refused(new Refusal.Unavailable(why, RETRY_AFTER));
  }

  private Instant now() {
    return parts.owners().clock().instant();
  }
}
