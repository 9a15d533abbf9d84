package dev.viesti.dispatcher;

import com.typesafe.config.Config;
import java.time.Duration;

/**
 * Limits of a node, from {@code viesti.node}, {@code writer} and {@code settler}; see
 * reference.conf.
 */
record NodeSettings(
    int permits,
    int connections,
    int transactions,
    int pluginReads,
    Duration connectionPatience,
    Duration askTimeout,
    Duration sweepInterval,
    Duration idempotencyRetention,
    Duration moduleRetention,
    int triggersMax,
    long writerQueueBytesMax,
    long writerGroupBytesMax,
    Duration writerGather,
    Duration settlerPause) {
  /**
   * @throws IllegalArgumentException naming the key that is out of its bounds
   */
  NodeSettings {
    require(permits >= 1 && permits <= 100_000, "node.permits is 1 to 100,000");
    require(connections >= 4, "node.connections is 4 or more");
    require(transactions >= 1, "node.transactions is 1 or more");
    require(pluginReads >= 1, "node.plugin-reads is 1 or more");
    atLeast(connectionPatience, Duration.ofMillis(250), "node.connection-patience");
    atLeast(askTimeout, Duration.ofMillis(100), "node.ask-timeout");
    atLeast(sweepInterval, Duration.ofSeconds(1), "node.sweep-interval");
    atLeast(idempotencyRetention, Duration.ofMinutes(1), "node.idempotency-retention");
    atLeast(moduleRetention, Duration.ofMinutes(10), "node.module-retention");
    require(triggersMax >= 1 && triggersMax <= 10_000, "node.triggers-max is 1 to 10,000");
    require(writerQueueBytesMax >= 1 << 20, "writer.queue-bytes-max is 1 MiB or more");
    require(
        writerGroupBytesMax >= 64 << 10 && writerGroupBytesMax <= writerQueueBytesMax,
        "writer.group-bytes-max is 64 KiB to queue-bytes-max");
    require(
        !writerGather.isNegative() && writerGather.compareTo(Duration.ofMillis(10)) <= 0,
        "writer.gather is 0 to 10 ms");
    require(
        !settlerPause.isNegative() && settlerPause.compareTo(Duration.ofSeconds(1)) <= 0,
        "settler.pause is 0 to 1 s");
  }

  static NodeSettings from(Config config) {
    Config own = config.getConfig("viesti");
    return new NodeSettings(
        own.getInt("node.permits"),
        own.getInt("node.connections"),
        own.getInt("node.transactions"),
        own.getInt("node.plugin-reads"),
        own.getDuration("node.connection-patience"),
        own.getDuration("node.ask-timeout"),
        own.getDuration("node.sweep-interval"),
        own.getDuration("node.idempotency-retention"),
        own.getDuration("node.module-retention"),
        own.getInt("node.triggers-max"),
        own.getBytes("writer.queue-bytes-max"),
        own.getBytes("writer.group-bytes-max"),
        own.getDuration("writer.gather"),
        own.getDuration("settler.pause"));
  }

  private static void atLeast(Duration value, Duration least, String key) {
    require(value.compareTo(least) >= 0, key + " is " + least.toMillis() + " ms or more");
  }

  private static void require(boolean holds, String rule) {
    if (!holds) {
      throw new IllegalArgumentException("viesti." + rule);
    }
  }
}
