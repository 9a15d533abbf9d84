package dev.viesti.persistence.embedded;

/**
 * The embedded server cannot be started, adopted or stopped. The message names the reason and the
 * next step for the person who started Viesti; there is nothing for a caller to repair.
 */
public final class EmbeddedPostgresException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  EmbeddedPostgresException(String message) {
    super(message);
  }

  EmbeddedPostgresException(String message, Throwable cause) {
    super(message, cause);
  }
}
