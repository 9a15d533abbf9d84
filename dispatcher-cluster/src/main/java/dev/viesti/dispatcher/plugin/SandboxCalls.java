package dev.viesti.dispatcher.plugin;

import dev.viesti.dispatcher.commit.EffectsLane;
import dev.viesti.dispatcher.script.ScriptEngine;
import dev.viesti.dispatcher.wasm.InvalidModuleException;
import dev.viesti.persistence.effects.Effects;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.delivery.Delivery;
import dev.viesti.protocol.event.Payload;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * Makes calls: runs foreign code in the sandbox, has its effects committed, and does it again when
 * what it had read was changed meanwhile. Thread-safe; blocks.
 */
final class SandboxCalls implements AutoCloseable {
  /** It said so itself. */
  static final String ERROR = "error";

  /** What it had read was changed meanwhile. */
  static final String CONFLICT = "conflict";

  /** Its effects are nothing that the database takes. */
  static final String REFUSED = "refused";

  static final String TIMEOUT = "timeout";

  /** What is called is not there. */
  static final class NoSuchException extends Exception {
    private static final long serialVersionUID = 1L;

    NoSuchException(String message) {
      super(message);
    }
  }

  /** Gets ready what a call runs. */
  interface Preparation {
    /**
     * @param deadline by the ticker of {@link System#nanoTime}
     */
    Body until(long deadline)
        throws InterruptedException,
            TimeoutException,
            NoSuchException,
            InvalidModuleException,
            SQLException;
  }

  /** Told what a run has used. */
  interface Meter {
    void used(long nanos, long fuel, int pages);
  }

  /**
   * Where calls of the same code meet.
   *
   * @param turns shared by calls that run beside each other; a call whose reads were overtaken has
   *     it for itself the second time, so that it comes through
   */
  record Place(ReentrantReadWriteLock turns, Meter meter) {}

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

  private final Sandbox sandbox;
  private final PluginCall.Parts parts;
  private final EffectsLane lane;
  private final SandboxSettings settings;

  SandboxCalls(PluginCall.Parts parts, EffectsLane lane, SandboxSettings settings) {
    this.sandbox = parts.sandbox();
    this.parts = parts;
    this.lane = lane;
    this.settings = settings;
  }

  void forget(AppId app) {
    sandbox.forget(app);
  }

  /** Runs what is no call, but no less foreign; see {@link Sandbox#run}. */
  <T> T apart(AppId app, Duration timeout, Callable<T> work)
      throws InterruptedException, TimeoutException, ExecutionException {
    return sandbox.run(app, ScriptEngine.LIMITS_DEFAULT.memoryPages(), timeout, work);
  }

  /**
   * @param limit of all of it, with getting ready and repeating
   */
  End make(Preparation preparation, Place place, CallScope scope, Settles settles, Duration limit)
      throws InterruptedException {
    long deadline = System.nanoTime() + limit.toNanos();
    try {
      return rounds(place, preparation.until(deadline), scope, settles, deadline);
    } catch (TimeoutException late) {
      return new End.Failed(TIMEOUT, "not done after " + limit.toMillis() + " ms");
    } catch (NoSuchException wrong) {
      return new End.Failed("contract", String.valueOf(wrong.getMessage()));
    } catch (InvalidModuleException wrong) {
      return new End.Failed("module", String.valueOf(wrong.getMessage()));
    } catch (SQLException away) {
      return new End.Away("the database is not available: " + away.getMessage());
    } catch (RejectedExecutionException busy) {
      return new End.Away("too many modules are being loaded");
    }
  }

  private End rounds(Place place, Body body, CallScope scope, Settles settles, long deadline)
      throws InterruptedException, TimeoutException, SQLException {
    for (int round = 0; ; round++) {
      Lock turn = round == 0 ? place.turns().readLock() : place.turns().writeLock();
      if (!turn.tryLock(left(deadline), TimeUnit.NANOSECONDS)) {
        throw new TimeoutException();
      }
      try {
        var call = new PluginCall(parts, body, scope, deadline);
        End end = round(place, call, scope, settles, deadline);
        boolean overtaken = end instanceof End.Failed(var kind, var what) && kind.equals(CONFLICT);
        if (!overtaken || round >= settings.repeats()) {
          return end;
        }
      } finally {
        turn.unlock();
      }
    }
  }

  private End round(Place place, PluginCall call, CallScope scope, Settles settles, long deadline)
      throws InterruptedException, TimeoutException, SQLException {
    return switch (run(place, call, scope, deadline)) {
      case PluginCall.End.Returned(var reply) -> committed(call, scope, settles, reply);
      case PluginCall.End.Failed(var message) -> new End.Failed(ERROR, message);
      case PluginCall.End.Trapped(var kind, var message) -> new End.Failed(kind, message);
      case PluginCall.End.Away(var why) -> new End.Away(why);
    };
  }

  private PluginCall.End run(Place place, PluginCall call, CallScope scope, long deadline)
      throws InterruptedException, TimeoutException {
    int pages = call.memoryPages();
    if (pages > sandbox.memoryPagesMax()) {
      return new PluginCall.End.Trapped(
          "memory",
          "it may grow to %d pages, and this node gives one app %d: see viesti.sandbox.memory"
              .formatted(pages, sandbox.memoryPagesMax()));
    }
    long begun = System.nanoTime();
    try {
      PluginCall.End end = sandbox.run(scope.app(), pages, Duration.ofNanos(left(deadline)), call);
      place.meter().used(System.nanoTime() - begun, call.fuelUsed(), call.peakPages());
      return end;
    } catch (TimeoutException late) {
      // its instance still belongs to the other thread: what it has used is not known
      place.meter().used(System.nanoTime() - begun, 0, 0);
      throw late;
    } catch (ExecutionException failed) {
      if (failed.getCause() instanceof Error broken) {
        throw broken;
      }
      throw new IllegalStateException("a call failed in the host", failed);
    } finally {
      call.takeLines().forEach(line -> write(scope, line));
    }
  }

  /** Not in the sandbox: foreign code may ask for it at the very end of its stack. */
  private static void write(CallScope scope, PluginCall.LogLine line) {
    Caller caller = scope.caller();
    LoggerFactory.getLogger("dev.viesti." + caller.kind())
        .atLevel(Level.valueOf(line.level().toUpperCase(Locale.ROOT)))
        .log("{} {}: {}", scope.app(), caller.name(), line.text());
  }

  private End committed(PluginCall call, CallScope scope, Settles settles, Payload reply)
      throws InterruptedException, SQLException {
    CallBuffer buffer = call.buffer();
    if (buffer.isEmpty()) {
      return new End.Done(reply, false);
    }
    InstalledPlugin plugin = scope.plugin();
    var effects =
        new Effects(
            scope.app(),
            settles.epoch(),
            settles.row(),
            scope.by(),
            buffer.kvWrites(),
            buffer.entityWrites(),
            plugin == null ? List.of() : buffer.steps(plugin.id()),
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

  private static long left(long deadline) {
    return Math.max(0, deadline - System.nanoTime());
  }

  @Override
  public void close() {
    sandbox.close();
  }
}
