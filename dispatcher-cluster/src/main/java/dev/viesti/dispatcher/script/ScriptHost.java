package dev.viesti.dispatcher.script;

import dev.viesti.dispatcher.wasm.WasmInstance;
import dev.viesti.dispatcher.wasm.WasmTrapException;

/**
 * What a script may do outside itself, for one call of it. Called on the thread of {@link
 * ScriptEngine#run}, one call after the other.
 *
 * <p>Every function takes its arguments as a JSON array and gives JSON back ({@code null} when it
 * has nothing to say):
 *
 * <ul>
 *   <li>{@code context.get []}: once, before the source runs. An object with {@code app}, {@code
 *       principal}, {@code permissions}, {@code deliveryId}, {@code attempt} and {@code now},
 *       milliseconds since 1970. The script's clock stands at {@code now}, and its {@code
 *       Math.random} is seeded with {@code deliveryId}.
 *   <li>{@code kv.get [key]}: the value as a string, or null. {@code kv.put [key, value]}: the
 *       value is a string, whose UTF-8 bytes are what plugins see. {@code kv.delete [key]}, {@code
 *       kv.list [prefix, …]}.
 *   <li>{@code entities.insert}, {@code entities.update}, {@code entities.delete}, {@code
 *       entities.query}, {@code numbering.next [rule]}, {@code config.get [key]}, {@code
 *       events.publish [type, data, options]}: what the script passed.
 *   <li>{@code log.trace}, {@code log.debug}, {@code log.info}, {@code log.warn}, {@code
 *       log.error}: what the script passed, the message first.
 * </ul>
 */
@FunctionalInterface
public interface ScriptHost {
  /**
   * @param argumentsJson an array; values that JSON has no words for are null in it
   * @return JSON
   * @throws ScriptHostException becomes an {@code Error} that the script may catch
   * @throws WasmTrapException ends the call at once
   */
  String call(String function, String argumentsJson) throws ScriptHostException, WasmTrapException;

  /**
   * Told about the instance of the call before anything of the script runs: for those who charge
   * fuel for what they do, or want to know what is used while it runs.
   */
  default void runsIn(WasmInstance instance) {}
}
