package dev.viesti.dispatcher.plugin;

import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigValueFactory;
import dev.viesti.dispatcher.commit.EffectsLane;
import dev.viesti.dispatcher.execution.Execution.Ended;
import dev.viesti.dispatcher.script.ScriptEngine;
import dev.viesti.dispatcher.script.ScriptSettings;
import dev.viesti.dispatcher.wasm.InvalidModuleException;
import dev.viesti.dispatcher.wasm.endive.EndiveEngine;
import dev.viesti.persistence.effects.Effects;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.delivery.Delivery;
import dev.viesti.protocol.delivery.Outcome;
import dev.viesti.protocol.event.Event;
import dev.viesti.protocol.event.Payload;
import dev.viesti.protocol.handler.HandlerCall;
import dev.viesti.protocol.trigger.Target;
import dev.viesti.protocol.trigger.TriggerId;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Queue;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/** Scripts in a sandbox, on a store in memory. */
abstract class ScriptSandbox {
  static final AppId APP = Given.SHOP;
  static final TriggerId TRIGGER = new TriggerId("counting");
  static final Duration PATIENCE = Duration.ofSeconds(30);

  static final String[] ALL = {
    "kv:read:*", "kv:write:*", "entity:read:*", "event:publish:*", "log:write"
  };

  static final String COUNT =
      """
      function handleEvent(type, payload) {
        const total = viesti.kv.get('counters/total') ?? 0;
        viesti.kv.put('counters/total', total + payload.by);
      }
      """;

  /** One for all tests: loading takes seconds, and much longer beside other builds. */
  static final EndiveEngine QUICK_JS =
      new EndiveEngine(
          ScriptSettings.engine(
              ConfigFactory.defaultReference()
                  .withValue(
                      "viesti.script.loading-timeout",
                      ConfigValueFactory.fromAnyRef(Duration.ofMinutes(5)))));

  static final ScriptEngine ENGINE = new ScriptEngine(QUICK_JS);

  final ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor();
  final LocalStore store = new LocalStore(Clock.fixed(Given.NOON, ZoneOffset.UTC));
  final Queue<Effects> effects = new ConcurrentLinkedQueue<>();
  private final AtomicInteger events = new AtomicInteger();
  volatile @Nullable SQLException away;
  volatile Effects.@Nullable Result answer;
  private final EffectsLane lane = new EffectsLane(this::commit, app -> {});
  final PluginRuntime runtime =
      PluginRuntime.create(
          binary -> {
            throw new InvalidModuleException("no plugin has code here");
          },
          new PluginRuntime.Stores(
              sha256 -> {
                throw new InvalidModuleException("there is no module");
              },
              store,
              lane),
          new SandboxSettings(8, 2, 6, 1 << 20, 4_096, 10, 16, 5, 3),
          UUID::randomUUID,
          callers,
          Clock.fixed(Given.NOON, ZoneOffset.UTC));
  final SandboxedScripts scripts = runtime.scripts(ENGINE, callers);

  private List<Effects.Result> commit(List<Effects> group) throws SQLException {
    SQLException why = away;
    if (why != null) {
      throw why;
    }
    effects.addAll(group);
    Effects.Result fixed = answer;
    return fixed == null ? store.commit(group) : group.stream().map(any -> fixed).toList();
  }

  @BeforeEach
  void start() {
    lane.start();
    ENGINE.prepare(Runnable::run).join();
  }

  @AfterEach
  void close() {
    lane.close(PATIENCE);
    runtime.close();
    callers.close();
  }

  static Target.Script script(String source, String... permissions) {
    return new Target.Script(source, null, List.of(permissions), null);
  }

  Ended deliver(Target.Script target, String data) throws InterruptedException {
    return deliver(target, data, PATIENCE);
  }

  Ended deliver(Target.Script target, String data, Duration timeout) throws InterruptedException {
    Event event =
        Event.of(
            new UUID(7, events.incrementAndGet()),
            "test",
            "order.created",
            null,
            data.isEmpty() ? Payload.NONE : Payload.ofJson(data));
    Delivery row = Delivery.fresh(events.get(), event, TRIGGER, null, Given.NOON);
    return scripts.run(target, new HandlerCall(APP, TRIGGER, row.id(), 1, 9, event), row, timeout);
  }

  CallEnd invoke(String source, String payload) throws InterruptedException {
    return scripts.invoke(
        new Scripts.Invocation(
            APP,
            9,
            TRIGGER,
            new Target.Script(source, "f", List.of(ALL), null),
            Payload.ofJson(payload),
            "alice",
            PATIENCE));
  }

  /** What the body of a function returns. */
  String returned(String body) throws InterruptedException {
    return switch (invoke("function f(input) { " + body + " }", "{}")) {
      case CallEnd.Returned(var reply) -> reply.utf8();
      case CallEnd end -> end.toString();
    };
  }

  static Outcome outcome(Ended ended) {
    return ((Ended.WithOutcome) ended).outcome();
  }

  static String reason(Ended ended) {
    return ((Outcome.Retryable) outcome(ended)).reason();
  }

  static Ended failing(Outcome outcome) {
    return new Ended.WithOutcome(outcome);
  }
}
