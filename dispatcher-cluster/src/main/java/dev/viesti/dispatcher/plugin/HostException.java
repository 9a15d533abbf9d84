package dev.viesti.dispatcher.plugin;

/** The host will not do what a plugin asked for; the message is the plugin's {@code error}. */
public final class HostException extends Exception {
  private static final long serialVersionUID = 1L;

  public HostException(String message) {
    super(message, null, false, false);
  }
}
