package dev.viesti.dispatcher.app;

import dev.viesti.dispatcher.PluginView;
import dev.viesti.dispatcher.Refusal;
import dev.viesti.dispatcher.TriggerView;
import dev.viesti.dispatcher.outbox.Outbox;
import dev.viesti.dispatcher.outbox.OutboxPolicy;
import dev.viesti.dispatcher.wire.Answer;
import dev.viesti.dispatcher.wire.Wire;
import dev.viesti.persistence.outbox.Insert;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.app.AppSettings;
import dev.viesti.protocol.event.Event;
import dev.viesti.protocol.trigger.Trigger;
import dev.viesti.protocol.trigger.TriggerId;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
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
  public sealed interface Command
      permits Asked,
          OutboxRequest,
          PluginRequest,
          OutboxChild.News,
          Listing.Written,
          Deletion.News,
          PluginControl.News,
          ModuleUses.News {}

  /** What others ask it or tell it, from any node. */
  public sealed interface Asked extends Command, Wire {}

  public record PutApp(
      AppSettings settings,
      @Nullable Long expectedRevision,
      String principal,
      ActorRef<Answer> replyTo)
      implements Asked {}

  public record GetApp(ActorRef<Answer> replyTo) implements Asked {}

  public record DeleteApp(boolean cancelDeliveries, String principal, ActorRef<Answer> replyTo)
      implements Asked {}

  public record PutTrigger(
      TriggerId id,
      Trigger trigger,
      @Nullable Long expectedRevision,
      String principal,
      ActorRef<Answer> replyTo)
      implements Asked {}

  public record GetTrigger(TriggerId id, ActorRef<Answer> replyTo) implements Asked {}

  public record ListTriggers(ActorRef<Answer> replyTo) implements Asked {}

  public record DeleteTrigger(TriggerId id, String principal, ActorRef<Answer> replyTo)
      implements Asked {}

  public record Publish(List<Event> events, ActorRef<Answer> replyTo) implements Asked {}

  /** Somebody marked dead letters as dealt with: their keys may go on. */
  public record DeadLettersResolved() implements Asked {}

  /** Makes sure that the app's owner is there, and looks: rows of it are due, or new. */
  public record Wake() implements Asked {}

  /** Sharding's word that the app moves or the node stops. */
  public record Stop() implements Asked {}

  /** Every {@value} events; state and events are small, and replay reads at most as many. */
  private static final int SNAPSHOT_EVERY = 100;

  /** How long an entity without an app stays: long enough for a burst of mistakes. */
  private static final Duration NOTHING_HERE = Duration.ofSeconds(10);

  private static final String STARTING = "the app is starting or stopping";

  private final ActorContext<Command> context;
  private final AppId app;
  private final ActorRef<ClusterSharding.ShardCommand> shard;
  private final AppParts parts;
  private final Registration registration;
  private final Listing listing;
  private final Deletion deletion;
  private final OutboxChild outbox;
  private final ModuleUses moduleUses;
  private final PluginControl plugins;
  private boolean stopping;

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
    this.registration = new Registration(app, parts);
    this.listing = new Listing(context, parts);
    this.deletion = new Deletion(context, app, parts);
    this.outbox = new OutboxChild(context, app, parts);
    this.moduleUses = new ModuleUses(context, app, parts, () -> lastSequenceNumber(context));
    this.plugins = new PluginControl(context, app, parts, moduleUses);
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
        .onSignal(PostStop.instance(), state -> onStopped())
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
      case PutTrigger put ->
          decided(
              registration.put(state, put, now()),
              put.replyTo(),
              after -> registration.get(after, put.id()));
      case DeleteTrigger delete ->
          decided(
              registration.delete(state, delete, now()),
              delete.replyTo(),
              after -> new Answer.Done());
      case DeleteApp delete -> onDeleteApp(state, delete);
      case Deletion.News news -> deletion.on(news, Effect(), outbox, this::onDeleted, now());
      case GetApp(var replyTo) -> answer(replyTo, registration.app(state));
      case GetTrigger(var id, var replyTo) -> answer(replyTo, registration.get(state, id));
      case ListTriggers(var replyTo) -> answer(replyTo, registration.list(state));
      case OutboxRequest request -> forward(state, request);
      case PluginRequest request ->
          onPluginRequest(state, request, () -> plugins.decide(state, request, now()));
      case ModuleUses.Added added ->
          onPluginRequest(state, added.put(), () -> plugins.decide(state, added, now()));
      case ModuleUses.KeepNews news -> {
        moduleUses.on(state, news);
        yield Effect().none();
      }
      case PluginControl.News news -> onPluginNews(state, news);
      case Listing.Written written -> {
        listing.written(written);
        yield Effect().none();
      }
      case OutboxChild.Disable(var id, var reason) -> onDisable(state, id, reason);
      case Wake() -> onWake();
      case OutboxChild.RouteRows(var events, var answer) -> onRouteRows(state, events, answer);
      case DeadLettersResolved() -> {
        outbox.tell(new Outbox.CheckParked());
        yield Effect().none();
      }
      case OutboxChild.Idle() -> onIdle(state);
      case Stop() -> onStop();
      case OutboxChild.Gone() -> onOutboxGone(state);
    };
  }

  // ---- life

  private void onRecovered(AppState state) {
    plugins.recovered();
    if (state.exists()) {
      follow(state);
    } else {
      if (lastSequenceNumber(context) > 0) {
        moduleUses.follow(state); // it was deleted, perhaps just before its node crashed
      }
      context.setReceiveTimeout(NOTHING_HERE, new OutboxChild.Idle());
    }
  }

  /** Tells the outbox and the plugins' runtime what holds now. */
  private void follow(AppState state) {
    OutboxPolicy policy = OutboxChild.policy(state);
    if (policy != null && !stopping) {
      outbox.configure(state, policy, !deletion.isUnderWay());
    }
    if (!stopping) {
      plugins.follow(state);
    }
  }

  private void onStopped() {
    parts.locals().remove(app);
    plugins.stopped();
  }

  /** A plugin that is being initialized would wait until somebody needs the app again. */
  private Effect<AppEvent, AppState> onIdle(AppState state) {
    if (!moduleUses.isAdding()
        && state.plugins().values().stream().noneMatch(PluginView::initializing)) {
      shard.tell(new ClusterSharding.Passivate<>(context.getSelf()));
    }
    return Effect().none();
  }

  private Effect<AppEvent, AppState> onStop() {
    stopping = true;
    parts.locals().open(app, false);
    return outbox.tell(new Outbox.Drain()) ? Effect().none() : Effect().stop();
  }

  /** Fenced, drained, or emptied for a deletion. Whoever needs the app next starts it anew. */
  private Effect<AppEvent, AppState> onOutboxGone(AppState state) {
    outbox.gone();
    return deletion.isUnderWay() || !state.exists() ? Effect().none() : Effect().stop();
  }

  // ---- events

  private Effect<AppEvent, AppState> onPublish(AppState state, Publish publish) {
    if (!state.exists()) {
      return unknown(publish.replyTo());
    }
    boolean accepts = outbox.ref() != null && !deletion.isUnderWay();
    return accepts && parts.locals().publish(app, publish.events(), publish.replyTo()::tell)
        ? Effect().none()
        : answer(publish.replyTo(), Answer.unavailable(STARTING));
  }

  /** An owner that is only starting reads everything anyway. */
  private Effect<AppEvent, AppState> onWake() {
    outbox.tell(new Outbox.ClientRowsMayWait());
    return Effect().none();
  }

  /** Events that a service wrote itself: they are accepted now that somebody has seen them. */
  private Effect<AppEvent, AppState> onRouteRows(
      AppState state, List<Event> events, Consumer<List<List<Insert.Route>>> answer) {
    if (state.exists() && !deletion.isUnderWay()) {
      parts.locals().route(app, events, answer);
    }
    return Effect().none();
  }

  // ---- the app itself

  private Effect<AppEvent, AppState> onPutApp(AppState state, PutApp put) {
    if (deletion.isUnderWay()) {
      return answer(put.replyTo(), Answer.unavailable("the app is being deleted"));
    }
    Long expected = put.expectedRevision();
    if (expected != null && expected != state.revision()) {
      Refusal refusal = new Refusal.PreconditionFailed(state.revision());
      return answer(put.replyTo(), new Answer.Refused(refusal));
    }
    Instant now = now();
    AppEvent event =
        state.exists()
            ? new AppEvent.SettingsChanged(put.settings(), now, put.principal())
            : new AppEvent.AppCreated(put.settings(), now, put.principal());
    var effect =
        put.settings().equals(state.settings()) ? Effect().none() : Effect().persist(event);
    return effect.thenRun(
        after -> {
          follow(after);
          listing.write(after.view(app), put.replyTo());
        });
  }

  private Effect<AppEvent, AppState> onDeleteApp(AppState state, DeleteApp delete) {
    if (!state.exists()) {
      return unknown(delete.replyTo());
    }
    ActorRef<Outbox.Command> child = outbox.ref();
    if (child == null || deletion.isUnderWay()) {
      return answer(delete.replyTo(), Answer.unavailable(STARTING));
    }
    if (plugins.isStarting()) {
      return answer(delete.replyTo(), Answer.unavailable("a plugin of it is being initialized"));
    }
    deletion.begin(child, delete);
    return Effect().none();
  }

  private void onDeleted(AppState state) {
    plugins.follow(state);
    context.setReceiveTimeout(NOTHING_HERE, new OutboxChild.Idle());
  }

  // ---- triggers

  private Effect<AppEvent, AppState> decided(
      Registration.Decision decision,
      ActorRef<Answer> replyTo,
      Function<AppState, @Nullable Answer> answerAfter) {
    return switch (decision) {
      case Registration.Decision.Pending() -> Effect().none();
      case Registration.Decision.Answered(var answer) -> answer(replyTo, answer);
      case Registration.Decision.Changed(var event) ->
          Effect()
              .persist(event)
              .thenRun(
                  after -> {
                    follow(after);
                    Answer answer = answerAfter.apply(after);
                    if (answer != null) {
                      replyTo.tell(answer);
                    }
                  });
    };
  }

  private Effect<AppEvent, AppState> onDisable(AppState state, TriggerId id, String reason) {
    TriggerView view = state.trigger(id);
    if (view == null || !view.trigger().enabled()) {
      return Effect().none();
    }
    context.getLog().warn("app {} trigger {} is switched off: {}", app, id, reason);
    return Effect().persist(new AppEvent.TriggerDisabled(id, reason, now())).thenRun(this::follow);
  }

  // ---- plugins

  private Effect<AppEvent, AppState> onPluginRequest(
      AppState state, PluginRequest request, Supplier<Registration.Decision> decide) {
    if (!state.exists()) {
      return unknown(request.replyTo());
    }
    return deletion.isUnderWay()
        ? answer(request.replyTo(), Answer.unavailable("the app is being deleted"))
        : decided(decide.get(), request.replyTo(), after -> plugins.answer(after, request));
  }

  private Effect<AppEvent, AppState> onPluginNews(AppState state, PluginControl.News news) {
    PluginEvent event = state.exists() ? plugins.on(state, news, now()) : null;
    return event == null
        ? Effect().none()
        : Effect()
            .persist((AppEvent) event)
            .thenRun(
                after -> {
                  follow(after);
                  plugins.done(after, event);
                });
  }

  // ---- answers

  private Effect<AppEvent, AppState> forward(AppState state, OutboxRequest request) {
    if (!state.exists()) {
      return unknown(request.replyTo());
    }
    return !deletion.isUnderWay() && outbox.tell(request.inside())
        ? Effect().none()
        : answer(request.replyTo(), Answer.unavailable(STARTING));
  }

  private Effect<AppEvent, AppState> answer(ActorRef<Answer> replyTo, Answer answer) {
    replyTo.tell(answer);
    return Effect().none();
  }

  private Effect<AppEvent, AppState> unknown(ActorRef<Answer> replyTo) {
    return answer(replyTo, registration.unknownApp());
  }

  private Instant now() {
    return parts.owners().clock().instant();
  }
}
