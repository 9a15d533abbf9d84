package dev.viesti.dispatcher.script;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.viesti.dispatcher.script.ScriptResult.Outcome;
import dev.viesti.dispatcher.script.ScriptResult.Returned;
import dev.viesti.dispatcher.script.ScriptResult.Threw;
import dev.viesti.dispatcher.script.ScriptResult.Trapped;
import dev.viesti.dispatcher.wasm.WasmEngine;
import dev.viesti.dispatcher.wasm.WasmInstance;
import dev.viesti.dispatcher.wasm.WasmTrapException;
import dev.viesti.dispatcher.wasm.WasmTrapException.Kind;
import dev.viesti.protocol.plugin.PluginLimits;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Runs scripts. Thread-safe; QuickJS is loaded once, when it is first needed, which takes seconds,
 * and many on a busy machine: give it an engine whose loading may take a minute. When loading
 * fails, the call ends with an {@code IllegalStateException}, and the next one tries again.
 *
 * <p>Call it on threads with a stack of 1 MiB or more. With less, deep recursion ends in a trap
 * where it could be an error of the script.
 */
public final class ScriptEngine {
  /** Of a source, in UTF-8: 256 KiB. All of it is parsed for each call. */
  public static final int SOURCE_BYTES_MAX = 256 << 10;

  /**
   * Ten times what a plugin has, because a script is interpreted: one step of it takes 20 to a few
   * hundred units. Enough to parse a large script, or for about a hundred thousand turns of a loop.
   */
  public static final PluginLimits LIMITS_DEFAULT =
      new PluginLimits(
          10 * PluginLimits.FUEL_DEFAULT,
          PluginLimits.TIMEOUT_DEFAULT,
          PluginLimits.MEMORY_PAGES_DEFAULT);

  private static final String FILE = "script.js";
  private static final Pattern NAME = Pattern.compile("[A-Za-z_$][A-Za-z0-9_$]{0,127}");
  private static final ObjectMapper JSON = new ObjectMapper();

  private final WasmEngine engine;
  private final AtomicReference<@Nullable CompletableFuture<ScriptRuntime>> runtime =
      new AtomicReference<>();

  public ScriptEngine(WasmEngine engine) {
    this.engine = engine;
  }

  /**
   * Runs the source, then one function of it, in an instance of its own. An interrupt of the thread
   * ends it soon: that is how the caller keeps {@link PluginLimits#timeout}, which nobody watches
   * here.
   *
   * @param function a name of up to 128 letters, digits, {@code _} and {@code $}
   * @throws IllegalArgumentException when the source is too large or the name is none
   */
  public ScriptResult run(
      String source,
      String function,
      List<ScriptArgument> arguments,
      PluginLimits limits,
      ScriptHost host) {
    if (tooLarge(source)) {
      throw new IllegalArgumentException("a source has at most 256 KiB");
    }
    if (!NAME.matcher(function).matches()) {
      throw new IllegalArgumentException("no name of a function: " + function);
    }
    ScriptRuntime loaded = runtime();
    WasmInstance instance = null;
    Outcome outcome;
    try {
      String context = host.call("context.get", "[]");
      instance = loaded.instantiate(limits.fuel(), limits.memoryPages(), host, now(context));
      host.runsIn(instance);
      QuickJs js = loaded.on(instance);
      int enter = loaded.pointers().enter();
      outcome = evaluate(js, enter, context, source);
      if (outcome == null) {
        outcome = call(js, enter, function, arguments);
      }
    } catch (ScriptHostException e) {
      outcome = new Trapped(Kind.HOST, "the call has no context: " + e.getMessage());
    } catch (WasmTrapException e) {
      outcome = new Trapped(e.kind(), String.valueOf(e.getMessage()));
    }
    return instance == null
        ? new ScriptResult(outcome, 0, 0)
        : new ScriptResult(outcome, instance.fuelUsed(), instance.peakPages());
  }

  /** Says no to what cannot be parsed. Runs nothing of it. */
  public void check(String source) throws InvalidScriptException {
    if (tooLarge(source)) {
      throw new InvalidScriptException(
          "has more than %,d bytes of UTF-8".formatted(SOURCE_BYTES_MAX));
    }
    ScriptHost none =
        (function, arguments) -> {
          throw new ScriptHostException("nothing runs");
        };
    ScriptRuntime loaded = runtime();
    try {
      WasmInstance instance =
          loaded.instantiate(LIMITS_DEFAULT.fuel(), LIMITS_DEFAULT.memoryPages(), none, 0);
      QuickJs js = loaded.on(instance);
      int thrown = js.exception(js.eval(source, FILE, QuickJs.COMPILE_ONLY));
      if (thrown != 0) {
        Threw threw = threw(js.text(describe(js, loaded.pointers().enter(), thrown)));
        throw new InvalidScriptException(
            "%d:%d: %s".formatted(threw.line(), threw.column(), threw.message()));
      }
    } catch (WasmTrapException e) {
      throw new InvalidScriptException("cannot be parsed within the limits: " + e.getMessage());
    }
  }

  /** What went wrong, if anything did. */
  private static @Nullable Outcome evaluate(QuickJs js, int enter, String context, String source)
      throws WasmTrapException {
    int begun = js.apply(enter, List.of(js.newString("begin"), js.newString(context)));
    int thrown = js.exception(begun);
    if (thrown != 0) {
      throw new WasmTrapException(Kind.HOST, "the context is no object in JSON");
    }
    thrown = js.exception(js.eval(source, FILE, 0));
    return thrown == 0 ? null : threw(js.text(describe(js, enter, thrown)));
  }

  private static Outcome call(
      QuickJs js, int enter, String function, List<ScriptArgument> arguments)
      throws WasmTrapException {
    List<Integer> values = new ArrayList<>();
    values.add(js.newString("call"));
    values.add(js.newString(function));
    for (ScriptArgument argument : arguments) {
      values.add(
          switch (argument) {
            case ScriptArgument.Json(String text) -> js.newString(text);
            case ScriptArgument.Bytes(byte[] bytes) -> js.newArrayBuffer(bytes);
            case ScriptArgument.Nothing() -> js.undefined();
          });
    }
    int thrown = js.exception(js.apply(enter, values));
    if (thrown == 0) {
      thrown = js.exception(js.runJobs());
    }
    if (thrown != 0) {
      return threw(js.text(describe(js, enter, thrown)));
    }
    String outcome = js.text(js.apply(enter, List.of(js.newString("outcome"))));
    String rest = outcome.substring(1);
    return switch (outcome.charAt(0)) {
      case '+' -> new Returned(rest);
      case '-' -> threw(rest);
      default -> new Threw("the promise that it returned can never settle", 0, 0);
    };
  }

  private static int describe(QuickJs js, int enter, int thrown) throws WasmTrapException {
    return js.apply(enter, List.of(js.newString("describe"), thrown));
  }

  private static Threw threw(String json) throws WasmTrapException {
    JsonNode error = parse(json);
    return new Threw(
        error.path("message").asText(), error.path("line").asInt(), error.path("column").asInt());
  }

  private static double now(String context) throws WasmTrapException {
    JsonNode now = parse(context).path("now");
    if (!now.isNumber()) {
      throw new WasmTrapException(Kind.HOST, "the context has no now in milliseconds");
    }
    return now.asDouble();
  }

  private static JsonNode parse(String json) throws WasmTrapException {
    try {
      return JSON.readTree(json);
    } catch (JsonProcessingException e) {
      throw new WasmTrapException(Kind.CONTRACT, "expected JSON: " + e.getOriginalMessage());
    }
  }

  private static boolean tooLarge(String source) {
    return source.length() > SOURCE_BYTES_MAX
        || source.getBytes(StandardCharsets.UTF_8).length > SOURCE_BYTES_MAX;
  }

  /**
   * Begins to load QuickJS, unless it is there or on its way.
   *
   * @param blocking where it is loaded
   * @return done when scripts run without having to wait; fails with an {@code
   *     IllegalStateException}, after which the next call tries again
   */
  public CompletableFuture<?> prepare(Executor blocking) {
    return loading(blocking);
  }

  private ScriptRuntime runtime() {
    try {
      return loading(Runnable::run).join();
    } catch (CompletionException failed) {
      throw new IllegalStateException(failed.getMessage(), failed);
    }
  }

  private CompletableFuture<ScriptRuntime> loading(Executor blocking) {
    var own = new CompletableFuture<ScriptRuntime>();
    while (true) {
      CompletableFuture<ScriptRuntime> known = runtime.get();
      if (known != null && !known.isCompletedExceptionally()) {
        return known;
      }
      if (runtime.compareAndSet(known, own)) {
        try {
          return own.completeAsync(() -> ScriptRuntime.load(engine), blocking);
        } catch (RejectedExecutionException closed) {
          own.completeExceptionally(new IllegalStateException("QuickJS cannot be loaded", closed));
          return own;
        }
      }
    }
  }
}
