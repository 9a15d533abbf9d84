package dev.viesti.dispatcher.app;

import dev.viesti.dispatcher.PluginView;
import dev.viesti.dispatcher.PluginView.Version;
import dev.viesti.dispatcher.Refusal;
import dev.viesti.dispatcher.TriggerView;
import dev.viesti.dispatcher.app.PluginLifecycle.Step;
import dev.viesti.dispatcher.app.Registration.Decision;
import dev.viesti.dispatcher.outbox.Statements;
import dev.viesti.dispatcher.plugin.CallEnd;
import dev.viesti.dispatcher.plugin.ConfigCheck;
import dev.viesti.dispatcher.plugin.InstalledPlugin;
import dev.viesti.dispatcher.plugin.Plugins;
import dev.viesti.dispatcher.wire.Answer;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.plugin.PluginId;
import dev.viesti.protocol.trigger.Target;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.jspecify.annotations.Nullable;

/**
 * An app's plugins: decides by {@link PluginLifecycle}, and leaves it to the app to write down;
 * then tells the node's runtime what there is ({@link #follow}), and has candidates initialized.
 * Belongs to one {@link App} and is called on its thread only.
 */
final class PluginControl {
  /** What became of what it began, and what the runtime has to say. */
  sealed interface News extends App.Command {}

  /**
   * @param start which one: what a start before a restart of the app says is not heard
   */
  record Started(PluginId id, long start, @Nullable CallEnd end, @Nullable Throwable failure)
      implements News {}

  record StartAgain(PluginId id) implements News {}

  record Heard(Plugins.News news) implements News {}

  /** The database or the epoch is away: as often as an owner tries to get its epoch. */
  private static final Duration START_AGAIN = Duration.ofSeconds(5);

  /** Of a problem is kept what people read: it is in each answer about the plugin. */
  private static final int PROBLEM_MAX = 2_000;

  private final ActorContext<App.Command> context;
  private final AppId app;
  private final AppParts parts;
  private final PluginLifecycle lifecycle;
  private final EpochCalls calls;
  private final ModuleUses uses;

  /** Candidates that are being initialized, each with the number of its start. */
  private final Map<PluginId, Long> starting = new HashMap<>();

  /** Who waits for a candidate. */
  private final Map<PluginId, ActorRef<Answer>> uploaders = new HashMap<>();

  private long starts;
  private List<InstalledPlugin> told = List.of();

  PluginControl(ActorContext<App.Command> context, AppId app, AppParts parts, ModuleUses uses) {
    this.context = context;
    this.app = app;
    this.parts = parts;
    this.lifecycle = new PluginLifecycle(parts.plugins().settings());
    this.calls = new EpochCalls(app, parts);
    this.uses = uses;
  }

  // ---- requests

  /** Answers itself, later, where the decision is {@link Decision.Pending}. */
  Decision decide(AppState state, PluginRequest request, Instant now) {
    return switch (request) {
      case PluginRequest.PutPlugin put -> put(state, put, now);
      case PluginRequest.ListPlugins list ->
          answered(
              new Answer.Plugins(
                  state.plugins().values().stream().map(PluginView::summary).toList()));
      case PluginRequest.GetPlugin(var id, var replyTo) -> answered(view(state, id));
      case PluginRequest.EnablePlugin(var id, var by, var replyTo) ->
          change(state, id, was -> lifecycle.enable(was, now, by));
      case PluginRequest.DisablePlugin(var id, var by, var replyTo) ->
          change(state, id, was -> lifecycle.disable(was, now, by));
      case PluginRequest.RollBackPlugin(var id, var by, var replyTo) ->
          change(state, id, was -> lifecycle.rollBack(was, now, by));
      case PluginRequest.ConfigurePlugin configure -> configure(state, configure, now);
      case PluginRequest.DeletePlugin delete -> delete(state, delete, now);
      case PluginRequest.CheckHealth(var id, var replyTo) -> {
        PluginView view = state.plugin(id);
        yield view == null ? unknown(id) : calls.health(view, replyTo);
      }
      case PluginRequest.ReadMetrics(var id, var replyTo) ->
          state.plugin(id) == null ? unknown(id) : calls.metrics(id);
      case PluginRequest.Invoke invoke -> calls.invoke(state, invoke);
    };
  }

  /**
   * What follows from a request that has been written down; null when somebody answers later. Those
   * that change nothing are never written down.
   */
  @Nullable Answer answer(AppState after, PluginRequest request) {
    return switch (request) {
      case PluginRequest.PutPlugin put -> null;
      case PluginRequest.DeletePlugin delete -> {
        if (!delete.purge()) {
          yield new Answer.Done();
        }
        calls.purge(delete);
        yield null;
      }
      case PluginRequest.EnablePlugin enable -> view(after, enable.id());
      case PluginRequest.DisablePlugin disable -> view(after, disable.id());
      case PluginRequest.RollBackPlugin back -> view(after, back.id());
      case PluginRequest.ConfigurePlugin configure -> view(after, configure.id());
      case PluginRequest.ListPlugins read -> null;
      case PluginRequest.GetPlugin read -> null;
      case PluginRequest.CheckHealth read -> null;
      case PluginRequest.ReadMetrics read -> null;
      case PluginRequest.Invoke call -> null;
    };
  }

  private Decision change(AppState state, PluginId id, Function<PluginView, Step> change) {
    PluginView was = state.plugin(id);
    return was == null ? unknown(id) : decision(change.apply(was), was);
  }

  private Decision put(AppState state, PluginRequest.PutPlugin put, Instant now) {
    if (state.trigger(PluginTriggers.idOf(put.id())) != null) {
      return answered(
          Answer.conflict(
              "a trigger is called '%s', as the one of this plugin would be: rename it first"
                  .formatted(PluginTriggers.idOf(put.id()))));
    }
    Step step = upload(state, put, now);
    if (step instanceof Step.Changed) {
      uses.add(put);
      return new Decision.Pending();
    }
    return decision(step, state.plugin(put.id()));
  }

  /** Decides again about an upload whose module cannot be swept any more. */
  Decision decide(AppState state, ModuleUses.Added added, Instant now) {
    PluginRequest.PutPlugin put = added.put();
    Answer problem = uses.problem(added);
    if (problem != null) {
      return answered(problem);
    }
    Step step = upload(state, put, now);
    if (step instanceof Step.Changed) {
      uploaders.put(put.id(), put.replyTo());
    } else {
      uses.follow(state);
    }
    return decision(step, state.plugin(put.id()));
  }

  private Step upload(AppState state, PluginRequest.PutPlugin put, Instant now) {
    return lifecycle.upload(
        state.plugins(), put.id(), put.release(), put.expectedRevision(), now, put.principal());
  }

  private Decision configure(AppState state, PluginRequest.ConfigurePlugin put, Instant now) {
    PluginView was = state.plugin(put.id());
    if (was == null) {
      return unknown(put.id());
    }
    Step step =
        lifecycle.configure(was, put.config(), put.expectedRevision(), now, put.principal());
    if (step instanceof Step.Changed) {
      String schema = was.shown().release().manifest().configSchema();
      Refusal misfit = ConfigCheck.misfit(schema, put.config(), "");
      if (misfit != null) {
        return answered(new Answer.Refused(misfit));
      }
    }
    return decision(step, was);
  }

  private Decision delete(AppState state, PluginRequest.DeletePlugin delete, Instant now) {
    PluginView was = state.plugin(delete.id());
    if (was == null && delete.purge()) {
      calls.purge(delete); // of one that was uninstalled before, and had left something
      return new Decision.Pending();
    }
    if (was == null) {
      return unknown(delete.id());
    }
    String users =
        state.triggers().values().stream()
            .filter(trigger -> runs(trigger, delete.id()))
            .map(trigger -> trigger.id().value())
            .collect(Collectors.joining(", "));
    return users.isEmpty()
        ? decision(lifecycle.remove(was, now, delete.principal()), was)
        : answered(
            Answer.conflict(
                "triggers run plugin '%s': %s; remove them first".formatted(delete.id(), users)));
  }

  private static boolean runs(TriggerView trigger, PluginId plugin) {
    return trigger.trigger().target() instanceof Target.Plugin target
        && target.name().equals(plugin.value());
  }

  private Answer view(AppState state, PluginId id) {
    PluginView view = state.plugin(id);
    return view == null
        ? Answer.notFound("app '%s' has no plugin '%s'".formatted(app, id))
        : new Answer.OnePlugin(view);
  }

  private Decision unknown(PluginId id) {
    return answered(Answer.notFound("app '%s' has no plugin '%s'".formatted(app, id)));
  }

  private static Decision answered(Answer answer) {
    return new Decision.Answered(answer);
  }

  private static Decision decision(Step step, @Nullable PluginView was) {
    return switch (step) {
      case Step.Refused(var refusal) -> answered(new Answer.Refused(refusal));
      case Step.Changed(var event) -> new Decision.Changed(event);
      case Step.Unchanged() when was != null -> answered(new Answer.OnePlugin(was));
      case Step.Unchanged() -> throw new IllegalStateException("nothing can be as it was");
    };
  }

  // ---- news

  /** What is to be written down because of it; null when nothing is. */
  @Nullable PluginEvent on(AppState state, News news, Instant now) {
    Step step =
        switch (news) {
          case Started started -> started(state, started, now);
          case StartAgain(var id) -> {
            startCandidates(state);
            yield new Step.Unchanged();
          }
          case Heard(Plugins.News.Trapping trapping) -> trapping(state, trapping, now);
          case Heard(Plugins.News.Recovered(var id)) -> lifecycle.recovered(state.plugin(id), now);
        };
    return step instanceof Step.Changed(var event) ? event : null;
  }

  private Step trapping(AppState state, Plugins.News.Trapping trapping, Instant now) {
    String problem =
        "%d calls in a row have trapped; the last one: %s"
            .formatted(trapping.consecutive(), trapping.lastError());
    Step step = lifecycle.trapping(state.plugin(trapping.plugin()), cut(problem), now);
    if (step instanceof Step.Changed(PluginEvent.PluginQuarantined event)) {
      context
          .getLog()
          .warn(
              "app {} plugin {} is in quarantine until {}: {}",
              app,
              trapping.plugin(),
              event.until(),
              event.problem());
    }
    return step;
  }

  private Step started(AppState state, Started news, Instant now) {
    if (!starting.remove(news.id(), news.start())) {
      return new Step.Unchanged();
    }
    PluginView was = state.plugin(news.id());
    return switch (news.end()) {
      case CallEnd.Returned returned -> lifecycle.initialized(was, now);
      case CallEnd.Failed(var kind, var message) -> {
        String why = kind.equals("error") ? message : kind + ": " + message;
        yield lifecycle.initFailed(was, cut(why), now);
      }
      case CallEnd.Fenced fenced -> startLater(news.id(), "the app is moving");
      case CallEnd.Unavailable(var why) -> startLater(news.id(), why);
      case null -> {
        context.getLog().error("app {} plugin {}: init broke", app, news.id(), news.failure());
        yield lifecycle.initFailed(was, "host: " + cut(String.valueOf(news.failure())), now);
      }
    };
  }

  private Step startLater(PluginId id, String why) {
    var unused = context.scheduleOnce(START_AGAIN, context.getSelf(), new StartAgain(id));
    tellUploader(
        id,
        Answer.unavailable(
            "plugin '%s' is not initialized yet (%s): that is tried again".formatted(id, why)));
    return new Step.Unchanged();
  }

  /** The news has been written down. */
  void done(AppState after, PluginEvent event) {
    switch (event) {
      case PluginEvent.PluginInitialized(var id, var at, var by) ->
          tellUploader(id, view(after, id));
      case PluginEvent.PluginInitFailed(var id, var problem, var at, var by) -> {
        context.getLog().warn("app {} plugin {} was not taken: init: {}", app, id, problem);
        tellUploader(id, new Answer.Refused(initFailed(after.plugin(id), id, problem)));
      }
      default -> {} // nobody waits for it
    }
  }

  private static Refusal initFailed(@Nullable PluginView view, PluginId id, String problem) {
    boolean runsOn = view != null && view.current() != null;
    return new Refusal.CallFailed(
        "init of plugin '%s' failed, %s: %s"
            .formatted(id, runsOn ? "the version before stays" : "it is not running", problem),
        "init",
        problem);
  }

  private void tellUploader(PluginId id, Answer answer) {
    ActorRef<Answer> uploader = uploaders.remove(id);
    if (uploader != null) {
      uploader.tell(answer);
    }
  }

  private static String cut(String text) {
    return text.length() <= PROBLEM_MAX ? text : text.substring(0, PROBLEM_MAX) + "…";
  }

  // ---- the runtime

  /** The app has been read from its journal: what was under way before is not known any more. */
  void recovered() {
    starting.clear();
    uploaders.clear();
    told = List.of();
    uses.recovered();
  }

  /** Brings the runtime in line with what is written down. */
  void follow(AppState state) {
    List<InstalledPlugin> wanted =
        state.plugins().values().stream()
            .filter(view -> view.current() != null)
            .map(view -> installed(view, view.shown()))
            .toList();
    if (!wanted.equals(told)) {
      told = wanted;
      ActorRef<App.Command> self = context.getSelf();
      parts.plugins().runtime().configure(app, wanted, news -> self.tell(new Heard(news)));
    }
    uses.follow(state);
    startCandidates(state);
  }

  private void startCandidates(AppState state) {
    for (PluginView view : state.plugins().values()) {
      Version candidate = view.candidate();
      if (candidate != null && view.initializing() && !starting.containsKey(view.id())) {
        long start = ++starts;
        starting.put(view.id(), start);
        var plugin =
            new InstalledPlugin(
                candidate.release().manifest(),
                candidate.release().sha256(),
                candidate.release().config(),
                true,
                null);
        boolean first = view.current() == null;
        context.pipeToSelf(
            Statements.on(parts.owners().blocking(), () -> calls.start(plugin, first)),
            (end, failure) -> new Started(view.id(), start, end, failure));
      }
    }
  }

  private static InstalledPlugin installed(PluginView view, Version version) {
    return new InstalledPlugin(
        version.release().manifest(),
        version.release().sha256(),
        version.release().config(),
        view.enabled(),
        view.quarantinedUntil());
  }

  /** Whether the app has to stay as it is until an upload has ended. */
  boolean isStarting() {
    return !starting.isEmpty() || uses.isAdding();
  }

  /** The app leaves this node. Candidates are initialized where it comes up next. */
  void stopped() {
    List.copyOf(uploaders.keySet())
        .forEach(
            id ->
                tellUploader(
                    id,
                    Answer.unavailable(
                        "plugin '%s' is not initialized yet, the app is moving".formatted(id))));
    uses.stopped();
    parts.plugins().runtime().forget(app);
  }
}
