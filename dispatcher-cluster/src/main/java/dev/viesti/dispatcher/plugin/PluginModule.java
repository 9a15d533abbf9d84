package dev.viesti.dispatcher.plugin;

import dev.viesti.dispatcher.wasm.InvalidModuleException;
import dev.viesti.dispatcher.wasm.WasmInstance;
import dev.viesti.dispatcher.wasm.WasmModule;
import dev.viesti.dispatcher.wasm.WasmModule.Export;
import dev.viesti.dispatcher.wasm.WasmModule.Signature;
import dev.viesti.dispatcher.wasm.WasmModule.ValueType;
import dev.viesti.dispatcher.wasm.WasmTrapException;
import dev.viesti.protocol.event.Payload;
import dev.viesti.protocol.plugin.PluginLimits;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * A compiled module that keeps the contract of {@code docs/plugin/viesti-plugin.wit}. Immutable,
 * thread-safe.
 */
final class PluginModule {
  static final String INIT = "init";
  static final String HANDLE_EVENT = "handle-event";
  static final String ON_APP_CREATED = "on-app-created";

  /** Of modules that have something to do before anything of them is called. */
  private static final String INITIALIZE = "_initialize";

  private static final Map<String, Signature> FIXED =
      Map.of(
          INIT,
          taking(0),
          HANDLE_EVENT,
          taking(4),
          ON_APP_CREATED,
          taking(2),
          Guest.REALLOC,
          taking(4),
          INITIALIZE,
          new Signature(List.of(), List.of()));

  /** Of functions that can be invoked: a list of bytes in, a return area out. */
  private static final Signature INVOKED = taking(2);

  private static final int WORD = Integer.BYTES;

  private final WasmModule module;
  private final Map<String, Signature> exports;

  private PluginModule(WasmModule module, Map<String, Signature> exports) {
    this.module = module;
    this.exports = exports;
  }

  /** Parameters that are all words, and a pointer back. */
  private static Signature taking(int words) {
    return new Signature(Collections.nCopies(words, ValueType.I32), List.of(ValueType.I32));
  }

  /**
   * @throws InvalidModuleException saying what of the contract it does not keep
   */
  static PluginModule of(WasmModule module) throws InvalidModuleException {
    for (WasmModule.Import wanted : module.imports()) {
      HostImports.check(wanted);
    }
    var exports = new HashMap<String, Signature>();
    for (Export export : module.exports()) {
      Signature fixed = FIXED.get(export.name());
      if (fixed != null && !fixed.equals(export.signature())) {
        throw new InvalidModuleException(
            "exports %s with the type %s, but the contract has %s"
                .formatted(export.name(), export.signature(), fixed));
      }
      exports.put(export.name(), export.signature());
    }
    if (!module.hasMemory()) {
      throw new InvalidModuleException("exports no memory under the name 'memory'");
    }
    if (!exports.containsKey(Guest.REALLOC)) {
      throw new InvalidModuleException(
          "exports no cabi_realloc(i32, i32, i32, i32) -> i32, which the host allocates with");
    }
    var found = new PluginModule(module, Map.copyOf(exports));
    if (!found.exports(HANDLE_EVENT) && exports.keySet().stream().noneMatch(found::canInvoke)) {
      throw new InvalidModuleException(
          "exports neither handle-event nor a function that can be invoked: nothing could run it");
    }
    return found;
  }

  boolean exports(String name) {
    return exports.containsKey(name);
  }

  /** Whether it is a named function with a reply. */
  boolean canInvoke(String name) {
    return INVOKED.equals(exports.get(name))
        && !FIXED.containsKey(name)
        && !name.startsWith("cabi_")
        && !name.startsWith("_");
  }

  /**
   * A fresh instance, ready to be called.
   *
   * @param made told about it before anything of it runs that can call its host
   */
  WasmInstance instantiate(PluginLimits limits, HostApi api, Consumer<WasmInstance> made)
      throws WasmTrapException {
    WasmInstance instance =
        module.instantiate(
            limits.fuel(), limits.memoryPages(), HostImports.bind(module.imports(), api));
    made.accept(instance);
    if (exports(INITIALIZE)) {
      instance.call(INITIALIZE);
    }
    return instance;
  }

  /**
   * Calls a function whose parameters are texts and lists of bytes and which returns a {@code
   * result}; its {@code ok} case is empty unless the function has a reply.
   */
  Body.Reply call(WasmInstance instance, String function, byte[]... arguments)
      throws WasmTrapException {
    var guest = new Guest(instance);
    var core = new long[2 * arguments.length];
    for (int i = 0; i < arguments.length; i++) {
      core[2 * i] = guest.allocate(arguments[i], 1);
      core[2 * i + 1] = arguments[i].length;
    }
    int area = (int) instance.call(function, core);
    guest.requireAligned(area, WORD);
    boolean replies = canInvoke(function);
    return switch (guest.discriminant(area)) {
      case 0 ->
          new Body.Reply.Returned(
              replies
                  ? Payload.of(guest.bytes(guest.word(area + WORD), guest.word(area + 2 * WORD)))
                  : Payload.NONE);
      case 1 ->
          new Body.Reply.Failed(guest.text(guest.word(area + WORD), guest.word(area + 2 * WORD)));
      default -> throw Guest.broken(function + " returned neither ok nor an error");
    };
  }
}
