package dev.viesti.ops.demo;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import dev.viesti.ops.cli.client.ApiClient;
import dev.viesti.ops.cli.client.ApiProblem;
import dev.viesti.ops.cli.client.ClientJson;
import dev.viesti.ops.cli.client.SseEvent;
import dev.viesti.ops.cli.client.UnreachableException;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.LongStream;

/**
 * Follows the stream of outcomes: the live numbers, and the time from acceptance to settling. The
 * stream drops rather than queues, so nothing that must be exact is taken from here.
 */
final class OutcomeWatch implements AutoCloseable {
  private static final Duration OPEN_TIMEOUT = Duration.ofSeconds(10);

  private final LongAdder settled = new LongAdder();
  private final LongAdder retried = new LongAdder();
  private final LongAdder deadLettered = new LongAdder();
  private final CountDownLatch opened = new CountDownLatch(1);
  private final Thread reader;
  private final LongStream.Builder millis = LongStream.builder();
  private final Object millisLock = new Object();

  OutcomeWatch(ApiClient client) {
    this.reader = Thread.ofVirtual().name("outcome-watch").start(() -> follow(client));
  }

  /** False when the stream did not open in time: the demo goes on without live numbers. */
  boolean awaitOpen() {
    try {
      return opened.await(OPEN_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  long settled() {
    return settled.sum();
  }

  long retried() {
    return retried.sum();
  }

  long deadLettered() {
    return deadLettered.sum();
  }

  /** From acceptance to settling, for {@code works}; ends the watch. */
  SettleTimes stopAndMeasure() {
    close();
    synchronized (millisLock) {
      return SettleTimes.of(millis.build().sorted().toArray());
    }
  }

  @Override
  public void close() {
    reader.interrupt();
    try {
      reader.join();
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private void follow(ApiClient client) {
    try {
      client.stream("/v1/stream", Map.of("app", DemoPlan.APP), opened::countDown, this::onEvent);
    } catch (ApiProblem | UnreachableException ended) {
      // The node stops, or this watch does; only the live numbers end with it.
      opened.countDown();
    }
  }

  private void onEvent(SseEvent event) {
    if (!event.name().equals("outcome")) {
      return;
    }
    JsonNode notice;
    try {
      notice = ClientJson.MAPPER.readTree(event.data());
    } catch (JsonProcessingException malformed) {
      return;
    }
    switch (ClientJson.text(notice, "settlement")) {
      case "settled" -> {
        settled.increment();
        if (ClientJson.text(notice, "trigger").equals(DemoPlan.WORKS)) {
          sample(notice);
        }
      }
      case "retried" -> retried.increment();
      case "dead_lettered" -> deadLettered.increment();
      default -> {} // a later version may know more
    }
  }

  private void sample(JsonNode notice) {
    try {
      Instant accepted = Instant.parse(ClientJson.text(notice, "acceptedAt"));
      Instant at = Instant.parse(ClientJson.text(notice, "at"));
      synchronized (millisLock) {
        millis.add(Duration.between(accepted, at).toMillis());
      }
    } catch (DateTimeParseException missing) {
      // one sample less
    }
  }
}
