package dev.viesti.ops.cli.client;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/**
 * Publishes batches, and repeats a batch that met a busy, restarting or vanished server. Every
 * event must have an id: the server knows a repeated one by it.
 */
public final class EventSender {
  /** A takeover takes seconds; who waits longer than this has an outage and should be told. */
  public static final Duration PATIENCE_DEFAULT = Duration.ofSeconds(60);

  /** First delay when the server names none; doubled each time up to {@link #DELAY_MAX}. */
  private static final Duration DELAY_FIRST = Duration.ofMillis(250);

  private static final Duration DELAY_MAX = Duration.ofSeconds(5);

  private final ApiClient client;
  private final String path;
  private final Duration patience;
  private final Consumer<Duration> pause;
  private volatile boolean everAnswered;

  /**
   * @param patience how long a batch is repeated, counted in delays
   * @param pause lets time pass
   */
  public EventSender(ApiClient client, String app, Duration patience, Consumer<Duration> pause) {
    this.client = client;
    this.path = ApiClient.path("/v1/apps/%s/events", app);
    this.patience = patience;
    this.pause = pause;
  }

  /** What the server said of a batch. */
  public record Receipt(long accepted, long deliveries, long duplicates) {
    public static final Receipt NONE = new Receipt(0, 0, 0);

    public Receipt plus(Receipt other) {
      return new Receipt(
          accepted + other.accepted, deliveries + other.deliveries, duplicates + other.duplicates);
    }
  }

  /**
   * Publishes one batch; returns once it is durable.
   *
   * @param events each a CloudEvent as JSON text, passed on byte for byte
   * @throws ApiProblem the server refused the batch, or was not ready for longer than the patience
   * @throws UnreachableException nothing answered for longer than the patience, or ever
   */
  public Receipt send(List<String> events) {
    String body = events.stream().collect(Collectors.joining(",", "[", "]"));
    Duration waited = Duration.ZERO;
    Duration delay = DELAY_FIRST;
    while (true) {
      Duration next;
      try {
        JsonNode answer = client.postRaw(path, ApiClient.CLOUD_EVENTS, body);
        everAnswered = true;
        return receipt(answer);
      } catch (ApiProblem problem) {
        everAnswered = true;
        next = problem.retryAfter() == null ? delay : problem.retryAfter();
        if (!problem.isTransient() || waited.plus(next).compareTo(patience) > 0) {
          throw problem;
        }
      } catch (UnreachableException unreachable) {
        next = delay;
        // A server that was never there is a wrong address, not a restart.
        if (!everAnswered
            || Thread.currentThread().isInterrupted()
            || waited.plus(next).compareTo(patience) > 0) {
          throw unreachable;
        }
      }
      pause.accept(next);
      waited = waited.plus(next);
      delay = delay.multipliedBy(2).compareTo(DELAY_MAX) > 0 ? DELAY_MAX : delay.multipliedBy(2);
    }
  }

  private static Receipt receipt(JsonNode answer) {
    Receipt sum = Receipt.NONE;
    for (JsonNode event : answer.path("events")) {
      boolean duplicate = event.path("duplicate").asBoolean();
      sum =
          sum.plus(
              new Receipt(duplicate ? 0 : 1, event.path("deliveries").asLong(), duplicate ? 1 : 0));
    }
    return sum;
  }
}
