package dev.viesti.dispatcher.target.webhook;

import com.typesafe.config.Config;
import java.time.Duration;
import java.util.List;

/**
 * The block {@code viesti.webhook}; every key is described in {@code reference.conf}.
 *
 * @param responseBodyKept bytes of a response that are kept for the operator, 0 to 65,536
 */
public record WebhookSettings(Pool pool, int responseBodyKept, Reach reach, Breaker breaker) {
  /** No response is read further than this, whatever is kept of it. */
  static final int RESPONSE_BODY_READ_MAX = 64 * 1_024;

  /**
   * Connections to endpoints.
   *
   * @param connectTimeout for name lookup, TCP and TLS each, 1 ms to 5 min
   * @param connectionsMax to all endpoints together, at least 1
   * @param connectionsPerRouteMax to one endpoint, 1 to {@code connectionsMax}
   * @param idleEvict an unused connection is closed after this, at least 1 s
   */
  public record Pool(
      Duration connectTimeout, int connectionsMax, int connectionsPerRouteMax, Duration idleEvict) {
    public Pool {
      require(
          isWithin(connectTimeout, Duration.ofMillis(1), Duration.ofMinutes(5)),
          "connect-timeout is 1 ms to 5 min");
      require(connectionsMax >= 1, "connections-max is at least 1");
      require(
          connectionsPerRouteMax >= 1 && connectionsPerRouteMax <= connectionsMax,
          "connections-per-route-max is 1 to connections-max");
      require(
          isWithin(idleEvict, Duration.ofSeconds(1), Duration.ofHours(1)),
          "idle-evict is 1 s to 1 h");
    }
  }

  /**
   * Which addresses may be called besides the public ones.
   *
   * @param allowPrivateTargets all of them: for laptops and closed networks
   * @param allowList host names ({@code hooks.internal}), addresses and CIDR blocks ({@code
   *     10.1.0.0/16})
   */
  public record Reach(boolean allowPrivateTargets, List<String> allowList) {
    public Reach {
      allowList = List.copyOf(allowList);
      require(allowList.size() <= 1_000, "allow-list has at most 1,000 entries");
      AllowList.parse(allowList);
    }
  }

  /**
   * When an endpoint that fails is left alone.
   *
   * @param failures consecutive ones that open the breaker, 1 to 10,000
   * @param backoff how long it stays open at first, at least 1 ms
   * @param backoffMax how long at most; the time doubles with each probe that fails
   */
  public record Breaker(int failures, Duration backoff, Duration backoffMax) {
    public Breaker {
      require(failures >= 1 && failures <= 10_000, "breaker.failures is 1 to 10,000");
      require(
          isWithin(backoff, Duration.ofMillis(1), Duration.ofHours(1)),
          "breaker.backoff is 1 ms to 1 h");
      require(
          isWithin(backoffMax, backoff, Duration.ofHours(24)),
          "breaker.backoff-max is breaker.backoff to 24 h");
    }
  }

  public WebhookSettings {
    require(
        responseBodyKept >= 0 && responseBodyKept <= RESPONSE_BODY_READ_MAX,
        "response-body-kept is 0 to " + RESPONSE_BODY_READ_MAX);
  }

  /**
   * @param webhook the block {@code viesti.webhook}
   * @throws IllegalArgumentException naming the key whose value is out of bounds
   */
  public static WebhookSettings from(Config webhook) {
    return new WebhookSettings(
        new Pool(
            webhook.getDuration("connect-timeout"),
            webhook.getInt("connections-max"),
            webhook.getInt("connections-per-route-max"),
            webhook.getDuration("idle-evict")),
        Math.toIntExact(webhook.getBytes("response-body-kept")),
        new Reach(webhook.getBoolean("allow-private-targets"), webhook.getStringList("allow-list")),
        new Breaker(
            webhook.getInt("breaker.failures"),
            webhook.getDuration("breaker.backoff"),
            webhook.getDuration("breaker.backoff-max")));
  }

  private static boolean isWithin(Duration value, Duration min, Duration max) {
    return value.compareTo(min) >= 0 && value.compareTo(max) <= 0;
  }

  private static void require(boolean holds, String rule) {
    if (!holds) {
      throw new IllegalArgumentException("viesti.webhook." + rule);
    }
  }
}
