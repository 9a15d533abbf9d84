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

  /**
   * The target wants to be called again later; it does not count as an attempt.
   *
   * @param by 0 to {@link #WAIT_MAX}
   */
  record Snoozed(Duration by) implements Outcome {
    /**
     * @throws IllegalArgumentException when {@code by} is out of its bounds
     */
    public Snoozed {
      requireWait("by", by);
    }

    @Override
    public String word() {
      return "snoozed";
    }
  }

  /**
   * The attempt goes on without the target: somebody will say how it ended, by the delivery's id.
   * At the deadline it counts as timed out.
   *
   * @param deadline from the end of the call, 0 to {@link #WAIT_MAX}
   */
  record Deferred(Duration deadline) implements Outcome {
    /**
     * @throws IllegalArgumentException when {@code deadline} is out of its bounds
     */
    public Deferred {
      requireWait("deadline", deadline);
    }

    @Override
    public String word() {
      return "deferred";
    }
  }

  /** Had not ended when its time was up; whether it took effect is unknown. */
  record TimedOut(Duration after) implements Outcome {
    @Override
    public String word() {
      return "timed_out";
    }
  }

  /** The node went away while the attempt ran; whether it took effect is unknown. */
  record Crashed() implements Outcome {
    /** What the attempt log and the dead letter say. */
    public static final String REASON = "the node went away while the attempt ran";

    @Override
    public String word() {
      return "crashed";
    }
  }

  /** A year: longer is a mistake of units, not a plan. */
  Duration WAIT_MAX = Duration.ofDays(366);

  private static void requireWait(String name, Duration wait) {
    if (wait.isNegative() || wait.compareTo(WAIT_MAX) > 0) {
      throw new IllegalArgumentException(
          name + " is 0 to " + WAIT_MAX.toDays() + " days, not " + wait);
    }
  }
}
