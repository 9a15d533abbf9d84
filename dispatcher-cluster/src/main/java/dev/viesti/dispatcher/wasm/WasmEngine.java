package dev.viesti.dispatcher.wasm;

/** Makes modules out of bytes that nobody has looked at. Thread-safe. */
public interface WasmEngine {
  /**
   * Checks the binary, builds fuel metering into it, and compiles it. Takes up to a second for a
   * megabyte: call it where that disturbs nobody.
   *
   * @throws InvalidModuleException when it is malformed, invalid, uses a feature that is not
   *     allowed, or is larger than the limits allow
   */
  WasmModule load(byte[] binary) throws InvalidModuleException;
}
