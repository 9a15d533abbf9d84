package dev.viesti.dispatcher;

import static java.util.Objects.requireNonNull;

import dev.viesti.dispatcher.execution.Execution;
import dev.viesti.dispatcher.plugin.CallEnd;
import dev.viesti.dispatcher.plugin.InstalledPlugin;
import dev.viesti.dispatcher.plugin.PluginMetrics;
import dev.viesti.dispatcher.plugin.Plugins;
import dev.viesti.dispatcher.target.PluginRunner;
import dev.viesti.dispatcher.wasm.InvalidModuleException;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.delivery.Delivery;
import dev.viesti.protocol.delivery.Outcome;
import dev.viesti.protocol.event.Payload;
import dev.viesti.protocol.handler.HandlerCall;
import dev.viesti.protocol.plugin.Manifest;
import dev.viesti.protocol.plugin.PluginId;
import dev.viesti.protocol.trigger.Target;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A runtime that notes what it is told, and does what a test wants. */
final class FakePlugins implements Plugins, PluginRunner {
  /** How {@code start} and {@code invoke} end; may block. */
  interface Behaviour<T> {
    CallEnd of(T asked) throws InterruptedException;
  }

  record Start(long epoch, InstalledPlugin plugin, boolean first) {}

  static final CallEnd WELL = new CallEnd.Returned(Payload.NONE);

  final List<Start> starts = new CopyOnWriteArrayList<>();
  final List<Invocation> invocations = new CopyOnWriteArrayList<>();
  final List<HandlerCall> runs = new CopyOnWriteArrayList<>();
  final List<AppId> forgotten = new CopyOnWriteArrayList<>();
  final Map<AppId, List<InstalledPlugin>> installed = new ConcurrentHashMap<>();
  volatile Behaviour<Start> start = asked -> WELL;
  volatile Behaviour<Invocation> invoke =
      asked -> new CallEnd.Returned(Payload.ofJson("\"" + asked.function() + "\""));
  volatile @Nullable String invalid;
  volatile @Nullable String sick;

  private final Map<AppId, Consumer<News>> listeners = new ConcurrentHashMap<>();

  /** The only plugin of an app, as the runtime knows it; null when it knows none. */
  @Nullable InstalledPlugin only(AppId app) {
    List<InstalledPlugin> all = installed.getOrDefault(app, List.of());
    return all.isEmpty() ? null : all.getFirst();
  }

  /** The version of {@link #only}; empty when there is none. */
  String version(AppId app) {
    InstalledPlugin only = only(app);
    return only == null ? "" : only.manifest().version();
  }

  void tell(AppId app, News news) {
    requireNonNull(listeners.get(app)).accept(news);
  }

  @Override
  public void check(Manifest manifest, byte[] module) throws InvalidModuleException {
    String why = invalid;
    if (why != null) {
      throw new InvalidModuleException(why);
    }
  }

  @Override
  public void configure(AppId app, List<InstalledPlugin> plugins, Consumer<News> news) {
    listeners.put(app, news);
    installed.put(app, plugins);
  }

  @Override
  public void forget(AppId app) {
    forgotten.add(app);
    installed.remove(app);
  }

  @Override
  public CallEnd start(AppId app, long epoch, InstalledPlugin plugin, boolean first)
      throws InterruptedException {
    var asked = new Start(epoch, plugin, first);
    starts.add(asked);
    return start.of(asked);
  }

  @Override
  public CallEnd invoke(Invocation invocation) throws InterruptedException {
    invocations.add(invocation);
    return invoke.of(invocation);
  }

  @Override
  public @Nullable String health(AppId app, PluginId plugin) {
    return sick;
  }

  @Override
  public @Nullable PluginMetrics metrics(AppId app, PluginId plugin) {
    boolean known =
        installed.getOrDefault(app, List.of()).stream().anyMatch(each -> each.id().equals(plugin));
    return known
        ? new PluginMetrics(
            Instant.EPOCH, 3, Map.of("fuel", 1L), 5, 99, 65_536, 0, null, null, null)
        : null;
  }

  @Override
  public Execution.Ended run(
      Target.Plugin target, HandlerCall call, Delivery row, Duration timeout) {
    runs.add(call);
    return new Execution.Ended.WithOutcome(Outcome.Succeeded.PLAIN);
  }
}
