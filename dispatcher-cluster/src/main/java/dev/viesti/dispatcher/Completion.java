package dev.viesti.dispatcher;

import dev.viesti.protocol.delivery.Outcome;
import org.jspecify.annotations.Nullable;

/**
 * What somebody tells of a deferred delivery.
 *
 * @param error why it failed; null when it succeeded
 * @param retry whether a failure is worth another attempt
 */
public record Completion(@Nullable String error, boolean retry) {
  /** It succeeded. */
  public static final Completion SUCCEEDED = new Completion(null, false);

  /** It failed; with {@code retry} the trigger's policy says whether and when it is tried again. */
  public static Completion failed(String error, boolean retry) {
    return new Completion(error, retry);
  }

  /** The outcome that it stands for. */
  public Outcome outcome() {
    if (error == null) {
      return Outcome.Succeeded.PLAIN;
    }
    return retry ? new Outcome.Retryable(error) : new Outcome.Permanent(error);
  }
}
