package dev.viesti.dispatcher.script;

import dev.viesti.dispatcher.script.QuickJsImports.Pointers;
import dev.viesti.dispatcher.wasm.InvalidModuleException;
import dev.viesti.dispatcher.wasm.WasmEngine;
import dev.viesti.dispatcher.wasm.WasmInstance;
import dev.viesti.dispatcher.wasm.WasmModule;
import dev.viesti.dispatcher.wasm.WasmTrapException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * QuickJS, compiled, with a memory in which a runtime, a context and the prelude are ready: each
 * instance begins there, and pays neither time nor fuel for it.
 */
record ScriptRuntime(WasmModule module, Pointers pointers) {
  private static final String PRELUDE = "prelude.js";

  /** Several times what it takes; ours, not a script's. */
  private static final long FUEL = 100_000_000;

  private static final int PAGES = 256;

  static ScriptRuntime load(WasmEngine engine) {
    ScriptHost none =
        (function, arguments) -> {
          throw new ScriptHostException("the prelude calls nobody");
        };
    try {
      WasmModule published = engine.load(QuickJsBinary.read());
      QuickJsImports imports = new QuickJsImports(none, new Pointers(0, 0, 0), 0);
      WasmInstance instance = published.instantiate(FUEL, PAGES, imports.functions(published));
      QuickJs js = QuickJs.start(instance);
      int prelude = js.eval(prelude(), "prelude.js", 0);
      int enter = js.apply(prelude, List.of(js.newHostFunction("host")));
      int thrown = js.exception(enter);
      if (thrown != 0) {
        throw new IllegalStateException("the prelude failed: " + js.text(thrown));
      }
      Pointers pointers = new Pointers(js.runtime(), js.context(), enter);
      return new ScriptRuntime(instance.freeze(), pointers);
    } catch (InvalidModuleException | WasmTrapException e) {
      throw new IllegalStateException("QuickJS cannot be loaded: " + e.getMessage(), e);
    }
  }

  private static String prelude() {
    try (InputStream resource = ScriptRuntime.class.getResourceAsStream(PRELUDE)) {
      if (resource == null) {
        throw new IllegalStateException(PRELUDE + " is missing from the jar");
      }
      return new String(resource.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A fresh instance; give its imports the host and the time of the call. */
  WasmInstance instantiate(long fuel, int memoryPages, ScriptHost host, double now)
      throws WasmTrapException {
    return module.instantiate(
        fuel, memoryPages, new QuickJsImports(host, pointers, now).functions(module));
  }

  QuickJs on(WasmInstance instance) {
    return new QuickJs(instance, pointers.runtime(), pointers.context());
  }
}
