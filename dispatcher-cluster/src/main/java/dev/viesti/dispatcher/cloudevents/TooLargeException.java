package dev.viesti.dispatcher.cloudevents;

/** Too many events in a batch, or one that is too large; an HTTP door answers it with 413. */
public final class TooLargeException extends MalformedEventException {
  private static final long serialVersionUID = 1L;

  /** As {@link MalformedEventException#MalformedEventException}. */
  public TooLargeException(String pointer, String message) {
    super(pointer, message);
  }
}
