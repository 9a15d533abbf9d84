package dev.viesti.dispatcher.wasm.metering;

import static dev.viesti.dispatcher.wasm.metering.Opcode.*;

import dev.viesti.dispatcher.wasm.InvalidModuleException;

/**
 * Goes through the instructions of a function. Knows each instruction that is allowed and refuses
 * all others: a pass that steps over what it does not know steps into the middle of something.
 */
final class CodeReader {
  /** Address and offset are added as 32 bits by the runtime; what may wrap is refused instead. */
  private static final int OFFSET_MIN = 0;

  /**
   * A table becomes a switch, and takes the compiler the square of its length. Switches over bytes
   * have 256.
   */
  private static final int BRANCH_TARGETS_MAX = 1_024;

  private static final int BLOCK_EMPTY = 0x40;
  private static final int FUNCREF = 0x70;

  private final ByteReader in;
  private int start;
  private int opcode;
  private int immediate;
  private int depth = 1;

  /**
   * @param code the instructions, without the locals before them
   */
  CodeReader(byte[] binary, Span code) {
    this.in = new ByteReader(binary, code);
  }

  /** Moves to the next instruction; false after the last. */
  boolean next() throws InvalidModuleException {
    if (in.remaining() == 0) {
      if (depth != 0) {
        throw new InvalidModuleException(
            "has a function without an end, before byte %,d".formatted(in.position()));
      }
      return false;
    }
    if (depth == 0) {
      throw new InvalidModuleException(
          "has instructions after the end of a function, at byte %,d".formatted(in.position()));
    }
    start = in.position();
    opcode = in.u8();
    if (opcode == PREFIX_BYTE) {
      int second = in.u32();
      opcode = second >= 0 && second <= 0xff ? PREFIX | second : -1;
    }
    immediate = 0;
    readImmediates();
    return true;
  }

  int opcode() {
    return opcode;
  }

  /**
   * The index of a call; of a branch, the target that is furthest out; of a block, its type's
   * index, or -1 if it leaves nothing and -2 if it leaves one value.
   */
  int immediate() {
    return immediate;
  }

  /** Blocks that are open after this instruction; 0 when the function has ended. */
  int depth() {
    return depth;
  }

  /** Whether this instruction may leave the function by a branch. */
  boolean branchesOut() {
    return (opcode == BR || opcode == BR_IF || opcode == BR_TABLE) && immediate == depth - 1;
  }

  Span span() {
    return new Span(start, in.position());
  }

  private void readImmediates() throws InvalidModuleException {
    switch (opcode) {
      case UNREACHABLE, NOP, ELSE, RETURN, DROP, SELECT, REF_IS_NULL -> {}
      case BLOCK, LOOP, IF -> {
        blockType();
        depth++;
      }
      case END -> depth--;
      case BR, BR_IF, CALL, REF_FUNC -> immediate = index();
      case BR_TABLE -> branchTable();
      case CALL_INDIRECT -> {
        immediate = index();
        index();
      }
      case SELECT_TYPED -> {
        int types = in.count();
        for (int i = 0; i < types; i++) {
          valueType(in.u8());
        }
      }
      case LOCAL_GET, LOCAL_SET, LOCAL_TEE, GLOBAL_GET, GLOBAL_SET, TABLE_GET, TABLE_SET -> index();
      case MEMORY_SIZE, MEMORY_GROW -> memoryIndex();
      case I32_CONST -> in.skipInteger(5);
      case I64_CONST -> in.skipInteger(10);
      case F32_CONST -> in.skip(4);
      case F64_CONST -> in.skip(8);
      case REF_NULL -> {
        if (in.u8() != FUNCREF) {
          throw refused("a reference that is not to a function");
        }
      }
      case MEMORY_INIT -> {
        index();
        memoryIndex();
      }
      case MEMORY_COPY -> {
        memoryIndex();
        memoryIndex();
      }
      case MEMORY_FILL -> memoryIndex();
      case DATA_DROP, ELEM_DROP -> index();
      case TABLE_INIT, TABLE_COPY -> {
        index();
        index();
      }
      case TABLE_GROW, TABLE_SIZE, TABLE_FILL -> immediate = index();
      default -> {
        if (opcode >= FIRST_ACCESS && opcode <= LAST_ACCESS) {
          memoryArgument();
        } else if (!isNumeric(opcode)) {
          throw refused("an instruction that is not allowed");
        }
      }
    }
  }

  private static boolean isNumeric(int opcode) {
    return (opcode >= FIRST_NUMERIC && opcode <= LAST_NUMERIC)
        || (opcode >= PREFIX && opcode <= LAST_SATURATING);
  }

  private void branchTable() throws InvalidModuleException {
    int targets = in.count();
    if (targets > BRANCH_TARGETS_MAX) {
      throw refused("a jump table with more than %,d targets".formatted(BRANCH_TARGETS_MAX));
    }
    for (int i = 0; i <= targets; i++) {
      immediate = Math.max(immediate, index());
    }
  }

  private int index() throws InvalidModuleException {
    int index = in.u32();
    if (index < 0) {
      throw refused("an index out of range");
    }
    return index;
  }

  private void blockType() throws InvalidModuleException {
    int first = in.u8();
    if ((first & 0xc0) == 0x40) {
      if (first != BLOCK_EMPTY) {
        valueType(first);
      }
      immediate = first == BLOCK_EMPTY ? -1 : -2;
      return;
    }
    immediate = first & 0x7f;
    for (int shift = 7; first >= 0x80; shift += 7) {
      if (shift > 21) {
        throw refused("a malformed type");
      }
      first = in.u8();
      immediate |= (first & 0x7f) << shift;
    }
  }

  private void valueType(int type) throws InvalidModuleException {
    if (!ValueTypes.isAllowed(type)) {
      throw refused("a type that is not allowed");
    }
  }

  private void memoryIndex() throws InvalidModuleException {
    if (in.u8() != 0) {
      throw refused("a second memory");
    }
  }

  private void memoryArgument() throws InvalidModuleException {
    int alignment = in.u32();
    if (alignment < 0 || alignment > 3) {
      throw refused("an alignment out of range, or a second memory");
    }
    if (in.u32() < OFFSET_MIN) {
      throw refused("a memory offset of 2 GiB or more");
    }
  }

  private InvalidModuleException refused(String what) {
    return new InvalidModuleException(
        "uses %s (instruction 0x%s at byte %,d)"
            .formatted(what, Integer.toHexString(opcode & 0xffff), start));
  }
}
