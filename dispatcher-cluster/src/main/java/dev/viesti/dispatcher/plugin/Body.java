package dev.viesti.dispatcher.plugin;

import dev.viesti.dispatcher.wasm.WasmInstance;
import dev.viesti.dispatcher.wasm.WasmTrapException;
import dev.viesti.protocol.event.Payload;
import java.util.function.Consumer;

/** The foreign code of a call. */
interface Body {
  /** How it ended by itself. */
  sealed interface Reply {
    record Returned(Payload reply) implements Reply {}

    /** It says that it failed. */
    record Failed(String message) implements Reply {}
  }

  /** Pages of memory that it may come to have. */
  int memoryPages();

  /**
   * Runs it in a fresh instance; on a thread of the sandbox.
   *
   * @param made told about the instance before it calls its host
   * @throws WasmTrapException when a limit or its host ended it, or it cannot go on
   */
  Reply run(HostApi api, Consumer<WasmInstance> made) throws WasmTrapException;
}
