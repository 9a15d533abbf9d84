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
 * @param onFailure what becomes of a key's later deliveries when one of them is given up on;
 *     without {@code orderBy} it has no effect
 * @param priority 0 to 9: among the app's deliveries that may start, those of triggers with a
 *     larger one start first
 * @param rate attempts that may start in a span of time; null means no limit
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
    OnFailure onFailure,
    int priority,
    @Nullable RateLimit rate,
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

  /** One digit: nobody can tell a hundred levels apart. */
  public static final int PRIORITY_MAX = 9;

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
    if (priority < 0 || priority > PRIORITY_MAX) {
      throw new IllegalArgumentException("priority is 0 to " + PRIORITY_MAX + ", not " + priority);
    }
  }

  /** The same as the longer one, with the defaults of what came later. */
  public Trigger(
      EventPattern on,
      @Nullable String filter,
      Target target,
      @Nullable RetryPolicy retry,
      Duration timeout,
      @Nullable Integer concurrency,
      @Nullable OrderBy orderBy,
      boolean enabled) {
    this(
        on, filter, target, retry, timeout, concurrency, orderBy, OnFailure.SKIP, 0, null, enabled);
  }

  /** What is null takes its default, as in the JSON shape. */
  public static Trigger of(
      @Nullable EventPattern on,
      @Nullable String filter,
      @Nullable Target target,
      @Nullable RetryPolicy retry,
      @Nullable Duration timeout,
      @Nullable Integer concurrency,
      @Nullable OrderBy orderBy,
      @Nullable Boolean enabled) {
    return ofJson(
        on, filter, target, retry, timeout, concurrency, orderBy, null, null, null, enabled);
  }

  /** Reads the JSON shape: only {@code target} must be there. */
  @JsonCreator
  static Trigger ofJson(
      @JsonProperty("on") @Nullable EventPattern on,
      @JsonProperty("filter") @Nullable String filter,
      @JsonProperty(value = "target", required = true) @Nullable Target target,
      @JsonProperty("retry") @Nullable RetryPolicy retry,
      @JsonProperty("timeout") @Nullable Duration timeout,
      @JsonProperty("concurrency") @Nullable Integer concurrency,
      @JsonProperty("orderBy") @Nullable OrderBy orderBy,
      @JsonProperty("onFailure") @Nullable OnFailure onFailure,
      @JsonProperty("priority") @Nullable Integer priority,
      @JsonProperty("rate") @Nullable RateLimit rate,
      @JsonProperty("enabled") @Nullable Boolean enabled) {
    if (target == null) {
      throw new IllegalArgumentException(
          "target is missing: give exactly one of webhook, plugin, script, handler, log");
    }
    return new Trigger(
        on == null ? EventPattern.ANY : on,
        filter,
        target,
        retry,
        timeout == null ? TIMEOUT_DEFAULT : timeout,
        concurrency,
        orderBy,
        onFailure == null ? OnFailure.SKIP : onFailure,
        priority == null ? 0 : priority,
        rate,
        enabled == null || enabled);
  }

  /** The same with another target. */
  public Trigger withTarget(Target other) {
    return new Trigger(
        on,
        filter,
        other,
        retry,
        timeout,
        concurrency,
        orderBy,
        onFailure,
        priority,
        rate,
        enabled);
  }

  /** The same, switched on or off. */
  public Trigger withEnabled(boolean on) {
    return new Trigger(
        this.on,
        filter,
        target,
        retry,
        timeout,
        concurrency,
        orderBy,
        onFailure,
        priority,
        rate,
        on);
  }

  /** The same with another rule for the later deliveries of a key. */
  public Trigger withOnFailure(OnFailure other) {
    return new Trigger(
        on, filter, target, retry, timeout, concurrency, orderBy, other, priority, rate, enabled);
  }

  /** The same with another priority. */
  public Trigger withPriority(int other) {
    return new Trigger(
        on, filter, target, retry, timeout, concurrency, orderBy, onFailure, other, rate, enabled);
  }

  /** The same with another limit of its rate; null means none. */
  public Trigger withRate(@Nullable RateLimit other) {
    return new Trigger(
        on,
        filter,
        target,
        retry,
        timeout,
        concurrency,
        orderBy,
        onFailure,
        priority,
        other,
        enabled);
  }
}
