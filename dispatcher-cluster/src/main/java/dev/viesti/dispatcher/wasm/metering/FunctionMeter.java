package dev.viesti.dispatcher.wasm.metering;

import static dev.viesti.dispatcher.wasm.metering.Opcode.*;

import dev.viesti.dispatcher.wasm.InvalidModuleException;
import dev.viesti.dispatcher.wasm.metering.ModuleLayout.Body;

/**
 * Writes one function anew, so that it pays for itself. The price list is wasmtime's (49): one for
 * an instruction, nothing for {@code nop}, {@code drop}, {@code block}, {@code loop}, {@code
 * unreachable}, {@code return}, {@code else} and {@code end}, one more for entering a function. A
 * stretch of instructions that run one after the other is paid as a whole, when it begins. Whether
 * fuel is left is asked where a function begins and where a loop comes round: between two questions
 * no more runs than the function is long.
 *
 * <p>Beyond that list, what moves memory is paid by size: {@code memory.fill}, {@code copy} and
 * {@code init} one for 64 bytes, their brothers for tables one for an entry, growth one for 64
 * bytes or an entry that came to be.
 *
 * <p>While a function runs, its fuel is in a local, which a compiler keeps in a register. The
 * global is up to date whenever somebody else may look: before calls, when the function ends, when
 * fuel ran out and at {@code unreachable}. What a function used since its last call is not in it
 * when an instruction traps in another way.
 */
final class FunctionMeter {
  private static final int EMPTY_BLOCK = 0x40;

  /** One for 64 bytes. */
  private static final int MEMORY_SHIFT = 6;

  /** One for 64 bytes of pages of 64 KiB. */
  private static final int PAGE_SHIFT = 10;

  private final byte[] binary;
  private final Body body;
  private final int global;
  private final ByteWriter out;

  /** The local that holds the fuel; the one after it holds a length for a moment. */
  private final int fuel;

  private final ByteWriter stretch = new ByteWriter(256);
  private int cost = 1;
  private boolean asks = true;

  FunctionMeter(byte[] binary, Body body, int global, ByteWriter out) {
    this.binary = binary;
    this.body = body;
    this.global = global;
    this.out = out;
    this.fuel = body.parameters() + body.localCount();
  }

  void write() throws InvalidModuleException {
    out.u32(body.localGroups() + 2).bytes(binary, body.locals());
    out.u32(1).u8(ValueTypes.I64).u32(1).u8(ValueTypes.I32);
    out.u8(GLOBAL_GET).u32(global).u8(LOCAL_SET).u32(fuel);
    CodeReader in = new CodeReader(binary, body.code());
    while (in.next()) {
      instruction(in);
    }
  }

  private void instruction(CodeReader in) {
    int opcode = in.opcode();
    cost += price(opcode);
    if (in.branchesOut() || opcode == RETURN || opcode == UNREACHABLE || in.depth() == 0) {
      publish(stretch);
    }
    switch (opcode) {
      case CALL, CALL_INDIRECT -> {
        publish(stretch);
        stretch.bytes(binary, in.span());
        stretch.u8(GLOBAL_GET).u32(global).u8(LOCAL_SET).u32(fuel);
      }
      case MEMORY_GROW, TABLE_GROW -> {
        payForSize(in, I64_ADD);
        stretch.bytes(binary, in.span());
        payForSize(in, I64_SUB);
      }
      case MEMORY_INIT, MEMORY_COPY, MEMORY_FILL -> {
        payForLength(MEMORY_SHIFT);
        stretch.bytes(binary, in.span());
      }
      case TABLE_INIT, TABLE_COPY, TABLE_FILL -> {
        payForLength(0);
        stretch.bytes(binary, in.span());
      }
      default -> stretch.bytes(binary, in.span());
    }
    if (endsStretch(opcode)) {
      flush();
      asks = opcode == LOOP;
    }
  }

  static int price(int opcode) {
    return switch (opcode) {
      case NOP, DROP, BLOCK, LOOP, UNREACHABLE, RETURN, ELSE, END -> 0;
      default -> 1;
    };
  }

  private static boolean endsStretch(int opcode) {
    return switch (opcode) {
      case UNREACHABLE, LOOP, IF, ELSE, END, BR, BR_IF, BR_TABLE, RETURN -> true;
      default -> false;
    };
  }

  /** Writes what a stretch costs, then the stretch. */
  private void flush() {
    if (cost > 0) {
      out.u8(LOCAL_GET).u32(fuel).u8(I64_CONST).s64(cost).u8(I64_SUB);
      out.u8(asks ? LOCAL_TEE : LOCAL_SET).u32(fuel);
      if (asks) {
        ask(out);
      }
    } else if (asks) {
      out.u8(LOCAL_GET).u32(fuel);
      ask(out);
    }
    out.all(stretch);
    stretch.clear();
    cost = 0;
  }

  /** Takes the fuel from the stack and ends the call if it is less than nothing. */
  private void ask(ByteWriter to) {
    to.u8(I64_CONST).u8(0).u8(I64_LT_S).u8(IF).u8(EMPTY_BLOCK);
    publish(to);
    to.u8(UNREACHABLE).u8(END);
  }

  private void publish(ByteWriter to) {
    to.u8(LOCAL_GET).u32(fuel).u8(GLOBAL_SET).u32(global);
  }

  /** Adds the size to the fuel before growth and takes it after, whether or not it grew. */
  private void payForSize(CodeReader in, int operation) {
    stretch.u8(LOCAL_GET).u32(fuel);
    if (in.opcode() == MEMORY_GROW) {
      stretch.u8(MEMORY_SIZE).u8(0).u8(I64_EXTEND_I32_U);
      stretch.u8(I64_CONST).u8(PAGE_SHIFT).u8(I64_SHL);
    } else {
      stretch.u8(PREFIX_BYTE).u8(TABLE_SIZE & 0xff).u32(in.immediate()).u8(I64_EXTEND_I32_U);
    }
    stretch.u8(operation).u8(LOCAL_SET).u32(fuel);
  }

  private void payForLength(int shift) {
    int length = fuel + 1;
    stretch.u8(LOCAL_SET).u32(length);
    stretch.u8(LOCAL_GET).u32(fuel).u8(LOCAL_GET).u32(length).u8(I64_EXTEND_I32_U);
    stretch.u8(I64_CONST).u8(shift).u8(I64_SHR_U).u8(I64_SUB).u8(LOCAL_TEE).u32(fuel);
    ask(stretch);
    stretch.u8(LOCAL_GET).u32(length);
  }
}
