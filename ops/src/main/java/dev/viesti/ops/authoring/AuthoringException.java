package dev.viesti.ops.authoring;

/** Something that the author has to change first; the message says what, and how. */
public final class AuthoringException extends Exception {
  private static final long serialVersionUID = 1L;

  public AuthoringException(String sentence) {
    super(sentence);
  }

  /** The message. */
  public String sentence() {
    return String.valueOf(getMessage());
  }
}
