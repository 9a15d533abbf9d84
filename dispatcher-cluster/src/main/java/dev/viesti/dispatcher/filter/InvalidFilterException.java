package dev.viesti.dispatcher.filter;

/** A filter that cannot be used; the message says why and where, in lines and columns. */
public final class InvalidFilterException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  InvalidFilterException(String message) {
    super(message);
  }
}
