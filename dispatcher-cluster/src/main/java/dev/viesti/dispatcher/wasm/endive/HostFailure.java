package dev.viesti.dispatcher.wasm.endive;

import dev.viesti.dispatcher.wasm.WasmTrapException;

/** Takes the end of a call through the runtime's frames, from a host function to the caller. */
final class HostFailure extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final transient WasmTrapException trap;

  HostFailure(WasmTrapException trap) {
    super(null, null, false, false);
    this.trap = trap;
  }

  WasmTrapException trap() {
    return trap;
  }
}
