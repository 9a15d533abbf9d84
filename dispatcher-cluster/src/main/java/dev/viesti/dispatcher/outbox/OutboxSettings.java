package dev.viesti.dispatcher.outbox;

import com.typesafe.config.Config;
import java.time.Duration;

/**
 * Limits of one owner, from {@code viesti.outbox}; reference.conf says what each is for.
 *
 * @param windowRows rows that an owner holds in memory
 * @param windowBytes what they may weigh
 * @param reserveBytes what rows may weigh, beside those, that pass others because of their priority
 * @param pageRows rows read at a time
 * @param pendingMax rows that may wait in the table
 * @param horizon how far ahead rows with a time of their own are held in memory
 * @param drainDeadline how long running executions may take to end when the owner stops
 * @param idleAfter an owner with nothing to do for so long lets its app passivate
 * @param claimWaitingMax events that wait while the owner claims its epoch
 * @param crashesMax attempts during which the node went away before a delivery is given up
 * @param retryInMemory a retry due within this is not written at once
 * @param clientRowsInterval how often the owner looks for rows of clients without being told
 */
public record OutboxSettings(
    int windowRows,
    long windowBytes,
    long reserveBytes,
    int pageRows,
    long pendingMax,
    Duration horizon,
    Duration drainDeadline,
    Duration idleAfter,
    int claimWaitingMax,
    int crashesMax,
    Duration retryInMemory,
    Duration clientRowsInterval) {
  /**
   * @throws IllegalArgumentException naming the key that is out of its bounds
   */
  public OutboxSettings {
    require(windowRows >= 100, "window-rows is 100 or more");
    require(windowBytes >= 1 << 20, "window-bytes is 1 MiB or more");
    require(reserveBytes >= 0 && reserveBytes <= windowBytes, "reserve-bytes is 0 to window-bytes");
    require(pageRows >= 10 && pageRows <= windowRows / 2, "page-rows is 10 to half of window-rows");
    require(pendingMax >= windowRows, "pending-max is window-rows or more");
    require(horizon.compareTo(Duration.ofSeconds(1)) >= 0, "horizon is 1 s or more");
    require(!drainDeadline.isNegative(), "drain-deadline is 0 or more");
    require(idleAfter.compareTo(Duration.ofSeconds(1)) >= 0, "idle-after is 1 s or more");
    require(claimWaitingMax >= 1, "claim-waiting-max is 1 or more");
    require(crashesMax >= 1 && crashesMax <= 20, "crashes-max is 1 to 20");
    require(
        !retryInMemory.isNegative() && retryInMemory.compareTo(Duration.ofSeconds(10)) <= 0,
        "retry-in-memory is 0 to 10 s");
    require(
        clientRowsInterval.compareTo(Duration.ofMillis(100)) >= 0,
        "client-rows-interval is 100 ms or more");
  }

  /** Reads {@code viesti.outbox}. */
  public static OutboxSettings from(Config config) {
    Config own = config.getConfig("viesti.outbox");
    return new OutboxSettings(
        own.getInt("window-rows"),
        own.getBytes("window-bytes"),
        own.getBytes("reserve-bytes"),
        own.getInt("page-rows"),
        own.getLong("pending-max"),
        own.getDuration("horizon"),
        own.getDuration("drain-deadline"),
        own.getDuration("idle-after"),
        own.getInt("claim-waiting-max"),
        own.getInt("crashes-max"),
        own.getDuration("retry-in-memory"),
        own.getDuration("client-rows-interval"));
  }

  private static void require(boolean holds, String rule) {
    if (!holds) {
      throw new IllegalArgumentException("viesti.outbox." + rule);
    }
  }
}
