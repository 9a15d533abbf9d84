package dev.viesti.protocol.app;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.viesti.protocol.trigger.RateLimit;
import dev.viesti.protocol.trigger.RetryPolicy;
import org.jspecify.annotations.Nullable;

/**
 * What an operator sets for an app. A {@code PUT} replaces all of it; what is left out takes its
 * default.
 *
 * @param displayName for people only, at most 200 characters
 * @param concurrency executions of this app that may run at once on its owner's node, 1 to 10,000
 * @param paused when true, events are accepted and kept but nothing runs
 * @param weight 1 to 100: its share of a node's permits while apps wait for them, in proportion to
 *     the weights of those that wait
 * @param rate attempts of the app that may start in a span of time; null means no limit
 * @param retry the policy of triggers that have none of their own
 */
public record AppSettings(
    @Nullable String displayName,
    int concurrency,
    int weight,
    @Nullable RateLimit rate,
    boolean paused,
    RetryPolicy retry) {
  /** Enough to keep slow endpoints busy without letting one app take a node's sockets. */
  public static final int CONCURRENCY_DEFAULT = 64;

  /** Ten times the permits of a node's default gate: more can never be granted. */
  public static final int CONCURRENCY_MAX = 10_000;

  /** Two digits tell every share apart that anybody can want. */
  private static final int WEIGHT_MAX = 100;

  private static final int DISPLAY_NAME_MAX = 200;

  /** All defaults. */
  public static final AppSettings DEFAULT =
      new AppSettings(null, CONCURRENCY_DEFAULT, 1, null, false, RetryPolicy.DEFAULT);

  /**
   * @throws IllegalArgumentException if a value is out of its bounds
   */
  public AppSettings {
    if (displayName != null && displayName.length() > DISPLAY_NAME_MAX) {
      throw new IllegalArgumentException(
          "displayName has at most " + DISPLAY_NAME_MAX + " characters");
    }
    if (displayName != null && displayName.indexOf('\0') >= 0) {
      throw new IllegalArgumentException("displayName must not contain the character U+0000");
    }
    if (concurrency < 1 || concurrency > CONCURRENCY_MAX) {
      throw new IllegalArgumentException(
          "concurrency is 1 to " + CONCURRENCY_MAX + ", not " + concurrency);
    }
    if (weight < 1 || weight > WEIGHT_MAX) {
      throw new IllegalArgumentException("weight is 1 to " + WEIGHT_MAX + ", not " + weight);
    }
  }

  /** The same as the longer one, with weight 1 and no rate limit. */
  public AppSettings(
      @Nullable String displayName, int concurrency, boolean paused, RetryPolicy retry) {
    this(displayName, concurrency, 1, null, paused, retry);
  }

  /** What is null takes its default, as in the JSON shape. */
  public static AppSettings of(
      @Nullable String displayName,
      @Nullable Integer concurrency,
      @Nullable Boolean paused,
      @Nullable RetryPolicy retry) {
    return ofJson(displayName, concurrency, null, null, paused, retry);
  }

  /** Reads the JSON shape: every field may be missing. */
  @JsonCreator
  static AppSettings ofJson(
      @JsonProperty("displayName") @Nullable String displayName,
      @JsonProperty("concurrency") @Nullable Integer concurrency,
      @JsonProperty("weight") @Nullable Integer weight,
      @JsonProperty("rate") @Nullable RateLimit rate,
      @JsonProperty("paused") @Nullable Boolean paused,
      @JsonProperty("retry") @Nullable RetryPolicy retry) {
    return new AppSettings(
        displayName,
        concurrency == null ? CONCURRENCY_DEFAULT : concurrency,
        weight == null ? 1 : weight,
        rate,
        paused != null && paused,
        retry == null ? RetryPolicy.DEFAULT : retry);
  }

  /** The same with another weight. */
  public AppSettings withWeight(int other) {
    return new AppSettings(displayName, concurrency, other, rate, paused, retry);
  }

  /** The same with another limit of its rate; null means none. */
  public AppSettings withRate(@Nullable RateLimit other) {
    return new AppSettings(displayName, concurrency, weight, other, paused, retry);
  }
}
