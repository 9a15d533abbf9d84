package dev.viesti.dispatcher.plugin;

import dev.viesti.dispatcher.script.ScriptArgument;
import dev.viesti.dispatcher.script.ScriptEngine;
import dev.viesti.dispatcher.script.ScriptResult;
import dev.viesti.dispatcher.wasm.WasmInstance;
import dev.viesti.dispatcher.wasm.WasmTrapException;
import dev.viesti.protocol.event.Payload;
import java.util.List;
import java.util.function.Consumer;

/** One function of a script. */
record ScriptBody(ScriptEngine engine, TriggerScript script, List<ScriptArgument> arguments)
    implements Body {
  @Override
  public int memoryPages() {
    return script.limits().memoryPages();
  }

  @Override
  public Reply run(HostApi api, Consumer<WasmInstance> made) throws WasmTrapException {
    ScriptResult result =
        engine.run(
            script.source(),
            script.function(),
            arguments,
            script.limits(),
            new ScriptHostAdapter(api, made));
    return switch (result.outcome()) {
      case ScriptResult.Returned(var json) -> new Reply.Returned(Payload.ofJson(json));
      case ScriptResult.Threw(var message, var line, var column) ->
          new Reply.Failed(
              line == 0 ? message : "%s (line %d, column %d)".formatted(message, line, column));
      case ScriptResult.Trapped(var kind, var message) ->
          throw new WasmTrapException(kind, message);
    };
  }
}
