package dev.viesti.dispatcher.script;

/** The source cannot be a script; the message says where and why, for its author. */
public final class InvalidScriptException extends Exception {
  private static final long serialVersionUID = 1L;

  public InvalidScriptException(String message) {
    super(message);
  }
}
