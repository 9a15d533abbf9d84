package dev.viesti.ops.demo;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.standardwebhooks.Webhook;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.viesti.ops.cli.client.ClientJson;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;

/** As much of a node as the demo speaks to. It delivers at once, and may forget an event. */
final class FakeNode implements AutoCloseable {
  private final HttpServer server;
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final HttpClient http =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  private final Map<String, JsonNode> triggers = new ConcurrentHashMap<>();
  private final AtomicInteger deadLetters = new AtomicInteger();

  /** Below the 200 idle connections above which the JDK's server drops some. */
  private final Semaphore permits = new Semaphore(64);

  private final AtomicInteger waiting = new AtomicInteger();
  private final String forgotten;

  /**
   * @param forgotten id of the event that is promised and never delivered; none has an empty one
   */
  FakeNode(String forgotten) throws IOException {
    this.forgotten = forgotten;
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(threads);
    server.createContext("/", this::handle);
    server.start();
  }

  URI url() {
    return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
  }

  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
  }

  private void handle(HttpExchange exchange) throws IOException {
    try (exchange) {
      String path = exchange.getRequestURI().getPath();
      String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
      if (path.contains("/triggers/")) {
        triggers.put(path.substring(path.lastIndexOf('/') + 1), ClientJson.MAPPER.readTree(body));
      }
      String answer =
          switch (path.substring(path.lastIndexOf('/') + 1)) {
            case "events" -> publish(ClientJson.MAPPER.readTree(body));
            case "dead-letters:count" -> "{\"count\":" + deadLetters + "}";
            case "deliveries" -> "{\"data\":[" + (waiting.get() > 0 ? "{}" : "") + "]}";
            case "stream" -> "\n";
            default -> "{}";
          };
      byte[] bytes = answer.getBytes(StandardCharsets.UTF_8);
      exchange.sendResponseHeaders(200, bytes.length);
      exchange.getResponseBody().write(bytes);
    }
  }

  private String publish(JsonNode events) {
    ObjectNode answer = ClientJson.MAPPER.createObjectNode();
    var receipts = answer.putArray("events");
    for (JsonNode event : events) {
      int matches = 0;
      for (var trigger : triggers.entrySet()) {
        String pattern = trigger.getValue().path("on").path("type").asText();
        if (event.path("type").asText().startsWith(pattern.replace("*", ""))) {
          matches++;
          waiting.incrementAndGet();
          threads.execute(() -> deliver(trigger.getKey(), trigger.getValue(), event));
        }
      }
      receipts.addObject().put("deliveries", matches).put("duplicate", false);
    }
    return answer.toString();
  }

  private void deliver(String name, JsonNode trigger, JsonNode event) {
    permits.acquireUninterruptibly();
    try {
      int attempts = trigger.path("retry").path("maxAttempts").asInt();
      boolean done = event.path("id").asText().equals(forgotten);
      for (int i = 0; i < attempts && !done; i++) {
        done = post(name, trigger, event) == 204;
      }
      if (!done) {
        deadLetters.incrementAndGet();
      }
    } catch (Exception failed) {
      throw new AssertionError(failed);
    } finally {
      permits.release();
      waiting.decrementAndGet();
    }
  }

  private int post(String name, JsonNode trigger, JsonNode event) throws Exception {
    JsonNode webhook = trigger.path("target").path("webhook");
    String id = name + "-" + event.path("id").asText();
    long now = Clock.systemUTC().instant().getEpochSecond();
    String body = event.toString();
    var request =
        HttpRequest.newBuilder(URI.create(webhook.path("url").asText()))
            .POST(HttpRequest.BodyPublishers.ofString(body))
            .header("webhook-id", id)
            .header("webhook-timestamp", Long.toString(now))
            .header(
                "webhook-signature",
                new Webhook(webhook.path("secret").asText()).sign(id, now, body))
            .build();
    return http.send(request, HttpResponse.BodyHandlers.discarding()).statusCode();
  }
}
