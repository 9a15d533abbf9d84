package dev.viesti.dispatcher.wasm;

/**
 * One instance, for one thread and one call from outside. After a trap nothing of it may be used
 * but {@link #fuelUsed} and {@link #peakPages}.
 */
public interface WasmInstance {
  /**
   * Calls an exported function. An interrupt of the thread ends it soon, as {@link
   * WasmTrapException.Kind#INTERRUPTED}, and leaves its interrupt status set. How deeply calls may
   * nest depends on the thread's stack: give it one of a fixed size, 1 MiB is what this was tested
   * with.
   *
   * @return its result, {@code i32} sign-extended; 0 if it has none
   * @throws WasmTrapException however it did not end as it should; never another throwable, but for
   *     errors of the JVM that concern everybody
   */
  long call(String export, long... arguments) throws WasmTrapException;

  /** Copies from its memory. */
  byte[] read(int address, int length) throws WasmTrapException;

  /** Copies into its memory. */
  void write(int address, byte[] bytes) throws WasmTrapException;

  int readInt(int address) throws WasmTrapException;

  void writeByte(int address, int value) throws WasmTrapException;

  void writeInt(int address, int value) throws WasmTrapException;

  void writeLong(int address, long value) throws WasmTrapException;

  /** Takes fuel for work that the host does. */
  void charge(long fuel) throws WasmTrapException;

  /**
   * What was used since it was made, at most the budget. Exact after a call that ended well or ran
   * out of fuel; after another trap or an interrupt it may lack what the function that was running
   * used since its own last call.
   */
  long fuelUsed();

  /** The largest its memory has been, in pages of 64 KiB. */
  int peakPages();

  /**
   * Its module again, but with a memory that begins as this one is now; globals and tables begin as
   * they always did. For what is costly to set up and the same for all instances. Nothing of this
   * instance may be used afterwards.
   *
   * @throws WasmTrapException when it has ended, is in the middle of a call, or has no memory
   */
  WasmModule freeze() throws WasmTrapException;
}
