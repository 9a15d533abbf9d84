package dev.viesti.protocol.app;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.viesti.protocol.trigger.RetryPolicy;
import org.jspecify.annotations.Nullable;

/**
 * What an operator sets for an app. A {@code PUT} replaces all of it; what is left out takes its
 * default.
 *
 * @param displayName for people only, at most 200 characters
 * @param concurrency executions of this app that may run at once on its owner's node, 1 to 10,000
 * @param paused when true, events are accepted and kept but nothing runs
 * @param retry the policy of triggers that have none of their own
 */
public record AppSettings(
    @Nullable String displayName, int concurrency, boolean paused, RetryPolicy retry) {
  /** Enough to keep slow endpoints busy without letting one app take a node's sockets. */
  public static final int CONCURRENCY_DEFAULT = 64;

  /** Ten times the permits of a node's default gate: more can never be granted. */
  public static final int CONCURRENCY_MAX = 10_000;

  private static final int DISPLAY_NAME_MAX = 200;

  /** All defaults. */
  public static final AppSettings DEFAULT =
      new AppSettings(null, CONCURRENCY_DEFAULT, false, RetryPolicy.DEFAULT);

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
  }

  /** Reads the JSON shape: every field may be missing. */
  @JsonCreator
  public static AppSettings of(
      @JsonProperty("displayName") @Nullable String displayName,
      @JsonProperty("concurrency") @Nullable Integer concurrency,
      @JsonProperty("paused") @Nullable Boolean paused,
      @JsonProperty("retry") @Nullable RetryPolicy retry) {
    return new AppSettings(
        displayName,
        concurrency == null ? CONCURRENCY_DEFAULT : concurrency,
        paused != null && paused,
        retry == null ? RetryPolicy.DEFAULT : retry);
  }
}
