package dev.viesti.dispatcher.plugin;

import dev.viesti.dispatcher.wasm.InvalidModuleException;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.event.Payload;
import dev.viesti.protocol.plugin.Manifest;
import dev.viesti.protocol.plugin.PluginId;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A node's plugins, as the control plane sees them. Thread-safe. {@link #check}, {@link #start},
 * {@link #invoke} and {@link #health} block: they belong on virtual threads.
 */
public interface Plugins {
  /**
   * A call with a reply.
   *
   * @param function an exported function of the plugin
   * @param principal who asks
   * @param timeout the plugin's own limit holds as well
   */
  record Invocation(
      AppId app,
      long epoch,
      PluginId plugin,
      String function,
      Payload payload,
      String principal,
      Duration timeout) {}

  /** Something that the app should know, and write down. */
  sealed interface News {
    PluginId plugin();

    /** So many calls in a row have trapped that it should be left alone for a while. */
    record Trapping(PluginId plugin, int consecutive, String lastError) implements News {}

    /** The first call after a quarantine has gone well. */
    record Recovered(PluginId plugin) implements News {}
  }

  /**
   * Whether a module can run as what its manifest says: it is valid, imports nothing but the host
   * API, exports what the contract wants. Compiles it, which takes up to a second for a megabyte;
   * what was compiled is kept for when it is installed.
   *
   * @throws InvalidModuleException saying what is wrong, for its author
   */
  void check(Manifest manifest, byte[] module) throws InvalidModuleException, InterruptedException;

  /**
   * What the app has from now on. Calls that begin later use it; those under way end in the version
   * they began in. Returns at once: modules are loaded in the background, and by the first call
   * that needs one.
   *
   * @param news told about these plugins, on any thread; must not block
   */
  void configure(AppId app, List<InstalledPlugin> installed, Consumer<News> news);

  /** The app is not on this node any more. */
  void forget(AppId app);

  /**
   * Runs {@code init} of a version that is to take over, if it exports it, and then, in the same
   * transaction, {@code on-app-created}.
   *
   * @param first whether the app never had a version of it that was initialized: only then {@code
   *     on-app-created} is called
   */
  CallEnd start(AppId app, long epoch, InstalledPlugin plugin, boolean first)
      throws InterruptedException;

  CallEnd invoke(Invocation invocation) throws InterruptedException;

  /**
   * Makes an instance of the version that the app has now and throws it away.
   *
   * @return null when that worked; else what is wrong
   */
  @Nullable String health(AppId app, PluginId plugin) throws InterruptedException;

  /** Null when the app has no such plugin here. */
  @Nullable PluginMetrics metrics(AppId app, PluginId plugin);
}
