package dev.viesti.dispatcher.plugin;

import dev.viesti.dispatcher.commit.EffectsLane;
import dev.viesti.dispatcher.execution.Execution.Ended;
import dev.viesti.dispatcher.script.ScriptEngine;
import dev.viesti.dispatcher.wasm.InvalidModuleException;
import dev.viesti.dispatcher.wasm.WasmEngine;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.delivery.Delivery;
import dev.viesti.protocol.delivery.Outcome;
import dev.viesti.protocol.event.Event;
import dev.viesti.protocol.event.Payload;
import dev.viesti.protocol.handler.HandlerCall;
import dev.viesti.protocol.plugin.Manifest;
import dev.viesti.protocol.plugin.PluginId;
import dev.viesti.protocol.plugin.Sha256;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** A node's plugins: which there are, and the ways in. {@link PluginCalls} makes the calls. */
public final class PluginRuntime implements Plugins, AutoCloseable {
  /** A plugin that is switched off may be switched on again at any time. */
  private static final Duration LOOK_AGAIN = Duration.ofSeconds(5);

  /** The longest {@code init} may take; its limits hold as well. */
  private static final Duration START_MAX = Duration.ofMinutes(5);

  private final SandboxCalls sandbox;
  private final PluginCalls calls;
  private final ModuleCache modules;
  private final Clock clock;
  private final Map<AppId, Map<PluginId, PluginSlot>> apps;

  private PluginRuntime(
      SandboxCalls sandbox,
      PluginCalls calls,
      Map<AppId, Map<PluginId, PluginSlot>> apps,
      Clock clock) {
    this.sandbox = sandbox;
    this.calls = calls;
    this.modules = calls.modules();
    this.apps = apps;
    this.clock = clock;
  }

  /**
   * What calls are made of and end in.
   *
   * @param lane started and closed by whoever gives it
   */
  public record Stores(ModuleCache.Artifacts artifacts, Reads reads, EffectsLane lane) {}

  /**
   * @param ids fresh UUIDv7s
   * @param blocking where modules are loaded
   */
  public static PluginRuntime create(
      WasmEngine engine,
      Stores stores,
      SandboxSettings settings,
      Supplier<UUID> ids,
      Executor blocking,
      Clock clock) {
    var apps = new ConcurrentHashMap<AppId, Map<PluginId, PluginSlot>>();
    var calls =
        new SandboxCalls(
            new PluginCall.Parts(
                stores.reads(),
                new Sandbox(settings),
                ids,
                (app, plugin) -> manifest(apps, app, plugin),
                blocking,
                settings.depth()),
            stores.lane(),
            settings);
    return new PluginRuntime(
        calls,
        new PluginCalls(
            new ModuleCache(engine, stores.artifacts(), blocking, settings.modules()),
            calls,
            settings),
        apps,
        clock);
  }

  /**
   * Scripts in the same sandbox, beside the plugins, whose entities they may read. They end with
   * {@link #close}.
   *
   * @param blocking where QuickJS is loaded
   */
  public SandboxedScripts scripts(ScriptEngine engine, Executor blocking) {
    return new SandboxedScripts(sandbox, engine, blocking, clock);
  }

  private static @Nullable Manifest manifest(
      Map<AppId, Map<PluginId, PluginSlot>> apps, AppId app, PluginId plugin) {
    PluginSlot slot = slot(apps, app, plugin);
    return slot == null ? null : slot.plugin().manifest();
  }

  @Override
  public void check(Manifest manifest, byte[] module) throws InvalidModuleException {
    PluginModule compiled = modules.compile(Sha256.hex(module), module);
    if (!manifest.subscribe().isEmpty() && !compiled.exports(PluginModule.HANDLE_EVENT)) {
      throw new InvalidModuleException(
          "the manifest subscribes to events, but the module does not export handle-event");
    }
  }

  @Override
  public void configure(AppId app, List<InstalledPlugin> installed, Consumer<News> news) {
    apps.compute(
        app,
        (id, before) ->
            installed.stream()
                .collect(
                    Collectors.toUnmodifiableMap(
                        InstalledPlugin::id, plugin -> slot(before, plugin, news))));
    for (InstalledPlugin plugin : installed) {
      if (plugin.enabled()) {
        var unused = modules.get(plugin.sha256());
      }
    }
  }

  private PluginSlot slot(
      @Nullable Map<PluginId, PluginSlot> before, InstalledPlugin plugin, Consumer<News> news) {
    PluginSlot known = before == null ? null : before.get(plugin.id());
    return known == null
        ? new PluginSlot(plugin, new PluginStats(clock.instant()), news)
        : known.with(plugin, news);
  }

  @Override
  public void forget(AppId app) {
    apps.remove(app);
    sandbox.forget(app);
  }

  private @Nullable PluginSlot slot(AppId app, PluginId plugin) {
    return slot(apps, app, plugin);
  }

  private static @Nullable PluginSlot slot(
      Map<AppId, Map<PluginId, PluginSlot>> apps, AppId app, PluginId plugin) {
    Map<PluginId, PluginSlot> known = apps.get(app);
    return known == null ? null : known.get(plugin);
  }

  @Override
  public @Nullable PluginMetrics metrics(AppId app, PluginId plugin) {
    PluginSlot slot = slot(app, plugin);
    return slot == null ? null : slot.stats().view();
  }

  // ---- calls for their own sake

  @Override
  public CallEnd start(AppId app, long epoch, InstalledPlugin plugin, boolean first)
      throws InterruptedException {
    PluginSlot running = slot(app, plugin.id());
    PluginSlot slot =
        running == null
            ? new PluginSlot(plugin, new PluginStats(clock.instant()), any -> {})
            : running.with(plugin, any -> {});
    var scope = new CallScope(app, plugin, null, null, 1, clock.instant(), null);
    return Ends.ofCall(
        calls.make(
            slot,
            scope,
            module -> {
              List<ModuleBody.Step> steps = new ArrayList<>();
              if (module.exports(PluginModule.INIT)) {
                steps.add(new ModuleBody.Step(PluginModule.INIT, List.of()));
              }
              if (first && module.exports(PluginModule.ON_APP_CREATED)) {
                steps.add(
                    new ModuleBody.Step(PluginModule.ON_APP_CREATED, List.of(utf8(app.value()))));
              }
              return steps;
            },
            new SandboxCalls.Settles(epoch, null),
            START_MAX));
  }

  @Override
  public CallEnd invoke(Invocation invocation) throws InterruptedException {
    PluginSlot slot = slot(invocation.app(), invocation.plugin());
    String closed =
        slot == null
            ? "the app has no plugin '" + invocation.plugin() + "' that runs"
            : closed(slot, clock.instant());
    if (slot == null || closed != null) {
      return new CallEnd.Unavailable(String.valueOf(closed));
    }
    var scope =
        new CallScope(
            invocation.app(),
            slot.plugin(),
            invocation.principal(),
            null,
            1,
            clock.instant(),
            null);
    String function = invocation.function();
    return Ends.ofCall(
        calls.make(
            slot,
            scope,
            module -> invoked(module, function, invocation.payload()),
            new SandboxCalls.Settles(invocation.epoch(), null),
            invocation.timeout()));
  }

  private static List<ModuleBody.Step> invoked(
      PluginModule module, String function, Payload payload) throws SandboxCalls.NoSuchException {
    if (!module.canInvoke(function)) {
      throw new SandboxCalls.NoSuchException(
          "exports no function '%s' that takes a list of bytes and returns one"
              .formatted(function));
    }
    return List.of(new ModuleBody.Step(function, List.of(payload.bytes())));
  }

  @Override
  public @Nullable String health(AppId app, PluginId plugin) throws InterruptedException {
    PluginSlot slot = slot(app, plugin);
    if (slot == null) {
      return "it is not loaded on the node that owns the app";
    }
    String closed = closed(slot, clock.instant());
    if (closed != null) {
      return closed;
    }
    var scope = new CallScope(app, slot.plugin(), null, null, 1, clock.instant(), null);
    // counted for itself: that an instance can be made says nothing of calls that trap in a row
    var apart = new PluginSlot(slot.plugin(), new PluginStats(clock.instant()), any -> {});
    SandboxCalls.End end =
        calls.make(apart, scope, any -> List.of(), new SandboxCalls.Settles(0, null), START_MAX);
    return switch (end) {
      case SandboxCalls.End.Done done -> null;
      case SandboxCalls.End.Failed(var kind, var message) -> kind + ": " + message;
      case SandboxCalls.End.Away(var why) -> why;
      case SandboxCalls.End.Fenced() -> "the app has another owner";
      case SandboxCalls.End.Gone() -> "the app has another owner";
    };
  }

  // ---- deliveries

  /**
   * Runs one attempt of a delivery; on success its effects are durable and it is settled.
   *
   * @param row in the version that is settled
   */
  public Ended run(
      PluginId plugin, String function, HandlerCall call, Delivery row, Duration timeout)
      throws InterruptedException {
    PluginSlot slot = slot(call.app(), plugin);
    if (slot == null) {
      return with(
          new Outcome.Retryable(
              "the app has no plugin '%s' that runs: install it".formatted(plugin)));
    }
    Instant now = clock.instant();
    String closed = closed(slot, now);
    if (closed != null) {
      return with(new Outcome.Postponed(closed, reopens(slot, now)));
    }
    Event event = call.event();
    var scope =
        new CallScope(
            call.app(),
            slot.plugin(),
            event.principal(),
            call.delivery(),
            call.attempt(),
            now,
            event);
    SandboxCalls.End end =
        calls.make(
            slot,
            scope,
            module -> handled(module, function, event),
            new SandboxCalls.Settles(call.epoch(), row),
            timeout);
    return Ends.ofAttempt(end, PluginCalls.limit(slot, timeout));
  }

  private static List<ModuleBody.Step> handled(PluginModule module, String function, Event event)
      throws SandboxCalls.NoSuchException {
    byte[] data = event.data().bytes();
    if (function.equals(PluginModule.HANDLE_EVENT)) {
      if (!module.exports(PluginModule.HANDLE_EVENT)) {
        throw new SandboxCalls.NoSuchException("exports no handle-event");
      }
      return List.of(
          new ModuleBody.Step(PluginModule.HANDLE_EVENT, List.of(utf8(event.type()), data)));
    }
    return invoked(module, function, event.data());
  }

  private static Ended with(Outcome outcome) {
    return new Ended.WithOutcome(outcome);
  }

  /** Why nothing of it may run now; null when it may. */
  private static @Nullable String closed(PluginSlot slot, Instant now) {
    InstalledPlugin plugin = slot.plugin();
    Instant until = plugin.quarantinedUntil();
    if (!plugin.enabled()) {
      return "plugin '" + plugin.id() + "' is disabled";
    }
    return until != null && until.isAfter(now)
        ? "plugin '%s' is in quarantine until %s, since it trapped again and again"
            .formatted(plugin.id(), until)
        : null;
  }

  private static Duration reopens(PluginSlot slot, Instant now) {
    Instant until = slot.plugin().quarantinedUntil();
    return slot.plugin().enabled() && until != null ? Duration.between(now, until) : LOOK_AGAIN;
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  @Override
  public void close() {
    sandbox.close();
  }
}
