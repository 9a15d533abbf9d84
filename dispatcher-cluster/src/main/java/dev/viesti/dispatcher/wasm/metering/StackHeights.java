package dev.viesti.dispatcher.wasm.metering;

import dev.viesti.dispatcher.wasm.InvalidModuleException;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * Counts what lies on the stack wherever a function branches: the runtime's compiler writes down
 * all of it at each of these places, so that a thousand values under a thousand branches take
 * seconds, and ten times as many take the node's memory. No compiler that is not after that leaves
 * more than a few values there.
 *
 * <p>Where code cannot be reached the height is only an estimate; such code is not compiled.
 */
final class StackHeights {
  /** Over all branches of a module. */
  private static final long TOTAL_MAX = 2_000_000;

  /** How many values a block, or what is called, takes and leaves. */
  interface Types {
    int parameters(int type) throws InvalidModuleException;

    int results(int type) throws InvalidModuleException;

    /** Type of a function. */
    int ofFunction(int function) throws InvalidModuleException;
  }

  private record Block(int height, int parameters, int results) {}

  private final Types types;
  private final Deque<Block> blocks = new ArrayDeque<>();
  private int height;
  private long total;

  StackHeights(Types types) {
    this.types = types;
  }

  void beginFunction() {
    height = 0;
    blocks.clear();
    blocks.push(new Block(0, 0, 0));
  }

  void follow(CodeReader in) throws InvalidModuleException {
    int opcode = in.opcode();
    switch (opcode) {
      case Opcode.BLOCK, Opcode.LOOP, Opcode.IF -> {
        change(opcode == Opcode.IF ? -1 : 0);
        count();
        int type = in.immediate();
        int parameters = type < 0 ? 0 : types.parameters(type);
        int results = type < 0 ? -1 - type : types.results(type);
        blocks.push(new Block(Math.max(0, height - parameters), parameters, results));
      }
      case Opcode.ELSE -> height = innermost().height() + innermost().parameters();
      case Opcode.END -> {
        count();
        height = innermost().height() + innermost().results();
        blocks.poll();
      }
      case Opcode.BR, Opcode.RETURN -> count();
      case Opcode.BR_IF, Opcode.BR_TABLE -> {
        change(-1);
        count();
      }
      case Opcode.CALL -> call(types.ofFunction(in.immediate()));
      case Opcode.CALL_INDIRECT -> {
        change(-1);
        call(in.immediate());
      }
      default -> change(effect(opcode));
    }
  }

  private Block innermost() {
    Block block = blocks.peek();
    return block == null ? new Block(0, 0, 0) : block;
  }

  private void call(int type) throws InvalidModuleException {
    change(-types.parameters(type));
    change(types.results(type));
  }

  private void change(int by) {
    height = Math.max(0, height + by);
  }

  private void count() throws InvalidModuleException {
    total += height;
    if (total > TOTAL_MAX) {
      throw new InvalidModuleException("leaves too many values on the stack where it branches");
    }
  }

  private static int effect(int opcode) {
    return switch (opcode) {
      case Opcode.LOCAL_GET,
          Opcode.GLOBAL_GET,
          Opcode.I32_CONST,
          Opcode.I64_CONST,
          Opcode.F32_CONST,
          Opcode.F64_CONST,
          Opcode.MEMORY_SIZE,
          Opcode.TABLE_SIZE,
          Opcode.REF_NULL,
          Opcode.REF_FUNC ->
          1;
      case Opcode.DROP, Opcode.LOCAL_SET, Opcode.GLOBAL_SET, Opcode.TABLE_GROW -> -1;
      case Opcode.SELECT, Opcode.SELECT_TYPED, Opcode.TABLE_SET -> -2;
      case Opcode.MEMORY_INIT,
          Opcode.MEMORY_COPY,
          Opcode.MEMORY_FILL,
          Opcode.TABLE_INIT,
          Opcode.TABLE_COPY,
          Opcode.TABLE_FILL ->
          -3;
      default -> {
        if (opcode >= Opcode.FIRST_STORE && opcode <= Opcode.LAST_ACCESS) {
          yield -2;
        }
        yield isBinary(opcode) ? -1 : 0;
      }
    };
  }

  private static boolean isBinary(int opcode) {
    return isWithin(opcode, 0x46, 0x4f) // comparisons
        || isWithin(opcode, 0x51, 0x66)
        || isWithin(opcode, 0x6a, 0x78) // i32
        || isWithin(opcode, 0x7c, 0x8a) // i64
        || isWithin(opcode, 0x92, 0x98) // f32
        || isWithin(opcode, 0xa0, 0xa6); // f64
  }

  private static boolean isWithin(int opcode, int first, int last) {
    return opcode >= first && opcode <= last;
  }
}
