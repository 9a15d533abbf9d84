package dev.viesti.dispatcher.wasm;

/** What a module may call of ours. */
@FunctionalInterface
public interface HostFunction {
  /**
   * Called on the instance's thread, in the middle of a call of it; may use its memory, charge fuel
   * and call it in turn ({@code cabi_realloc}).
   *
   * @param arguments {@code i32} sign-extended, floats as their bits
   * @return one value, or 0 if the signature has none
   * @throws WasmTrapException ends the call
   */
  long call(WasmInstance instance, long[] arguments) throws WasmTrapException;
}
