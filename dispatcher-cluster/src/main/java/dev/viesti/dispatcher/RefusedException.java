package dev.viesti.dispatcher;

/** How a stage of {@link Viesti} fails when the answer is a {@link Refusal}. Has no stack trace. */
public final class RefusedException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final transient Refusal refusal;

  public RefusedException(Refusal refusal) {
    super(refusal.detail(), null, false, false);
    this.refusal = refusal;
  }

  static RefusedException notFound(String detail) {
    return new RefusedException(new Refusal.NotFound(detail));
  }

  public Refusal refusal() {
    return refusal;
  }
}
