package dev.viesti.ops.server;

import org.jspecify.annotations.Nullable;

/** The server could not start; the message is one sentence for whoever started it. */
public final class StartException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public StartException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
