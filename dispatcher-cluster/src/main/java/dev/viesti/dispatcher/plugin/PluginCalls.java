package dev.viesti.dispatcher.plugin;

import dev.viesti.dispatcher.commit.EffectsLane;
import dev.viesti.dispatcher.wasm.InvalidModuleException;
import dev.viesti.persistence.effects.Effects;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.delivery.Delivery;
import dev.viesti.protocol.event.Payload;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.Lock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * Makes calls: loads the module, runs it in the sandbox, has its effects committed, and does it
 * again when what it had read was changed meanwhile. Thread-safe; blocks.
 */
final class PluginCalls implements AutoCloseable {
  /** Where plugins' own lines go. */
  private static final Logger PLUGINS_LOG = LoggerFactory.getLogger("dev.viesti.plugin");

  /** The plugin said so itself. */
  static final String ERROR = "error";

  /** What it had read was changed meanwhile. */
  static final String CONFLICT = "conflict";

  /** Its effects are nothing that the database takes. */
  static final String REFUSED = "refused";

  static final String TIMEOUT = "timeout";

  /** What the module should have exported. */
  static final class NoSuchException extends Exception {
    private static final long serialVersionUID = 1L;

    NoSuchException(String message) {
      super(message);
    }
  }

  /** What of a module is to be called. */
  interface Plan {
    List<PluginCall.Step> of(PluginModule module) throws NoSuchException;
  }

  /**
   * What a call's effects are committed with.
   *
   * @param row null when no delivery is settled
   */
  record Settles(long epoch, @Nullable Delivery row) {}

  /** How a call ended; only the first one has had an effect. */
  sealed interface End {
    /**
     * @param settled whether its delivery was settled with its effects; it had none otherwise
     */
    record Done(Payload reply, boolean settled) implements End {}

    record Failed(String kind, String message) implements End {}

    record Away(String why) implements End {}

    record Fenced() implements End {}

    record Gone() implements End {}
  }

  private final ModuleCache modules;
  private final Sandbox sandbox;
  private final PluginCall.Parts parts;
  private final EffectsLane lane;
  private final SandboxSettings settings;

  PluginCalls(
      ModuleCache modules,
      Sandbox sandbox,
      PluginCall.Parts parts,
      EffectsLane lane,
      SandboxSettings settings) {
    this.modules = modules;
    this.sandbox = sandbox;
    this.parts = parts;
    this.lane = lane;
    this.settings = settings;
  }

  ModuleCache modules() {
    return modules;
  }

  void forget(AppId app) {
    sandbox.forget(app);
  }

  /**
   * @param timeout of all of it; the plugin's own limit holds as well
   */
  End make(PluginSlot slot, CallScope scope, Plan plan, Settles settles, Duration timeout)
      throws InterruptedException {
    Duration limit = limit(slot, timeout);
    long begun = System.nanoTime();
    long deadline = begun + limit.toNanos();
    End end;
    try {
      PluginModule module = module(slot, deadline);
      List<PluginCall.Step> steps = plan.of(module);
      end = rounds(slot, module, scope, steps, settles, deadline);
    } catch (TimeoutException late) {
      end = new End.Failed(TIMEOUT, "not done after " + limit.toMillis() + " ms");
    } catch (NoSuchException wrong) {
      end = new End.Failed("contract", String.valueOf(wrong.getMessage()));
    } catch (InvalidModuleException wrong) {
      end = new End.Failed("module", String.valueOf(wrong.getMessage()));
    } catch (SQLException away) {
      end = new End.Away("the database is not available: " + away.getMessage());
    } catch (RejectedExecutionException busy) {
      end = new End.Away("too many modules are being loaded");
    }
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
      return modules.get(slot.plugin().sha256()).get(left(deadline), TimeUnit.NANOSECONDS);
    } catch (ExecutionException failed) {
      switch (failed.getCause()) {
        case InvalidModuleException wrong -> throw wrong;
        case SQLException away -> throw away;
        case RejectedExecutionException busy -> throw busy;
        case null, default -> throw new IllegalStateException("a module was not loaded", failed);
      }
    }
  }

  private End rounds(
      PluginSlot slot,
      PluginModule module,
      CallScope scope,
      List<PluginCall.Step> steps,
      Settles settles,
      long deadline)
      throws InterruptedException, TimeoutException, SQLException {
    for (int round = 0; ; round++) {
      Lock turn = round == 0 ? slot.turns().readLock() : slot.turns().writeLock();
      if (!turn.tryLock(left(deadline), TimeUnit.NANOSECONDS)) {
        throw new TimeoutException();
      }
      try {
        var call = new PluginCall(parts, module, scope, steps, deadline);
        End end = round(slot, call, scope, settles, deadline);
        boolean overtaken = end instanceof End.Failed(var kind, var what) && kind.equals(CONFLICT);
        if (!overtaken || round >= settings.repeats()) {
          return end;
        }
      } finally {
        turn.unlock();
      }
    }
  }

  private End round(
      PluginSlot slot, PluginCall call, CallScope scope, Settles settles, long deadline)
      throws InterruptedException, TimeoutException, SQLException {
    return switch (run(slot, call, scope, deadline)) {
      case PluginCall.End.Returned(var reply) -> committed(call, scope, settles, reply);
      case PluginCall.End.Failed(var message) -> new End.Failed(ERROR, message);
      case PluginCall.End.Trapped(var kind, var message) -> new End.Failed(kind, message);
      case PluginCall.End.Away(var why) -> new End.Away(why);
    };
  }

  private PluginCall.End run(PluginSlot slot, PluginCall call, CallScope scope, long deadline)
      throws InterruptedException, TimeoutException {
    long begun = System.nanoTime();
    try {
      PluginCall.End end = sandbox.run(scope.app(), Duration.ofNanos(left(deadline)), call);
      slot.stats().used(scope.now(), System.nanoTime() - begun, call.fuelUsed(), call.peakPages());
      return end;
    } catch (TimeoutException late) {
      // its instance still belongs to the other thread: what it has used is not known
      slot.stats().used(scope.now(), System.nanoTime() - begun, 0, 0);
      throw late;
    } catch (ExecutionException failed) {
      if (failed.getCause() instanceof Error broken) {
        throw broken;
      }
      throw new IllegalStateException("a call of a plugin failed in the host", failed);
    } finally {
      call.takeLines().forEach(line -> write(scope, line));
    }
  }

  /** Not in the sandbox: a module may ask for it at the very end of its stack. */
  private static void write(CallScope scope, PluginCall.LogLine line) {
    PLUGINS_LOG
        .atLevel(Level.valueOf(line.level().toUpperCase(Locale.ROOT)))
        .log("{} {}: {}", scope.app(), scope.plugin().id(), line.text());
  }

  private End committed(PluginCall call, CallScope scope, Settles settles, Payload reply)
      throws InterruptedException, SQLException {
    CallBuffer buffer = call.buffer();
    if (buffer.isEmpty()) {
      return new End.Done(reply, false);
    }
    var effects =
        new Effects(
            scope.app(),
            settles.epoch(),
            settles.row(),
            scope.by(),
            buffer.kvWrites(),
            buffer.entityWrites(),
            buffer.steps(scope.plugin().id()),
            buffer.events());
    return switch (lane.commit(effects, buffer.bytes())) {
      case Effects.Result.Committed() -> new End.Done(reply, settles.row() != null);
      case Effects.Result.Gone() -> new End.Gone();
      case Effects.Result.Fenced() -> new End.Fenced();
      case Effects.Result.Conflict(var what) ->
          new End.Failed(CONFLICT, what + " was changed meanwhile");
      case Effects.Result.Refused(var detail) -> new End.Failed(REFUSED, detail);
    };
  }

  private void count(PluginSlot slot, CallScope scope, End end) {
    if (end instanceof End.Failed(var kind, var message)) {
      slot.stats().failed(scope.now(), kind, message);
      switch (kind) {
        case ERROR, CONFLICT, REFUSED -> behaved(slot);
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

  private static long left(long deadline) {
    return Math.max(0, deadline - System.nanoTime());
  }

  @Override
  public void close() {
    sandbox.close();
  }
}
