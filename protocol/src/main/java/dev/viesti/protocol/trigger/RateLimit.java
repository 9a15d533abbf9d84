package dev.viesti.protocol.trigger;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * At most {@code permits} attempts start in any span of length {@code per}, wherever it begins: not
 * an average.
 *
 * @param permits 1 to 100,000
 * @param per 1 ms to 1 hour
 */
public record RateLimit(int permits, Duration per) {
  /** The owner remembers the start of each of them: 8 bytes. */
  private static final int PERMITS_MAX = 100_000;

  private static final Duration PER_MIN = Duration.ofMillis(1);

  /** The longest span that a limit may be for. */
  public static final Duration PER_MAX = Duration.ofHours(1);

  /**
   * @throws IllegalArgumentException naming the field that is out of its bounds
   */
  public RateLimit {
    if (permits < 1 || permits > PERMITS_MAX) {
      throw new IllegalArgumentException(
          "rate.permits is 1 to " + PERMITS_MAX + ", not " + permits);
    }
    if (per.compareTo(PER_MIN) < 0 || per.compareTo(PER_MAX) > 0) {
      throw new IllegalArgumentException("rate.per is 1ms to 1h");
    }
  }

  /** Reads the JSON shape {@code {"permits": 100, "per": "1s"}}; a missing {@code per} is 1 s. */
  @JsonCreator
  public static RateLimit of(
      @JsonProperty(value = "permits", required = true) int permits,
      @JsonProperty("per") @Nullable Duration per) {
    return new RateLimit(permits, per == null ? Duration.ofSeconds(1) : per);
  }
}
