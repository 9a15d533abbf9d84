package dev.viesti.dispatcher.script;

import dev.viesti.dispatcher.wasm.WasmTrapException;

/**
 * How a call of a script ended, and what it used.
 *
 * @param fuelUsed at most the budget; the same for the same source, arguments and answers of the
 *     host
 * @param peakPages of 64 KiB; 5 MiB of them are room for a stack that is never in use at once
 */
public record ScriptResult(Outcome outcome, long fuelUsed, int peakPages) {
  /** How it ended. */
  public sealed interface Outcome {}

  /**
   * It returned.
   *
   * @param json the value, {@code null} if there is none
   */
  public record Returned(String json) implements Outcome {}

  /**
   * It threw, or its promise was rejected or can never settle.
   *
   * @param message of the error, with its name before it unless that is {@code Error}
   * @param line in the source, from 1, where it was thrown; 0 if unknown
   * @param column from 1; 0 if unknown
   */
  public record Threw(String message, int line, int column) implements Outcome {}

  /** A limit ended it, or the host did. */
  public record Trapped(WasmTrapException.Kind kind, String message) implements Outcome {}
}
