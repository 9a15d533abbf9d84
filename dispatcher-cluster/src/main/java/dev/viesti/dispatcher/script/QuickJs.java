package dev.viesti.dispatcher.script;

import dev.viesti.dispatcher.wasm.WasmInstance;
import dev.viesti.dispatcher.wasm.WasmTrapException;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * The C functions of QuickJS's wrapper ({@code QTS_…}) that we call, under the short names that the
 * published binary gives them. Values are pointers into the instance's memory. Nothing is freed: an
 * instance is thrown away as a whole.
 *
 * @param instance running
 * @param runtime pointer to the one {@code JSRuntime}
 * @param context pointer to the one {@code JSContext}
 */
record QuickJs(WasmInstance instance, int runtime, int context) {
  private static final String CONSTRUCTORS = "u";
  private static final String MALLOC = "v";
  private static final String SET_MAX_STACK_SIZE = "D";
  private static final String UNDEFINED = "E";
  private static final String NEW_RUNTIME = "K";
  private static final String NEW_CONTEXT = "N";
  private static final String NEW_ARRAY_BUFFER = "X";
  private static final String NEW_STRING = "_";
  private static final String GET_STRING = "$";
  private static final String EXECUTE_PENDING_JOB = "ga";
  private static final String CALL = "ma";
  private static final String RESOLVE_EXCEPTION = "na";
  private static final String EVAL = "pa";
  private static final String NEW_FUNCTION = "Da";
  private static final String ARGUMENT = "Ea";

  /** Compile, do not run. */
  static final int COMPILE_ONLY = 1 << 5;

  /**
   * Bytes of the module's own stack that JavaScript may use: some 370 calls within one another,
   * which fit into a thread's stack of 1 MiB. More would let the thread's stack end first, in a
   * trap instead of an error, and not always at the same depth.
   */
  private static final int STACK_BYTES = 64 << 10;

  private static final int PAGE = 1 << 16;
  private static final int CHUNK = 1 << 10;

  /** The first thing to do in a fresh memory. */
  static QuickJs start(WasmInstance instance) throws WasmTrapException {
    instance.call(QuickJsBinary.START);
    instance.call(CONSTRUCTORS);
    long runtime = instance.call(NEW_RUNTIME);
    instance.call(SET_MAX_STACK_SIZE, runtime, STACK_BYTES);
    long context = instance.call(NEW_CONTEXT, runtime, 0);
    return new QuickJs(instance, (int) runtime, (int) context);
  }

  /**
   * @param file how positions in errors name the source
   * @return a value, or a pointer to an exception: see {@link #exception}
   */
  int eval(String source, String file, int flags) throws WasmTrapException {
    byte[] bytes = source.getBytes(StandardCharsets.UTF_8);
    return call(EVAL, context, string(bytes), bytes.length, string(utf8(file)), 0, flags);
  }

  int apply(int function, List<Integer> arguments) throws WasmTrapException {
    int pointers = malloc(Math.max(1, arguments.size()) * Integer.BYTES);
    for (int i = 0; i < arguments.size(); i++) {
      instance.writeInt(pointers + i * Integer.BYTES, arguments.get(i));
    }
    return call(CALL, context, function, call(UNDEFINED), arguments.size(), pointers);
  }

  /** What was thrown, if the value says that something was; otherwise 0. */
  int exception(int value) throws WasmTrapException {
    return call(RESOLVE_EXCEPTION, context, value);
  }

  /**
   * Runs what promises have waiting, until nothing waits.
   *
   * @return as {@link #eval}
   */
  int runJobs() throws WasmTrapException {
    return call(EXECUTE_PENDING_JOB, runtime, -1, malloc(Integer.BYTES));
  }

  int undefined() throws WasmTrapException {
    return call(UNDEFINED);
  }

  /** A JavaScript string; a NUL ends it. */
  int newString(String text) throws WasmTrapException {
    return call(NEW_STRING, context, string(utf8(text)));
  }

  int newArrayBuffer(byte[] bytes) throws WasmTrapException {
    int pointer = malloc(Math.max(1, bytes.length));
    instance.write(pointer, bytes);
    return call(NEW_ARRAY_BUFFER, context, pointer, bytes.length);
  }

  /** A function whose calls arrive at the host's import. */
  int newHostFunction(String name) throws WasmTrapException {
    return call(NEW_FUNCTION, context, string(utf8(name)), 2, 0, 1);
  }

  int argument(int arguments, int index) throws WasmTrapException {
    return call(ARGUMENT, arguments, index);
  }

  /** Its text, up to a NUL. */
  String text(int value) throws WasmTrapException {
    int address = call(GET_STRING, context, value);
    long end = (long) instance.peakPages() * PAGE;
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    while (true) {
      int length = (int) Math.min(CHUNK, end - Integer.toUnsignedLong(address));
      byte[] chunk = instance.read(address, length);
      for (int i = 0; i < chunk.length; i++) {
        if (chunk[i] == 0) {
          bytes.write(chunk, 0, i);
          return bytes.toString(StandardCharsets.UTF_8);
        }
      }
      if (length <= 0) {
        throw new WasmTrapException(WasmTrapException.Kind.CONTRACT, "a string has no end");
      }
      bytes.writeBytes(chunk);
      address += length;
    }
  }

  private int string(byte[] utf8) throws WasmTrapException {
    int pointer = malloc(utf8.length + 1);
    instance.write(pointer, utf8);
    instance.writeByte(pointer + utf8.length, 0);
    return pointer;
  }

  private int malloc(int bytes) throws WasmTrapException {
    int pointer = call(MALLOC, bytes);
    if (pointer == 0) {
      throw new WasmTrapException(WasmTrapException.Kind.MEMORY, "has no memory left");
    }
    return pointer;
  }

  private int call(String export, long... arguments) throws WasmTrapException {
    return (int) instance.call(export, arguments);
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
