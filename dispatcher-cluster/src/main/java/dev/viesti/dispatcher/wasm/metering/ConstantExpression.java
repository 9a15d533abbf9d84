package dev.viesti.dispatcher.wasm.metering;

import dev.viesti.dispatcher.wasm.InvalidModuleException;

/** What initializes globals and says where segments go: computed anew for each instance. */
final class ConstantExpression {
  /** More than a compiler writes by far; each instance pays for it without fuel. */
  private static final int INSTRUCTIONS_MAX = 32;

  private ConstantExpression() {}

  static void skip(ByteReader in) throws InvalidModuleException {
    for (int i = 0; i < INSTRUCTIONS_MAX; i++) {
      int opcode = in.u8();
      switch (opcode) {
        case Opcode.END -> {
          return;
        }
        case Opcode.I32_CONST -> in.skipInteger(5);
        case Opcode.I64_CONST -> in.skipInteger(10);
        case Opcode.F32_CONST -> in.skip(4);
        case Opcode.F64_CONST -> in.skip(8);
        case Opcode.GLOBAL_GET, Opcode.REF_FUNC -> in.u32();
        case Opcode.REF_NULL -> {
          if (in.u8() != ValueTypes.FUNCREF) {
            throw new InvalidModuleException("has a constant reference that is to no function");
          }
        }
        case Opcode.I32_ADD, Opcode.I32_ADD + 1, Opcode.I32_MUL -> {}
        case Opcode.I64_ADD, Opcode.I64_SUB, Opcode.I64_MUL -> {}
        default ->
            throw new InvalidModuleException(
                "computes a constant with an instruction that is not allowed, 0x%x"
                    .formatted(opcode));
      }
    }
    throw new InvalidModuleException(
        "computes a constant with more than %d instructions".formatted(INSTRUCTIONS_MAX));
  }
}
