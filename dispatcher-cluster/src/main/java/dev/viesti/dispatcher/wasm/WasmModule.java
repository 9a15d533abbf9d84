package dev.viesti.dispatcher.wasm;

import java.util.List;

/** A module that was checked, metered and compiled. Immutable, thread-safe. */
public interface WasmModule {
  /** The value types of core WebAssembly 1.0. */
  enum ValueType {
    I32,
    I64,
    F32,
    F64
  }

  /** A function's type; at most one result. */
  record Signature(List<ValueType> parameters, List<ValueType> results) {}

  /** A function that the module wants; it may import nothing but functions. */
  record Import(String module, String name, Signature signature) {}

  /** A function that the module offers. */
  record Export(String name, Signature signature) {}

  List<Import> imports();

  /** Exported functions only. */
  List<Export> exports();

  /** Whether it exports a memory under the name {@code memory}. */
  boolean hasMemory();

  /**
   * A fresh instance; runs the module's start function on the calling thread, under the limits.
   *
   * @param fuel of the start function and all calls together
   * @param memoryPages of 64 KiB; a module whose memory begins larger does not start
   * @param host one function for each of {@link #imports}, in that order
   */
  WasmInstance instantiate(long fuel, int memoryPages, List<HostFunction> host)
      throws WasmTrapException;
}
