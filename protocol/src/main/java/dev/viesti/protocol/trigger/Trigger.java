package dev.viesti.protocol.trigger;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * An app's rule: which events run which target. Its id is not part of it.
 *
 * @param filter a CEL expression over the event that must be true, at most 4,096 characters; null
 *     means every event that fits {@code on}
 * @param retry null means the app's policy
 * @param timeout the longest an attempt may take, 10 ms to 15 minutes
 * @param concurrency executions of this trigger that may run at once, 1 to 10,000; null means as
 *     many as the app may have
 * @param orderBy the attribute whose equal values are delivered strictly one after the other, in
 *     the order of acceptance; null means no order
 * @param enabled when false, the trigger matches nothing; what it has waiting stays waiting
 */
public record Trigger(
    EventPattern on,
    @Nullable String filter,
    Target target,
    @Nullable RetryPolicy retry,
    Duration timeout,
    @Nullable Integer concurrency,
    @Nullable OrderBy orderBy,
    boolean enabled) {
  /** The upper end of what webhook senders use (Standard Webhooks recommends 15 to 30 s). */
  public static final Duration TIMEOUT_DEFAULT = Duration.ofSeconds(30);

  /**
   * Below it a local server's scheduling decides; above it work should be deferred, not awaited.
   */
  private static final Duration TIMEOUT_MIN = Duration.ofMillis(10);

  private static final Duration TIMEOUT_MAX = Duration.ofMinutes(15);
  private static final int FILTER_MAX = 4_096;
  private static final int CONCURRENCY_MAX = 10_000;

  /**
   * @throws IllegalArgumentException naming the field that is out of its bounds
   */
  public Trigger {
    if (filter != null && (filter.isBlank() || filter.length() > FILTER_MAX)) {
      throw new IllegalArgumentException("filter has 1 to " + FILTER_MAX + " characters");
    }
    if (timeout.compareTo(TIMEOUT_MIN) < 0 || timeout.compareTo(TIMEOUT_MAX) > 0) {
      throw new IllegalArgumentException("timeout is 10ms to 15m");
    }
    if (concurrency != null && (concurrency < 1 || concurrency > CONCURRENCY_MAX)) {
      throw new IllegalArgumentException(
          "concurrency is 1 to " + CONCURRENCY_MAX + ", not " + concurrency);
    }
  }

  /** Reads the JSON shape: only {@code target} must be there. */
  @JsonCreator
  public static Trigger of(
      @JsonProperty("on") @Nullable EventPattern on,
      @JsonProperty("filter") @Nullable String filter,
      @JsonProperty(value = "target", required = true) @Nullable Target target,
      @JsonProperty("retry") @Nullable RetryPolicy retry,
      @JsonProperty("timeout") @Nullable Duration timeout,
      @JsonProperty("concurrency") @Nullable Integer concurrency,
      @JsonProperty("orderBy") @Nullable OrderBy orderBy,
      @JsonProperty("enabled") @Nullable Boolean enabled) {
    if (target == null) {
      throw new IllegalArgumentException(
          "target is missing: give exactly one of webhook, handler, log");
    }
    return new Trigger(
        on == null ? EventPattern.ANY : on,
        filter,
        target,
        retry,
        timeout == null ? TIMEOUT_DEFAULT : timeout,
        concurrency,
        orderBy,
        enabled == null || enabled);
  }

  /** The same with another target. */
  public Trigger withTarget(Target other) {
    return new Trigger(on, filter, other, retry, timeout, concurrency, orderBy, enabled);
  }

  /** The same, switched on or off. */
  public Trigger withEnabled(boolean on) {
    return new Trigger(this.on, filter, target, retry, timeout, concurrency, orderBy, on);
  }
}
