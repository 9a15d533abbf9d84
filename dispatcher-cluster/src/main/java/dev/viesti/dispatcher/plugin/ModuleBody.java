package dev.viesti.dispatcher.plugin;

import dev.viesti.dispatcher.wasm.WasmInstance;
import dev.viesti.dispatcher.wasm.WasmTrapException;
import dev.viesti.protocol.event.Payload;
import dev.viesti.protocol.plugin.PluginLimits;
import java.util.List;
import java.util.function.Consumer;

/** Functions of a module, one after the other in one instance. */
record ModuleBody(PluginModule module, PluginLimits limits, List<Step> steps) implements Body {
  /** A function with its arguments. */
  record Step(String function, List<byte[]> arguments) {}

  @Override
  public int memoryPages() {
    return limits.memoryPages();
  }

  @Override
  public Reply run(HostApi api, Consumer<WasmInstance> made) throws WasmTrapException {
    WasmInstance instance = module.instantiate(limits, api, made);
    Payload last = Payload.NONE;
    for (Step step : steps) {
      byte[][] arguments = step.arguments().toArray(byte[][]::new);
      switch (module.call(instance, step.function(), arguments)) {
        case Reply.Returned(var reply) -> last = reply;
        case Reply.Failed failed -> {
          return failed;
        }
      }
    }
    return new Reply.Returned(last);
  }
}
