package dev.viesti.dispatcher.cloudevents;

/** What came in is not a CloudEvent that Viesti takes; an HTTP door answers it with 400. */
public class MalformedEventException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final String pointer;

  /**
   * @param pointer <a href="https://www.rfc-editor.org/rfc/rfc6901">JSON Pointer</a> of the member
   *     that is wrong, {@code ""} for the whole input; in binary mode it is {@code /} and the
   *     attribute's name
   * @param message what is wrong and how to put it right, in one sentence
   */
  public MalformedEventException(String pointer, String message) {
    // A sender can cause these at will: without a stack trace they cost little.
    super(message, null, false, false);
    this.pointer = pointer;
  }

  /** Where: {@code /3/source}, or {@code ""} for the whole input. */
  public String pointer() {
    return pointer;
  }
}
