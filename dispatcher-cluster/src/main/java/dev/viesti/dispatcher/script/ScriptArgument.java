package dev.viesti.dispatcher.script;

/** What a script's function gets. */
public sealed interface ScriptArgument {
  /** A value in JSON; text that is none makes the call throw a {@code SyntaxError}. */
  record Json(String text) implements ScriptArgument {}

  /** A {@code Uint8Array}. The array is not copied: leave it as it is until the call has ended. */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Bytes(byte[] bytes) implements ScriptArgument {}

  /** {@code undefined}. */
  record Nothing() implements ScriptArgument {}
}
