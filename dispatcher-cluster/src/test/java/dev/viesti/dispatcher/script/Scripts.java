package dev.viesti.dispatcher.script;

import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigValueFactory;
import dev.viesti.dispatcher.wasm.WasmSettings;
import dev.viesti.dispatcher.wasm.WasmTrapException;
import dev.viesti.dispatcher.wasm.endive.EndiveEngine;
import dev.viesti.protocol.plugin.PluginLimits;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** Runs a script with a host that answers what a test tells it to. */
final class Scripts implements ScriptHost {
  /** 2026-01-31T12:00:00Z, which is where every script's clock stands here. */
  static final long NOW = 1_769_860_800_000L;

  /** One for all tests: loading takes seconds, and much longer beside other builds. */
  static final ScriptEngine ENGINE =
      new ScriptEngine(
          new EndiveEngine(
              WasmSettings.from(
                  ConfigFactory.load()
                      .withValue(
                          "viesti.wasm.loading.timeout",
                          ConfigValueFactory.fromAnyRef(Duration.ofMinutes(5))))));

  /** What the script asked for, as {@code function arguments}. */
  final List<String> asked = new ArrayList<>();

  private final String deliveryId;
  private final ScriptHost answers;

  Scripts(ScriptHost answers) {
    this("d-1", answers);
  }

  Scripts(String deliveryId, ScriptHost answers) {
    this.deliveryId = deliveryId;
    this.answers = answers;
  }

  static Scripts answering(String json) {
    return new Scripts((function, arguments) -> json);
  }

  @Override
  public String call(String function, String argumentsJson)
      throws ScriptHostException, WasmTrapException {
    if (function.equals("context.get")) {
      return """
          {"app":"shop","principal":"anna","permissions":["kv"],"deliveryId":"%s","attempt":2,"now":%d}
          """
          .formatted(deliveryId, NOW);
    }
    asked.add(function + " " + argumentsJson);
    return answers.call(function, argumentsJson);
  }

  ScriptResult run(String source, ScriptArgument... arguments) {
    return run(ScriptEngine.LIMITS_DEFAULT, source, arguments);
  }

  ScriptResult run(PluginLimits limits, String source, ScriptArgument... arguments) {
    return ENGINE.run(source, "main", List.of(arguments), limits, this);
  }

  /** How a script ends that is nothing but the body of the function. */
  static ScriptResult.Outcome outcome(String body) {
    return answering("null").run("function main() { " + body + " }").outcome();
  }

  static ScriptResult.Returned returned(String json) {
    return new ScriptResult.Returned(json);
  }
}
