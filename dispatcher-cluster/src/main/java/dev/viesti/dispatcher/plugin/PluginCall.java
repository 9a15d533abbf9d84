package dev.viesti.dispatcher.plugin;

import dev.viesti.dispatcher.wasm.WasmInstance;
import dev.viesti.dispatcher.wasm.WasmTrapException;
import dev.viesti.dispatcher.wasm.WasmTrapException.Kind;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.event.Payload;
import dev.viesti.protocol.plugin.Manifest;
import dev.viesti.protocol.plugin.PluginId;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Queue;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.FutureTask;
import java.util.function.BiFunction;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * One run of a plugin or a script in one instance, on a thread of the sandbox. What it wants
 * durable is in its {@link #buffer} and nowhere else. For one use.
 */
final class PluginCall implements Callable<PluginCall.End>, HostApi.Store {
  /** What it has to say to people; the level in lower case. */
  record LogLine(String level, String text) {}

  /** How it ended. */
  sealed interface End {
    record Returned(Payload reply) implements End {}

    /** It said so itself. */
    record Failed(String message) implements End {}

    /**
     * @param kind the word of a {@link WasmTrapException.Kind}
     */
    record Trapped(String kind, String message) implements End {}

    /** The store did not answer. */
    record Away(String why) implements End {}
  }

  /**
   * What calls have in common.
   *
   * @param manifests of what an app has installed
   * @param blocking where stores are read
   */
  record Parts(
      Reads reads,
      Sandbox sandbox,
      Supplier<UUID> ids,
      BiFunction<AppId, PluginId, @Nullable Manifest> manifests,
      Executor blocking,
      int depthMax) {}

  /** A statement of ours, for which the module does nothing: about what it costs in time. */
  private static final long READ_FUEL = 20_000;

  private final Parts parts;
  private final Body body;
  private final CallScope scope;
  private final long deadline;
  private final CallBuffer buffer = new CallBuffer();
  private final Queue<LogLine> lines = new ConcurrentLinkedQueue<>();
  private @Nullable WasmInstance instance;
  private @Nullable String away;

  /**
   * @param deadline by the ticker of {@link System#nanoTime}
   */
  PluginCall(Parts parts, Body body, CallScope scope, long deadline) {
    this.parts = parts;
    this.body = body;
    this.scope = scope;
    this.deadline = deadline;
  }

  CallBuffer buffer() {
    return buffer;
  }

  /** Lines for the log so far, taken out; from any thread, also while it runs. */
  List<LogLine> takeLines() {
    List<LogLine> taken = new ArrayList<>();
    for (LogLine line = lines.poll(); line != null; line = lines.poll()) {
      taken.add(line);
    }
    return taken;
  }

  int memoryPages() {
    return body.memoryPages();
  }

  long fuelUsed() {
    return instance == null ? 0 : instance.fuelUsed();
  }

  int peakPages() {
    return instance == null ? 0 : instance.peakPages();
  }

  @Override
  public End call() {
    var api =
        new HostApi(
            scope,
            buffer,
            new HostApi.Parts(
                parts.reads(),
                this,
                lines::add,
                parts.ids(),
                plugin -> parts.manifests().apply(scope.app(), plugin),
                parts.depthMax()));
    try {
      return switch (body.run(api, made -> instance = made)) {
        case Body.Reply.Returned(var reply) -> new End.Returned(reply);
        case Body.Reply.Failed(var message) -> new End.Failed(message);
      };
    } catch (WasmTrapException trap) {
      return away == null
          ? new End.Trapped(
              trap.kind().name().toLowerCase(Locale.ROOT), String.valueOf(trap.getMessage()))
          : new End.Away(away);
    }
  }

  /**
   * On another thread: a module can call its host at the very end of its stack, and a driver that
   * meets a full stack in the middle of a statement is of no use to anybody any more.
   */
  @Override
  public <T extends @Nullable Object> T read(Callable<T> read) throws WasmTrapException {
    if (instance != null) {
      instance.charge(READ_FUEL);
    }
    if (Thread.currentThread().isInterrupted() || System.nanoTime() - deadline > 0) {
      throw new WasmTrapException(Kind.INTERRUPTED, "its time is up");
    }
    var reading = new FutureTask<>(read);
    parts.blocking().execute(reading);
    try {
      return parts.sandbox().offProcessor(reading::get);
    } catch (InterruptedException stop) {
      Thread.currentThread().interrupt();
      throw new WasmTrapException(Kind.INTERRUPTED, "its time is up");
    } catch (ExecutionException failed) {
      switch (failed.getCause()) {
        case SQLException unreachable -> {
          away = String.valueOf(unreachable.getMessage());
          throw new WasmTrapException(Kind.HOST, "the store does not answer: " + away);
        }
        case RuntimeException known -> throw known;
        case null, default -> throw new WasmTrapException(Kind.HOST, failed.toString());
      }
    } catch (Exception impossible) {
      throw new IllegalStateException(impossible);
    }
  }
}
