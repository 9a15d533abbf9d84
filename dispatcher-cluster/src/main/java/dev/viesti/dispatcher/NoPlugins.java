package dev.viesti.dispatcher;

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
import dev.viesti.protocol.handler.HandlerCall;
import dev.viesti.protocol.plugin.Manifest;
import dev.viesti.protocol.plugin.PluginId;
import dev.viesti.protocol.trigger.Target;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A node that runs no plugins: says so. */
final class NoPlugins implements Plugins, PluginRunner {
  private static final String WHY = "this node runs no plugins";

  @Override
  public void check(Manifest manifest, byte[] module) throws InvalidModuleException {
    throw new InvalidModuleException(WHY);
  }

  @Override
  public void configure(AppId app, List<InstalledPlugin> installed, Consumer<News> news) {}

  @Override
  public void forget(AppId app) {}

  @Override
  public CallEnd start(AppId app, long epoch, InstalledPlugin plugin, boolean first) {
    return new CallEnd.Unavailable(WHY);
  }

  @Override
  public CallEnd invoke(Invocation invocation) {
    return new CallEnd.Unavailable(WHY);
  }

  @Override
  public String health(AppId app, PluginId plugin) {
    return WHY;
  }

  @Override
  public @Nullable PluginMetrics metrics(AppId app, PluginId plugin) {
    return null;
  }

  @Override
  public Execution.Ended run(
      Target.Plugin target, HandlerCall call, Delivery row, Duration timeout) {
    return new Execution.Ended.WithOutcome(new Outcome.Retryable(WHY));
  }
}
