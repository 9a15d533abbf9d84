package dev.viesti.dispatcher.wasm.endive;

import com.typesafe.config.ConfigFactory;
import dev.viesti.dispatcher.wasm.HostFunction;
import dev.viesti.dispatcher.wasm.WasmInstance;
import dev.viesti.dispatcher.wasm.WasmModule;
import dev.viesti.dispatcher.wasm.WasmSettings;
import dev.viesti.dispatcher.wasm.WasmTrapException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** Modules and ways to run them. */
final class Guests {
  /** What callers of the engine give a call. */
  static final long STACK_BYTES = 1 << 20;

  static final long ENOUGH_FUEL = 1L << 40;
  static final int PAGES_MAX = 1_024;

  private Guests() {}

  static WasmSettings settings() {
    return WasmSettings.from(ConfigFactory.defaultReference());
  }

  static byte[] resource(String name) {
    try (InputStream in = Guests.class.getResourceAsStream("/dev/viesti/dispatcher/wasm/" + name)) {
      return Objects.requireNonNull(in, name).readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static List<HostFunction> idleHost(WasmModule module) {
    return Collections.nCopies(module.imports().size(), (instance, arguments) -> 0);
  }

  static WasmInstance fresh(WasmModule module) throws WasmTrapException {
    return module.instantiate(ENOUGH_FUEL, PAGES_MAX, idleHost(module));
  }

  /** Something that may end in a trap. */
  @FunctionalInterface
  interface Call {
    void run() throws WasmTrapException;
  }

  /**
   * Runs a call as a node does: on a thread of its own with a fixed stack, interrupted when its
   * time is up.
   *
   * @return how it ended, or null if it went well
   */
  static @Nullable WasmTrapException run(long timeoutMillis, Call call) {
    AtomicReference<@Nullable Throwable> ended = new AtomicReference<>();
    Thread thread =
        new Thread(
            null,
            () -> {
              try {
                call.run();
              } catch (Throwable e) {
                ended.set(e);
              }
            },
            "guest",
            STACK_BYTES);
    thread.start();
    try {
      thread.join(timeoutMillis);
      thread.interrupt();
      thread.join(5_000);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
    if (thread.isAlive()) {
      throw new AssertionError("the call cannot be stopped");
    }
    Throwable end = ended.get();
    if (end == null || end instanceof WasmTrapException) {
      return (WasmTrapException) end;
    }
    throw new AssertionError("not a trap", end);
  }
}
