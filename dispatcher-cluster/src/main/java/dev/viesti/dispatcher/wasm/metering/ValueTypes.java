package dev.viesti.dispatcher.wasm.metering;

import dev.viesti.dispatcher.wasm.InvalidModuleException;
import dev.viesti.dispatcher.wasm.WasmModule.ValueType;

/** Types of values: the four numbers, and references to functions, which stay inside the module. */
final class ValueTypes {
  static final int I32 = 0x7f;
  static final int I64 = 0x7e;
  static final int FUNCREF = 0x70;

  private ValueTypes() {}

  static boolean isAllowed(int type) {
    return (type >= 0x7c && type <= I32) || type == FUNCREF;
  }

  /** The type of a value that crosses the module's border. */
  static ValueType number(int type, String what) throws InvalidModuleException {
    return switch (type) {
      case I32 -> ValueType.I32;
      case I64 -> ValueType.I64;
      case 0x7d -> ValueType.F32;
      case 0x7c -> ValueType.F64;
      default ->
          throw new InvalidModuleException(
              what + " takes or returns something that is not a number");
    };
  }
}
