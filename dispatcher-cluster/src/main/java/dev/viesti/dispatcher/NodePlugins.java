package dev.viesti.dispatcher;

import com.typesafe.config.Config;
import dev.viesti.dispatcher.commit.EffectsLane;
import dev.viesti.dispatcher.plugin.PluginRuntime;
import dev.viesti.dispatcher.plugin.Plugins;
import dev.viesti.dispatcher.plugin.SandboxSettings;
import dev.viesti.dispatcher.plugin.SandboxedScripts;
import dev.viesti.dispatcher.plugin.Scripts;
import dev.viesti.dispatcher.plugin.StoredReads;
import dev.viesti.dispatcher.script.ScriptEngine;
import dev.viesti.dispatcher.script.ScriptSettings;
import dev.viesti.dispatcher.target.PluginRunner;
import dev.viesti.dispatcher.wasm.InvalidModuleException;
import dev.viesti.dispatcher.wasm.WasmSettings;
import dev.viesti.dispatcher.wasm.endive.EndiveEngine;
import dev.viesti.persistence.Database;
import dev.viesti.persistence.effects.EffectsRepository;
import dev.viesti.persistence.plugin.ArtifactRepository;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.plugin.PluginId;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * A node's plugins and scripts.
 *
 * @param runtime for the control plane
 * @param runner for deliveries
 * @param scripts for the control plane and for deliveries
 * @param close commits what waits, for at most as long as it is given, and ends
 */
record NodePlugins(
    Plugins runtime, PluginRunner runner, Scripts scripts, Consumer<Duration> close) {
  /**
   * What they are made of.
   *
   * @param database of the hot path: effects settle deliveries
   * @param reads a pool of its own, so that plugins that read keep nobody from settling
   * @param published told which apps have new events to be routed
   */
  record Parts(
      Config config,
      Database database,
      Database reads,
      Consumer<AppId> published,
      Supplier<UUID> ids,
      Executor blocking,
      Clock clock) {}

  static NodePlugins create(Parts parts) {
    var engine = new EndiveEngine(WasmSettings.from(parts.config()));
    var lane = new EffectsLane(new EffectsRepository(parts.database())::commit, parts.published());
    var artifacts = new ArtifactRepository(parts.reads());
    var runtime =
        PluginRuntime.create(
            engine,
            new PluginRuntime.Stores(
                sha256 -> artifact(artifacts, sha256), new StoredReads(parts.reads()), lane),
            SandboxSettings.from(
                parts.config(),
                Runtime.getRuntime().availableProcessors(),
                Runtime.getRuntime().maxMemory()),
            parts.ids(),
            parts.blocking(),
            parts.clock());
    var quickJs = new EndiveEngine(ScriptSettings.engine(parts.config()));
    SandboxedScripts scripts = runtime.scripts(new ScriptEngine(quickJs), parts.blocking());
    lane.start();
    return new NodePlugins(
        runtime,
        (target, call, row, timeout) ->
            runtime.run(new PluginId(target.name()), target.function(), call, row, timeout),
        scripts,
        deadline -> {
          lane.close(deadline);
          runtime.close();
          engine.close();
          quickJs.close();
          parts.reads().close();
        });
  }

  private static byte[] artifact(ArtifactRepository artifacts, String sha256)
      throws SQLException, InvalidModuleException {
    byte[] module = artifacts.get(sha256);
    if (module == null) {
      throw new InvalidModuleException(
          "its module " + sha256 + " is not in the database any more: upload it again");
    }
    return module;
  }
}
