package dev.viesti.dispatcher.app;

import dev.viesti.dispatcher.PluginView;
import dev.viesti.dispatcher.Refusal;
import dev.viesti.dispatcher.app.Registration.Decision;
import dev.viesti.dispatcher.outbox.Entrance;
import dev.viesti.dispatcher.outbox.Statements;
import dev.viesti.dispatcher.plugin.CallEnd;
import dev.viesti.dispatcher.plugin.InstalledPlugin;
import dev.viesti.dispatcher.plugin.PluginMetrics;
import dev.viesti.dispatcher.plugin.Plugins;
import dev.viesti.dispatcher.plugin.Scripts;
import dev.viesti.dispatcher.wire.Answer;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.plugin.PluginId;
import dev.viesti.protocol.trigger.Target;
import dev.viesti.protocol.trigger.Trigger;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Calls of plugins and scripts that no delivery makes, under the epoch of the app's owner, on
 * virtual threads; they answer by themselves. Decides on the thread of its {@link App}.
 */
final class EpochCalls {
  /** A call that returns its reply, once, or says why there is none. */
  private interface Call {
    CallEnd under(long epoch) throws InterruptedException;
  }

  /** An owner that starts has an epoch within this, or the database is away. */
  private static final Duration EPOCH_PATIENCE = Duration.ofSeconds(5);

  /** An epoch is renewed after a commit in doubt; twice during one call is bad luck already. */
  private static final int EPOCHS_MAX = 3;

  /** In batches, so that no transaction is long. */
  private static final int FORGET_BATCH = 5_000;

  /** Below the largest message between nodes, 1 MiB, with what is around it. */
  private static final int REPLY_BYTES_MAX = 768 << 10;

  private static final Logger LOG = LoggerFactory.getLogger(EpochCalls.class);

  private final AppId app;
  private final AppParts parts;
  private final AtomicInteger underWay = new AtomicInteger();

  EpochCalls(AppId app, AppParts parts) {
    this.app = app;
    this.parts = parts;
  }

  // ---- with a reply

  Decision invoke(AppState state, PluginRequest.Invoke invoke) {
    Trigger trigger = PluginTriggers.find(state, invoke.trigger());
    if (trigger == null) {
      return refused(
          new Refusal.NotFound("app '%s' has no trigger '%s'".formatted(app, invoke.trigger())));
    }
    Called called = called(invoke, trigger);
    if (called == null) {
      return refused(
          new Refusal.Conflict(
              "trigger '%s' runs a %s: only one that runs a plugin or a script can be invoked"
                  .formatted(invoke.trigger(), trigger.target().kind())));
    }
    if (!trigger.enabled()) {
      return refused(new Refusal.Conflict("trigger '%s' is disabled".formatted(invoke.trigger())));
    }
    int max = parts.plugins().settings().invocationsMax();
    if (underWay.incrementAndGet() > max) {
      underWay.decrementAndGet();
      return new Decision.Answered(
          Answer.unavailable("the app has %d calls under way, which is its limit".formatted(max)));
    }
    answer(
        () -> {
          try {
            return underEpoch(called.call());
          } finally {
            underWay.decrementAndGet();
          }
        },
        end -> answerOf(called.words(), end),
        invoke.replyTo());
    return new Decision.Pending();
  }

  /**
   * What is called.
   *
   * @param words for it, in messages
   */
  private record Called(String words, Call call) {}

  /** Null when the trigger runs nothing that replies. */
  private @Nullable Called called(PluginRequest.Invoke invoke, Trigger trigger) {
    PluginParts plugins = parts.plugins();
    return switch (trigger.target()) {
      case Target.Plugin target ->
          new Called(
              "%s of plugin '%s'".formatted(target.function(), target.name()),
              epoch ->
                  plugins
                      .runtime()
                      .invoke(
                          new Plugins.Invocation(
                              app,
                              epoch,
                              new PluginId(target.name()),
                              target.function(),
                              invoke.payload(),
                              invoke.principal(),
                              trigger.timeout())));
      case Target.Script target ->
          new Called(
              "%s of the script of trigger '%s'".formatted(target.function(), invoke.trigger()),
              epoch ->
                  plugins
                      .scripts()
                      .invoke(
                          new Scripts.Invocation(
                              app,
                              epoch,
                              invoke.trigger(),
                              target,
                              invoke.payload(),
                              invoke.principal(),
                              trigger.timeout())));
      case Target.Webhook any -> null;
      case Target.Handler any -> null;
      case Target.Log any -> null;
    };
  }

  private static Decision refused(Refusal refusal) {
    return new Decision.Answered(new Answer.Refused(refusal));
  }

  private static Answer answerOf(String what, CallEnd end) {
    return switch (end) {
      case CallEnd.Returned(var reply) when reply.size() > REPLY_BYTES_MAX ->
          failed(
              what,
              "contract",
              "its reply has %,d bytes, %,d are the most; what it did has taken effect"
                  .formatted(reply.size(), REPLY_BYTES_MAX));
      case CallEnd.Returned(var reply) -> new Answer.Invoked(reply);
      case CallEnd.Failed(var kind, var message) -> failed(what, kind, message);
      case CallEnd.Fenced fenced -> Answer.unavailable("the app is moving to another node");
      case CallEnd.Unavailable(var why) -> Answer.unavailable(why);
    };
  }

  private static Answer failed(String what, String kind, String message) {
    return new Answer.Refused(
        new Refusal.CallFailed("%s failed (%s): %s".formatted(what, kind, message), kind, message));
  }

  // ---- the others

  /** Blocks until {@code init} has ended, one way or the other. */
  CallEnd start(InstalledPlugin plugin, boolean first) throws InterruptedException {
    return underEpoch(epoch -> parts.plugins().runtime().start(app, epoch, plugin, first));
  }

  Decision health(PluginView plugin, ActorRef<Answer> replyTo) {
    PluginId id = plugin.id();
    if (plugin.current() == null) {
      String problem = plugin.problem() == null ? "it is being initialized" : plugin.problem();
      return new Decision.Answered(new Answer.PluginHealth(problem));
    }
    answer(() -> new Health(parts.plugins().runtime().health(app, id)), Health::answer, replyTo);
    return new Decision.Pending();
  }

  Decision metrics(PluginId id) {
    PluginMetrics metrics = parts.plugins().runtime().metrics(app, id);
    return new Decision.Answered(
        metrics == null
            ? Answer.conflict("no version of plugin '%s' has been initialized".formatted(id))
            : new Answer.Metrics(metrics));
  }

  private record Health(@Nullable String problem) {
    Answer answer() {
      return new Answer.PluginHealth(problem);
    }
  }

  /** Forgets what a plugin has kept, once it is not installed any more. */
  void purge(PluginRequest.DeletePlugin delete) {
    var unused =
        Statements.on(
                parts.owners().blocking(),
                () -> {
                  boolean more = true;
                  while (more) {
                    more =
                        parts.plugins().kept().forget(app, delete.id(), FORGET_BATCH)
                            == FORGET_BATCH;
                  }
                  return true;
                })
            .whenComplete(
                (done, failure) ->
                    delete
                        .replyTo()
                        .tell(
                            failure == null
                                ? new Answer.Done()
                                : Answer.unavailable(
                                    "it is uninstalled, but not all that it kept is forgotten yet:"
                                        + " repeat it")));
  }

  private <T> void answer(Callable<T> work, Function<T, Answer> answer, ActorRef<Answer> replyTo) {
    var unused =
        Statements.on(parts.owners().blocking(), work)
            .whenComplete(
                (result, failure) -> {
                  if (failure != null) {
                    LOG.error("app {}: a call broke; its caller is refused", app, failure);
                    replyTo.tell(
                        Answer.unavailable("the call broke: the log of the node says more"));
                  } else {
                    replyTo.tell(answer.apply(result));
                  }
                });
  }

  /** Tries again where the epoch was renewed meanwhile. */
  private CallEnd underEpoch(Call call) throws InterruptedException {
    long stale = 0;
    for (int n = 0; n < EPOCHS_MAX; n++) {
      Entrance entrance = parts.locals().entrance(app);
      long epoch = entrance == null ? 0 : entrance.epoch().await(stale, EPOCH_PATIENCE);
      if (epoch == 0) {
        return new CallEnd.Unavailable("the app's owner is starting or moving");
      }
      CallEnd end = call.under(epoch);
      if (!(end instanceof CallEnd.Fenced)) {
        return end;
      }
      stale = epoch;
    }
    return new CallEnd.Fenced();
  }
}
