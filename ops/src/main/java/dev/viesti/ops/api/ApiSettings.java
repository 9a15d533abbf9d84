package dev.viesti.ops.api;

import com.typesafe.config.Config;
import java.time.Duration;

/**
 * Limits of the HTTP API; {@code viesti.http} in {@code reference.conf} says what each is for.
 *
 * @param eventBytesMax largest body of a single event, in bytes
 * @param batchBytesMax largest body of a batch, in bytes
 * @param batchEventsMax most events of a batch
 * @param pluginBytesMax largest body of a plugin's upload, in bytes
 * @param requestTimeout after which a request without an answer gets a 503
 * @param streamHeartbeat silence on a stream after which a comment is sent
 * @param streamBufferMax outcomes that wait for one slow stream client
 * @param streamClientsMax stream clients at once on a node
 */
public record ApiSettings(
    int eventBytesMax,
    int batchBytesMax,
    int batchEventsMax,
    int pluginBytesMax,
    Duration requestTimeout,
    Duration streamHeartbeat,
    int streamBufferMax,
    int streamClientsMax) {
  private static final int BATCH_BYTES_CEILING = 64 * 1024 * 1024;

  /**
   * @throws IllegalArgumentException naming the key that is out of its bounds
   */
  public ApiSettings {
    require("event-bytes-max", eventBytesMax, 1_024, batchBytesMax);
    require("batch-bytes-max", batchBytesMax, 1_024, BATCH_BYTES_CEILING);
    require("batch-events-max", batchEventsMax, 1, 100_000);
    require("plugin-bytes-max", pluginBytesMax, 1_024, BATCH_BYTES_CEILING);
    require("request-timeout in s", requestTimeout.toSeconds(), 1, 600);
    require("stream-heartbeat in ms", streamHeartbeat.toMillis(), 10, 50_000);
    require("stream-buffer-max", streamBufferMax, 1, 100_000);
    require("stream-clients-max", streamClientsMax, 0, 10_000);
  }

  /**
   * @param http the object at {@code viesti.http}
   */
  public static ApiSettings from(Config http) {
    return new ApiSettings(
        http.getInt("event-bytes-max"),
        http.getInt("batch-bytes-max"),
        http.getInt("batch-events-max"),
        http.getInt("plugin-bytes-max"),
        http.getDuration("request-timeout"),
        http.getDuration("stream-heartbeat"),
        http.getInt("stream-buffer-max"),
        http.getInt("stream-clients-max"));
  }

  private static void require(String key, long value, long min, long max) {
    if (value < min || value > max) {
      throw new IllegalArgumentException(
          "viesti.http.%s is %,d to %,d, not %,d".formatted(key, min, max, value));
    }
  }
}
