package dev.viesti.dispatcher.plugin;

import dev.viesti.dispatcher.plugin.SandboxCalls.End;
import dev.viesti.dispatcher.plugin.SandboxCalls.NoSuchException;
import dev.viesti.dispatcher.plugin.SandboxCalls.Place;
import dev.viesti.dispatcher.plugin.SandboxCalls.Settles;
import dev.viesti.dispatcher.wasm.InvalidModuleException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Makes calls of plugins, counts them, and sees who traps again and again. Thread-safe; blocks. */
final class PluginCalls {
  /** What of a module is to be called. */
  interface Plan {
    List<ModuleBody.Step> of(PluginModule module) throws NoSuchException;
  }

  private final ModuleCache modules;
  private final SandboxCalls calls;
  private final SandboxSettings settings;

  PluginCalls(ModuleCache modules, SandboxCalls calls, SandboxSettings settings) {
    this.modules = modules;
    this.calls = calls;
    this.settings = settings;
  }

  ModuleCache modules() {
    return modules;
  }

  /**
   * @param timeout of all of it; the plugin's own limit holds as well
   */
  End make(PluginSlot slot, CallScope scope, Plan plan, Settles settles, Duration timeout)
      throws InterruptedException {
    var limits = slot.plugin().manifest().limits();
    var place =
        new Place(
            slot.turns(),
            (nanos, fuel, pages) -> slot.stats().used(scope.now(), nanos, fuel, pages));
    End end =
        calls.make(
            deadline -> {
              PluginModule module = module(slot, deadline);
              return new ModuleBody(module, limits, plan.of(module));
            },
            place,
            scope,
            settles,
            limit(slot, timeout));
    count(slot, scope, end);
    return end;
  }

  /** The shorter one of a plugin's own limit and that of whoever calls it. */
  static Duration limit(PluginSlot slot, Duration timeout) {
    Duration own = slot.plugin().manifest().limits().timeout();
    return own.compareTo(timeout) < 0 ? own : timeout;
  }

  private PluginModule module(PluginSlot slot, long deadline)
      throws InterruptedException, TimeoutException, InvalidModuleException, SQLException {
    try {
      return modules
          .get(slot.plugin().sha256())
          .get(Math.max(0, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
    } catch (ExecutionException failed) {
      switch (failed.getCause()) {
        case InvalidModuleException wrong -> throw wrong;
        case SQLException away -> throw away;
        case RejectedExecutionException busy -> throw busy;
        case null, default -> throw new IllegalStateException("a module was not loaded", failed);
      }
    }
  }

  private void count(PluginSlot slot, CallScope scope, End end) {
    if (end instanceof End.Failed(var kind, var message)) {
      slot.stats().failed(scope.now(), kind, message);
      switch (kind) {
        case SandboxCalls.ERROR, SandboxCalls.CONFLICT, SandboxCalls.REFUSED -> behaved(slot);
        default -> {
          int traps = slot.stats().trapped();
          if (traps >= settings.traps()) {
            slot.news()
                .accept(
                    new Plugins.News.Trapping(slot.plugin().id(), traps, kind + ": " + message));
          }
        }
      }
    } else if (end instanceof End.Done) {
      behaved(slot);
    }
  }

  private static void behaved(PluginSlot slot) {
    slot.stats().behaved();
    if (slot.plugin().quarantinedUntil() != null) {
      slot.news().accept(new Plugins.News.Recovered(slot.plugin().id()));
    }
  }
}
