package dev.viesti.dispatcher.script;

/** A refusal that the script gets to see, as an {@code Error} with this message. */
public final class ScriptHostException extends Exception {
  private static final long serialVersionUID = 1L;

  public ScriptHostException(String message) {
    super(message, null, false, false);
  }
}
