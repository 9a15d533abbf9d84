package dev.viesti.dispatcher.script;

import dev.viesti.dispatcher.wasm.HostFunction;
import dev.viesti.dispatcher.wasm.WasmInstance;
import dev.viesti.dispatcher.wasm.WasmModule;
import dev.viesti.dispatcher.wasm.WasmTrapException;
import dev.viesti.dispatcher.wasm.WasmTrapException.Kind;
import java.util.List;

/**
 * What QuickJS imports, under the short names that the published binary gives it. All that would
 * reach out of the sandbox is answered with an error or with nothing; the one way out is {@link
 * ScriptHost}.
 */
final class QuickJsImports {
  /** {@code EBADF}: there is no such file, because there are no files. */
  private static final long BAD_FILE = 8;

  private static final long PAGE = 1 << 16;

  /** Offsets in {@code struct tm}. */
  private static final int TM_ISDST = 32;

  private static final int TM_GMTOFF = 36;

  /** What a call of the host costs at least, and what 16 bytes of its arguments and answer cost. */
  private static final long FUEL_PER_CALL = 1_000;

  private final ScriptHost host;
  private final Pointers pointers;
  private final double now;

  /**
   * @param pointers of the frozen memory; unused while there is none
   * @param now milliseconds since 1970, all the time
   */
  QuickJsImports(ScriptHost host, Pointers pointers, double now) {
    this.host = host;
    this.pointers = pointers;
    this.now = now;
  }

  /** Where things are in the frozen memory. */
  record Pointers(int runtime, int context, int enter) {}

  List<HostFunction> functions(WasmModule module) {
    return module.imports().stream().map(wanted -> function(wanted.name())).toList();
  }

  private HostFunction function(String name) {
    return switch (name) {
      case "b", "q" -> (instance, arguments) -> ended("aborted");
      case "r" -> (instance, arguments) -> ended("exited");
      case "k" -> (instance, arguments) -> grow(instance, arguments[0]);
      case "p" -> (instance, arguments) -> Double.doubleToRawLongBits(now);
      case "s" -> (instance, arguments) -> callHost(instance, (int) arguments[3]);
      case "c", "d", "o" -> (instance, arguments) -> BAD_FILE;
      // The environment is empty, and its time zone is UTC.
      case "f", "n" -> QuickJsImports::twoZeros;
      case "m" ->
          (instance, arguments) -> {
            instance.writeInt((int) arguments[1] + TM_ISDST, 0);
            instance.writeInt((int) arguments[1] + TM_GMTOFF, 0);
            return 0;
          };
      // The environment's texts, modules, the interrupt handler, timers, references: none is used.
      case "e", "g", "h", "i", "j", "l", "t" -> (instance, arguments) -> 0;
      default -> throw new IllegalStateException("an import that we do not know: " + name);
    };
  }

  private static long twoZeros(WasmInstance instance, long[] arguments) throws WasmTrapException {
    instance.writeInt((int) arguments[0], 0);
    instance.writeInt((int) arguments[1], 0);
    return 0;
  }

  private static long ended(String how) throws WasmTrapException {
    throw new WasmTrapException(Kind.TRAP, "QuickJS " + how);
  }

  /**
   * Ends the call rather than let the script see it: what it does without memory is not worth
   * having.
   */
  private static long grow(WasmInstance instance, long bytes) throws WasmTrapException {
    long pages = ((bytes & 0xffff_ffffL) + PAGE - 1) / PAGE;
    long before = instance.call(QuickJsBinary.GROW, 0);
    if (pages > before && instance.call(QuickJsBinary.GROW, pages - before) < 0) {
      throw new WasmTrapException(
          Kind.MEMORY, "wanted %,d pages of memory, more than it may have".formatted(pages));
    }
    return 1;
  }

  /** Answers with {@code +} and JSON, or {@code -} and a message; see prelude.js. */
  private long callHost(WasmInstance instance, int arguments) throws WasmTrapException {
    QuickJs js = new QuickJs(instance, pointers.runtime(), pointers.context());
    String function = js.text(js.argument(arguments, 0));
    String json = js.text(js.argument(arguments, 1));
    instance.charge(FUEL_PER_CALL + json.length() / 16);
    String answer;
    try {
      answer = "+" + host.call(function, json);
    } catch (ScriptHostException e) {
      answer = "-" + e.getMessage();
    }
    instance.charge(answer.length() / 16);
    return js.newString(answer);
  }
}
