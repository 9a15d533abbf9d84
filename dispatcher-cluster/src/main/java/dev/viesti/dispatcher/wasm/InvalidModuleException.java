package dev.viesti.dispatcher.wasm;

/** The bytes are no module that may run here; the message says why, for the module's author. */
public final class InvalidModuleException extends Exception {
  private static final long serialVersionUID = 1L;

  public InvalidModuleException(String message) {
    super(message);
  }
}
