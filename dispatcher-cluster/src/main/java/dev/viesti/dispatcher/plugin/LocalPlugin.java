package dev.viesti.dispatcher.plugin;

import com.typesafe.config.ConfigFactory;
import dev.viesti.dispatcher.commit.EffectsLane;
import dev.viesti.dispatcher.execution.Execution.Ended;
import dev.viesti.dispatcher.wasm.InvalidModuleException;
import dev.viesti.dispatcher.wasm.WasmModule;
import dev.viesti.dispatcher.wasm.WasmSettings;
import dev.viesti.dispatcher.wasm.endive.EndiveEngine;
import dev.viesti.persistence.effects.Effects;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.delivery.Delivery;
import dev.viesti.protocol.delivery.Outcome;
import dev.viesti.protocol.event.Event;
import dev.viesti.protocol.event.Payload;
import dev.viesti.protocol.handler.HandlerCall;
import dev.viesti.protocol.plugin.Manifest;
import dev.viesti.protocol.plugin.Sha256;
import dev.viesti.protocol.trigger.TriggerId;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A plugin that is tried out without a server and without a database: the engine, the limits, the
 * host API and the manifest's permissions are those of a node, what it stores is in memory. Events
 * that it publishes go nowhere. One call at a time.
 */
public final class LocalPlugin implements AutoCloseable {
  /** The app that it runs in. */
  public static final AppId APP = new AppId("local");

  private static final TriggerId TRIGGER = new TriggerId("local");
  private static final long EPOCH = 1;

  /** The least that there may be: one call computes, and nobody else is there. */
  private static final int THREADS = 2;

  /** Of which one call gets three quarters, as on a server: more than any manifest may ask for. */
  private static final int MEMORY_PAGES = 2_048;

  /** As deep as the stack of a node's sandbox by default, so that recursion ends where it does. */
  private static final long STACK_BYTES = 1 << 20;

  /** As a node has it by default. */
  private static final int DEPTH = 16;

  private static final int REPEATS = 5;

  /** Nobody listens to what a runtime says about traps: a plugin that is tried out may trap. */
  private static final int TRAPS = 1_000;

  private static final Duration CLOSE = Duration.ofSeconds(5);

  /**
   * How one call ended, and what it has changed.
   *
   * @param outcome the word of an {@link Outcome}; of a call without a delivery, {@code succeeded}
   *     or {@code failed}
   * @param kind of the error, as {@link CallEnd.Failed#kind}; null when there was none
   * @param fuel that it used; 0 when it ran out of time, since then it is not known
   * @param took wall clock, without the loading of the module
   * @param reply of a function that was invoked; else nothing
   */
  public record Run(
      String outcome,
      @Nullable String kind,
      @Nullable String error,
      long fuel,
      Duration took,
      Payload reply,
      Changes changes) {}

  /**
   * What a call has changed; nothing of it unless it succeeded.
   *
   * @param kv by {@code collection/key}; null when it was deleted
   * @param entities by {@code entity/id}, their fields as JSON; null when it was deleted
   * @param numbers the last number taken, by {@code rule} or {@code rule/period}
   */
  public record Changes(
      Map<String, @Nullable String> kv,
      Map<String, @Nullable String> entities,
      Map<String, Long> numbers,
      List<Event> published) {
    /** Of calls that have changed nothing. */
    public static final Changes NONE = new Changes(Map.of(), Map.of(), Map.of(), List.of());

    /** How many things were written, events not counted. */
    public int writes() {
      return kv.size() + entities.size() + numbers.size();
    }
  }

  /**
   * An entity as it is stored.
   *
   * @param json its fields
   */
  public record Entity(long version, String json) {}

  /** Stands at the time that a call is said to be made at. */
  private static final class Stage extends Clock {
    private volatile Instant now = Instant.EPOCH;

    @Override
    public ZoneId getZone() {
      return ZoneOffset.UTC;
    }

    @Override
    public Clock withZone(ZoneId zone) {
      return Clock.fixed(now, zone);
    }

    @Override
    public Instant instant() {
      return now;
    }
  }

  private final EndiveEngine engine;
  private final WasmModule module;
  private final InstalledPlugin plugin;
  private final Stage stage = new Stage();
  private final LocalStore store = new LocalStore(stage);
  private final EffectsLane lane = new EffectsLane(this::commit, any -> {});
  private final PluginRuntime runtime;
  private volatile Changes changes = Changes.NONE;
  private long deliveries;

  private LocalPlugin(
      EndiveEngine engine, WasmModule module, InstalledPlugin plugin, Supplier<UUID> ids) {
    this.engine = engine;
    this.module = module;
    this.plugin = plugin;
    this.runtime =
        PluginRuntime.create(
            any -> module,
            new PluginRuntime.Stores(any -> new byte[0], store, lane),
            new SandboxSettings(THREADS, 1, 1, STACK_BYTES, MEMORY_PAGES, 1, DEPTH, REPEATS, TRAPS),
            ids,
            Runnable::run,
            stage);
  }

  /**
   * Loads a plugin; nothing of it runs yet.
   *
   * @param config JSON that fits the manifest's schema; null when it has none
   * @param ids fresh UUIDs for what the plugin publishes and inserts
   * @throws InvalidModuleException saying what a server would refuse
   */
  public static LocalPlugin load(
      Manifest manifest, byte[] module, @Nullable String config, Supplier<UUID> ids)
      throws InvalidModuleException {
    var engine = new EndiveEngine(WasmSettings.from(ConfigFactory.defaultReference()));
    try {
      var plugin = new InstalledPlugin(manifest, Sha256.hex(module), config, true, null);
      var local = new LocalPlugin(engine, engine.load(module), plugin, ids);
      local.lane.start();
      try {
        local.runtime.check(manifest, module);
      } catch (InvalidModuleException wrong) {
        local.close();
        throw wrong;
      }
      local.runtime.configure(APP, List.of(plugin), any -> {});
      return local;
    } catch (InvalidModuleException wrong) {
      engine.close();
      throw wrong;
    }
  }

  /** What the module wants of the host, as in {@code kv.get}; each once, in its order. */
  public List<String> imports() {
    return module.imports().stream()
        .filter(wanted -> wanted.module().startsWith("viesti:plugin/"))
        .map(
            wanted ->
                wanted.module().replaceFirst("viesti:plugin/(.*)@.*", "$1") + "." + wanted.name())
        .distinct()
        .toList();
  }

  /** Runs {@code init} and {@code on-app-created}, as when it is installed for the first time. */
  public Run start(Instant now) throws InterruptedException {
    return measured(now, () -> end(runtime.start(APP, EPOCH, plugin, true)));
  }

  /** Runs {@code handle-event} as the first attempt of a delivery. */
  public Run deliver(Event event, Instant now) throws InterruptedException {
    Delivery row = Delivery.fresh(++deliveries, event, TRIGGER, null, now);
    var call = new HandlerCall(APP, TRIGGER, row.id(), row.nextAttempt(), EPOCH, event);
    return measured(
        now,
        () ->
            switch (runtime.run(plugin.id(), PluginModule.HANDLE_EVENT, call, row, timeout())) {
              case Ended.Settled() -> End.SUCCEEDED;
              case Ended.WithOutcome(var outcome) -> end(outcome);
              case Ended.Gone gone -> throw new AssertionError("nobody else settles: " + gone);
              case Ended.Fenced fenced -> throw new AssertionError("it has no owner: " + fenced);
            });
  }

  /**
   * Runs a named function.
   *
   * @param principal who asks
   */
  public Run invoke(String function, Payload payload, String principal, Instant now)
      throws InterruptedException {
    var invocation =
        new Plugins.Invocation(APP, EPOCH, plugin.id(), function, payload, principal, timeout());
    return measured(now, () -> end(runtime.invoke(invocation)));
  }

  /** There is no trigger that could have one of its own. */
  private Duration timeout() {
    return plugin.manifest().limits().timeout();
  }

  /** All values by {@code collection/key}. */
  public Map<String, String> kv() {
    var all = new TreeMap<String, String>();
    store.kv(APP).forEach((key, value) -> all.put(key, value.utf8()));
    return all;
  }

  /** All entities by {@code entity/id}; ids grow with time. */
  public Map<String, Entity> entities() {
    var all = new TreeMap<String, Entity>();
    store
        .entities(APP, plugin.id())
        .forEach((name, entity) -> all.put(name, new Entity(entity.version(), entity.json())));
    return all;
  }

  /** What was published so far. */
  public List<Event> published() {
    return store.events();
  }

  private record End(String outcome, @Nullable String error, Payload reply) {
    static final End SUCCEEDED = new End(Outcome.Succeeded.PLAIN.word(), null, Payload.NONE);
  }

  private interface Call {
    End make() throws InterruptedException;
  }

  private Run measured(Instant now, Call call) throws InterruptedException {
    stage.now = now;
    changes = Changes.NONE;
    PluginMetrics before = metrics();
    long begun = System.nanoTime();
    End end = call.make();
    Duration took = Duration.ofNanos(System.nanoTime() - begun);
    PluginMetrics after = metrics();
    String kind =
        after.errors().entrySet().stream()
            .filter(error -> error.getValue() > before.errors().getOrDefault(error.getKey(), 0L))
            .map(Map.Entry::getKey)
            .findFirst()
            .orElse(null);
    long fuel = after.fuel() - before.fuel();
    return new Run(end.outcome(), kind, end.error(), fuel, took, end.reply(), changes);
  }

  private PluginMetrics metrics() {
    PluginMetrics metrics = runtime.metrics(APP, plugin.id());
    if (metrics == null) {
      throw new AssertionError("it is configured");
    }
    return metrics;
  }

  private static End end(CallEnd end) {
    return switch (end) {
      case CallEnd.Returned(var reply) -> new End(End.SUCCEEDED.outcome(), null, reply);
      case CallEnd.Failed(var kind, var message) -> failed(message);
      case CallEnd.Unavailable(var why) -> failed(why);
      case CallEnd.Fenced fenced -> throw new AssertionError("it has no owner: " + fenced);
    };
  }

  private static End failed(String message) {
    return new End("failed", message, Payload.NONE);
  }

  private static End end(Outcome outcome) {
    String error =
        switch (outcome) {
          case Outcome.Retryable retryable -> retryable.reason();
          case Outcome.Permanent permanent -> permanent.reason();
          case Outcome.Postponed postponed -> postponed.reason();
          case Outcome.TimedOut timedOut -> "not done after " + timedOut.after().toMillis() + " ms";
          case Outcome.Crashed crashed -> Outcome.Crashed.REASON;
          case Outcome.Succeeded any -> null;
          case Outcome.Snoozed any -> null;
          case Outcome.Deferred any -> null;
        };
    return new End(outcome.word(), error, Payload.NONE);
  }

  private List<Effects.Result> commit(List<Effects> group) {
    List<Effects.Result> results = store.commit(group);
    for (int i = 0; i < group.size(); i++) {
      if (results.get(i) instanceof Effects.Result.Committed) {
        changes = changes(group.get(i));
      }
    }
    return results;
  }

  private static Changes changes(Effects effects) {
    var kv = new TreeMap<String, @Nullable String>();
    for (Effects.KvWrite write : effects.kv()) {
      Payload value = write.value();
      kv.put(write.collection() + "/" + write.key(), value == null ? null : value.utf8());
    }
    var entities = new TreeMap<String, @Nullable String>();
    for (Effects.EntityWrite write : effects.entities()) {
      entities.put(
          write.entity() + "/" + write.id(),
          switch (write) {
            case Effects.EntityWrite.Insert insert -> insert.json();
            case Effects.EntityWrite.Update update -> update.json();
            case Effects.EntityWrite.Delete delete -> null;
          });
    }
    var numbers = new TreeMap<String, Long>();
    for (Effects.NumberingStep step : effects.numbering()) {
      String period = step.period().isEmpty() ? "" : "/" + step.period();
      numbers.put(step.rule() + period, step.last());
    }
    return new Changes(kv, entities, numbers, effects.events());
  }

  @Override
  public void close() {
    lane.close(CLOSE);
    runtime.close();
    engine.close();
  }
}
