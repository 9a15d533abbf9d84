package dev.viesti.dispatcher.plugin;

import dev.viesti.dispatcher.Refusal;
import dev.viesti.dispatcher.execution.Execution.Ended;
import dev.viesti.dispatcher.plugin.SandboxCalls.End;
import dev.viesti.dispatcher.plugin.SandboxCalls.NoSuchException;
import dev.viesti.dispatcher.plugin.SandboxCalls.Place;
import dev.viesti.dispatcher.plugin.SandboxCalls.Settles;
import dev.viesti.dispatcher.script.InvalidScriptException;
import dev.viesti.dispatcher.script.ScriptArgument;
import dev.viesti.dispatcher.script.ScriptEngine;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.delivery.Delivery;
import dev.viesti.protocol.delivery.Outcome;
import dev.viesti.protocol.event.Event;
import dev.viesti.protocol.event.Payload;
import dev.viesti.protocol.handler.HandlerCall;
import dev.viesti.protocol.trigger.Target;
import dev.viesti.protocol.trigger.TriggerId;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.jspecify.annotations.Nullable;

/**
 * Runs scripts in the sandbox of the plugins, in the same way. QuickJS is loaded by the first one
 * that needs it, on nobody's time: a delivery waits unsettled meanwhile, without an attempt
 * counted.
 */
public final class SandboxedScripts implements Scripts {
  /** How long a delivery is put off while QuickJS is being loaded. */
  private static final Duration LOADING = Duration.ofMillis(250);

  /** Whatever kept QuickJS from being loaded is not over at once. */
  private static final Duration NOT_LOADED = Duration.ofSeconds(5);

  /** Longer than loading may take by its own limit: whoever registers or invokes waits for it. */
  private static final Duration LOADING_MAX = Duration.ofMinutes(5);

  /** Parsing 256 KiB takes a second of a processor that is not busy. */
  private static final Duration CHECK_MAX = Duration.ofSeconds(30);

  private record Key(AppId app, TriggerId trigger) {}

  /**
   * Where calls of a script meet, as long as there are any.
   *
   * @param calls that are there
   */
  private record Turns(ReentrantReadWriteLock lock, int calls) {}

  private final SandboxCalls calls;
  private final ScriptEngine engine;
  private final Executor blocking;
  private final Clock clock;
  private final Map<Key, Turns> turns = new ConcurrentHashMap<>();

  SandboxedScripts(SandboxCalls calls, ScriptEngine engine, Executor blocking, Clock clock) {
    this.calls = calls;
    this.engine = engine;
    this.blocking = blocking;
    this.clock = clock;
  }

  @Override
  public @Nullable Refusal check(AppId app, Target.Script target) throws InterruptedException {
    Refusal misfit = TriggerScript.misfit(target);
    if (misfit != null) {
      return misfit;
    }
    String problem = loaded();
    if (problem != null) {
      return later(problem);
    }
    try {
      return calls.apart(
          app,
          CHECK_MAX,
          () -> {
            engine.check(target.source());
            return null;
          });
    } catch (TimeoutException late) {
      return later("the node is too busy to parse the script");
    } catch (ExecutionException failed) {
      if (failed.getCause() instanceof InvalidScriptException wrong) {
        return new Refusal.Invalid("/target/script/source", String.valueOf(wrong.getMessage()));
      }
      throw new IllegalStateException("a script could not be parsed", failed);
    }
  }

  private static Refusal later(String why) {
    return new Refusal.Unavailable(why, NOT_LOADED);
  }

  /** Waits until QuickJS is there; says what keeps it away, or null. */
  private @Nullable String loaded() throws InterruptedException {
    try {
      engine.prepare(blocking).get(LOADING_MAX.toMillis(), TimeUnit.MILLISECONDS);
      return null;
    } catch (ExecutionException failed) {
      return reason(failed.getCause());
    } catch (TimeoutException late) {
      return "QuickJS is still being loaded";
    }
  }

  private static String reason(@Nullable Throwable cause) {
    return cause == null ? "QuickJS cannot be loaded" : String.valueOf(cause.getMessage());
  }

  // ---- for its own sake

  @Override
  public CallEnd invoke(Invocation invocation) throws InterruptedException {
    String problem = loaded();
    if (problem != null) {
      return new CallEnd.Unavailable(problem);
    }
    var script = TriggerScript.of(invocation.trigger(), invocation.target());
    var scope =
        new CallScope(
            invocation.app(), script, invocation.principal(), null, 1, clock.instant(), null);
    return Ends.ofCall(
        make(
            scope,
            script,
            deadline -> {
              if (script.function().equals(Target.Script.HANDLE_EVENT)) {
                throw new NoSuchException(
                    "handleEvent is for events: a target that is invoked names another function");
              }
              return body(script, argument(invocation.payload()));
            },
            new Settles(invocation.epoch(), null),
            invocation.timeout()));
  }

  // ---- deliveries

  @Override
  public Ended run(Target.Script target, HandlerCall call, Delivery row, Duration timeout)
      throws InterruptedException {
    Outcome notYet = notYet();
    if (notYet != null) {
      return new Ended.WithOutcome(notYet);
    }
    var script = TriggerScript.of(call.trigger(), target);
    Event event = call.event();
    var scope =
        new CallScope(
            call.app(),
            script,
            event.principal(),
            call.delivery(),
            call.attempt(),
            clock.instant(),
            event);
    End end =
        make(
            scope,
            script,
            deadline ->
                script.function().equals(Target.Script.HANDLE_EVENT)
                    ? body(script, text(event.type()), argument(event.data()))
                    : body(script, argument(event.data())),
            new Settles(call.epoch(), row),
            timeout);
    return Ends.ofAttempt(end, timeout);
  }

  /** Why nothing can run now; null when it can. */
  private @Nullable Outcome notYet() {
    CompletableFuture<?> loading = engine.prepare(blocking);
    return switch (loading.state()) {
      case SUCCESS -> null;
      case RUNNING -> new Outcome.Postponed("QuickJS is being loaded", LOADING);
      case FAILED -> new Outcome.Postponed(reason(loading.exceptionNow()), NOT_LOADED);
      case CANCELLED -> new Outcome.Postponed("the node is stopping", NOT_LOADED);
    };
  }

  // ---- both

  private End make(
      CallScope scope,
      TriggerScript script,
      SandboxCalls.Preparation preparation,
      Settles settles,
      Duration timeout)
      throws InterruptedException {
    var key = new Key(scope.app(), script.trigger());
    ReentrantReadWriteLock lock = enter(key);
    try {
      var place = new Place(lock, (nanos, fuel, pages) -> {});
      return calls.make(preparation, place, scope, settles, timeout);
    } finally {
      leave(key);
    }
  }

  private ReentrantReadWriteLock enter(Key key) {
    return turns
        .merge(
            key,
            new Turns(new ReentrantReadWriteLock(true), 1),
            (there, fresh) -> new Turns(there.lock(), there.calls() + 1))
        .lock();
  }

  private void leave(Key key) {
    turns.computeIfPresent(
        key,
        (same, there) -> there.calls() == 1 ? null : new Turns(there.lock(), there.calls() - 1));
  }

  private Body body(TriggerScript script, ScriptArgument... arguments) {
    return new ScriptBody(engine, script, List.of(arguments));
  }

  private static ScriptArgument text(String text) {
    return new ScriptArgument.Json(ScriptHostAdapter.quoted(text));
  }

  private static ScriptArgument argument(Payload data) {
    byte[] bytes = data.bytes();
    if (bytes.length == 0) {
      return new ScriptArgument.Nothing();
    }
    return JsonText.isJson(bytes)
        ? new ScriptArgument.Json(new String(bytes, StandardCharsets.UTF_8))
        : new ScriptArgument.Bytes(bytes);
  }
}
