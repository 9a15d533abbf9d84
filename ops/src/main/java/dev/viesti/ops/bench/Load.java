package dev.viesti.ops.bench;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.LongAdder;

/**
 * Publishes in a closed loop: each connection sends its next request when the last one is answered.
 * Refused requests (503) are repeated and counted.
 */
final class Load {
  private static final int ACCEPTED = 202;
  private static final int UNAVAILABLE = 503;

  /** Short, so that a refusal costs little of the figure; a sender in production waits longer. */
  private static final Duration REFUSED_PAUSE = Duration.ofMillis(50);

  /**
   * How it is published.
   *
   * @param batch events in a request; 1 = a single event, not in an array
   */
  record Shape(int batch, int connections) {}

  /**
   * What came of it.
   *
   * @param seconds from the first request to the last answer
   * @param latencies of requests that were accepted
   */
  record Sent(long events, double seconds, long refused, Latencies latencies) {
    Measured measured() {
      return Measured.rate(events, seconds)
          .with("", latencies)
          .with("refused_requests", refused == 0 ? null : (double) refused);
    }
  }

  private final BenchApp app;
  private final Events events;
  private final Shape shape;
  private final int eventsMax;
  private final long deadline;
  private final LongAdder accepted = new LongAdder();
  private final LongAdder refused = new LongAdder();
  private final Latencies latencies = new Latencies();

  private Load(BenchApp app, Events events, Shape shape, int eventsMax, long deadline) {
    this.app = app;
    this.events = events;
    this.shape = shape;
    this.eventsMax = eventsMax;
    this.deadline = deadline;
  }

  /** Publishes until {@code time} is over. */
  static Sent during(Duration time, BenchApp app, Events events, Shape shape) throws Exception {
    long now = System.nanoTime();
    return new Load(app, events, shape, Integer.MAX_VALUE, now + time.toNanos()).run(now);
  }

  /**
   * Publishes {@code count} events, however long it takes.
   *
   * @param count a multiple of the batch
   */
  static Sent of(int count, BenchApp app, Events events, Shape shape) throws Exception {
    long now = System.nanoTime();
    return new Load(app, events, shape, count, now + Duration.ofDays(1).toNanos()).run(now);
  }

  private Sent run(long started) throws Exception {
    List<Future<?>> senders = new ArrayList<>();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < shape.connections(); i++) {
        senders.add(
            threads.submit(
                () -> {
                  send();
                  return null;
                }));
      }
    }
    double seconds = (System.nanoTime() - started) / 1e9;
    for (Future<?> sender : senders) {
      try {
        sender.get();
      } catch (ExecutionException failed) {
        throw failed.getCause() instanceof Exception cause ? cause : failed;
      }
    }
    return new Sent(accepted.sum(), seconds, refused.sum(), latencies);
  }

  private void send() throws IOException, InterruptedException {
    try (HttpConnection connection = app.node().connect()) {
      Events.Body body = events.body(shape.batch());
      byte[] head = head(app, body);
      while (System.nanoTime() - deadline < 0) {
        int first = events.take(shape.batch());
        if (first + shape.batch() > eventsMax) {
          return;
        }
        body.fill(first);
        if (!send(connection, head, body)) {
          return;
        }
        accepted.add(shape.batch());
      }
    }
  }

  /**
   * @return false when it was still refused at the end
   */
  private boolean send(HttpConnection connection, byte[] head, Events.Body body)
      throws InterruptedException {
    while (System.nanoTime() - deadline < 0) {
      long sent = System.nanoTime();
      int status = connection.send(head, body.bytes(), body.bytes().length);
      if (status == ACCEPTED) {
        latencies.add(System.nanoTime() - sent);
        return true;
      }
      if (status != UNAVAILABLE) {
        throw refusal(status, connection);
      }
      refused.increment();
      Wait.last(REFUSED_PAUSE);
    }
    return false;
  }

  /** Sends one event, which must be accepted. */
  static void single(HttpConnection connection, byte[] head, Events.Body body) {
    int status = connection.send(head, body.bytes(), body.bytes().length);
    if (status != ACCEPTED) {
      throw refusal(status, connection);
    }
  }

  /** What goes before {@code body}, whatever it is filled with. */
  static byte[] head(BenchApp app, Events.Body body) {
    return """
        POST %s HTTP/1.1\r
        Host: %s\r
        Authorization: Bearer %s\r
        Content-Type: %s\r
        Content-Length: %d\r
        \r
        """
        .formatted(
            app.eventsPath(),
            app.node().api().getRawAuthority(),
            NodeProcess.KEY,
            body.contentType(),
            body.bytes().length)
        .getBytes(StandardCharsets.US_ASCII);
  }

  private static IllegalStateException refusal(int status, HttpConnection connection) {
    return new IllegalStateException("an event is answered " + status + ": " + connection.body());
  }
}
