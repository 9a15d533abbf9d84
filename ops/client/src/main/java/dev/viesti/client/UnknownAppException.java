package dev.viesti.client;

/**
 * The app of the events is not in Viesti's directory, so that nobody would ever run them. Nothing
 * was written, and the transaction can go on.
 */
public final class UnknownAppException extends IllegalArgumentException {
  private static final long serialVersionUID = 1L;

  UnknownAppException(String app) {
    super("there is no app '" + app + "' in Viesti: create it first");
  }
}
