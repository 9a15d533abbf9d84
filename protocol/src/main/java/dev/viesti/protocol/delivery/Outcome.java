package dev.viesti.protocol.delivery;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** How an attempt ended. */
public sealed interface Outcome {
  /**
   * What a target's endpoint answered, for the operator.
   *
   * @param status HTTP status
   * @param body the first 4 KiB of the body, as text
   */
  record Response(int status, String body) {}

  /** The word in metrics, the stream and the attempt log. */
  String word();

  /** Done. */
  record Succeeded(@Nullable Response response) implements Outcome {
    /** Done, with nothing to show. */
    public static final Succeeded PLAIN = new Succeeded(null);

    @Override
    public String word() {
      return "succeeded";
    }
  }

  /**
   * Failed, and worth another attempt.
   *
   * @param retryAfter the endpoint's wish for the least delay
   */
  record Retryable(String reason, @Nullable Duration retryAfter, @Nullable Response response)
      implements Outcome {
    public Retryable(String reason) {
      this(reason, null, null);
    }

    @Override
    public String word() {
      return "retryable";
    }
  }

  /**
   * Failed, and another attempt would fail as well.
   *
   * @param disablesTrigger the endpoint said that it is gone for good (HTTP 410)
   */
  record Permanent(String reason, boolean disablesTrigger, @Nullable Response response)
      implements Outcome {
    public Permanent(String reason) {
      this(reason, false, null);
    }

    @Override
    public String word() {
      return "permanent";
    }
  }

  /**
   * The target was not called, because calling it now would be in vain: it does not count as an
   * attempt.
   *
   * @param by how long until it may be worth trying
   */
  record Postponed(String reason, Duration by) implements Outcome {
    @Override
    public String word() {
      return "postponed";
    }
  }

  /** Had not ended when its time was up; whether it took effect is unknown. */
  record TimedOut(Duration after) implements Outcome {
    @Override
    public String word() {
      return "timed_out";
    }
  }
}
