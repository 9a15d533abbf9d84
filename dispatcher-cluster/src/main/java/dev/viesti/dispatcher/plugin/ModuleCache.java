package dev.viesti.dispatcher.plugin;

import dev.viesti.dispatcher.wasm.InvalidModuleException;
import dev.viesti.dispatcher.wasm.WasmEngine;
import java.sql.SQLException;
import java.util.LinkedHashMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;

/**
 * A node's compiled modules, by the hash of their bytes: apps that have the same module share it.
 * Keeps those used last. Thread-safe.
 */
public final class ModuleCache {
  /** Where modules are kept. */
  public interface Artifacts {
    /**
     * @throws InvalidModuleException when there is none of that hash
     */
    byte[] get(String sha256) throws SQLException, InvalidModuleException;
  }

  private final WasmEngine engine;
  private final Artifacts artifacts;
  private final Executor blocking;
  private final int max;
  private final LinkedHashMap<String, CompletableFuture<PluginModule>> modules =
      new LinkedHashMap<>(16, 0.75f, true);

  ModuleCache(WasmEngine engine, Artifacts artifacts, Executor blocking, int max) {
    this.engine = engine;
    this.artifacts = artifacts;
    this.blocking = blocking;
    this.max = max;
  }

  /**
   * Compiles a module that is at hand.
   *
   * @throws InvalidModuleException saying what is wrong with it
   */
  PluginModule compile(String sha256, byte[] binary) throws InvalidModuleException {
    PluginModule module = PluginModule.of(engine.load(binary));
    synchronized (modules) {
      modules.put(sha256, CompletableFuture.completedFuture(module));
      dropOldest();
    }
    return module;
  }

  /**
   * The module, loaded once however many ask; fails with {@link SQLException} when the store does
   * not answer, and {@link InvalidModuleException} when it cannot run here.
   */
  CompletableFuture<PluginModule> get(String sha256) {
    synchronized (modules) {
      CompletableFuture<PluginModule> known = modules.get(sha256);
      if (known != null && !known.isCompletedExceptionally()) {
        return known;
      }
      CompletableFuture<PluginModule> loading =
          CompletableFuture.supplyAsync(() -> load(sha256), blocking);
      modules.put(sha256, loading);
      dropOldest();
      return loading;
    }
  }

  private PluginModule load(String sha256) {
    try {
      return PluginModule.of(engine.load(artifacts.get(sha256)));
    } catch (SQLException | InvalidModuleException failed) {
      throw new CompletionException(failed);
    }
  }

  private void dropOldest() {
    var oldest = modules.entrySet().iterator();
    while (modules.size() > max) {
      oldest.next();
      oldest.remove();
    }
  }
}
