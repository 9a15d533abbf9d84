package dev.viesti.ops.demo;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.standardwebhooks.Webhook;
import com.standardwebhooks.exceptions.EmptyWebhookSecretException;
import com.standardwebhooks.exceptions.WebhookVerificationException;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.viesti.ops.cli.client.ClientJson;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpHeaders;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/** The endpoints of the three triggers, and a record of everything they saw. Thread-safe. */
final class DemoReceiver implements AutoCloseable {
  /** Connections that may wait to be accepted: more than the node opens at once. */
  private static final int BACKLOG = 1_024;

  private static final int NO_CONTENT = 204;
  private static final int UNAUTHORIZED = 401;
  private static final int UNAVAILABLE = 503;

  /** What one endpoint saw: requests by {@code webhook-id}, and the event behind each id. */
  static final class Endpoint {
    private final Map<String, AtomicInteger> requestsById = new ConcurrentHashMap<>();
    private final Map<String, String> eventsById = new ConcurrentHashMap<>();
    private final LongAdder succeeded = new LongAdder();
    private final LongAdder failed = new LongAdder();

    /** Delivery ids seen. */
    long deliveries() {
      return requestsById.size();
    }

    /** Different events seen. */
    long events() {
      return eventsById.values().stream().distinct().count();
    }

    /** Requests answered with success. */
    long succeeded() {
      return succeeded.sum();
    }

    /** Requests answered with a failure. */
    long failed() {
      return failed.sum();
    }
  }

  private final HttpServer server;
  private final ExecutorService threads;
  private final Webhook signature;
  private final Map<String, Endpoint> endpoints = new ConcurrentHashMap<>();
  private final LongAdder badSignatures = new LongAdder();
  private final LongAdder changedEvents = new LongAdder();

  /**
   * @param secret of all three triggers
   */
  DemoReceiver(String secret) throws IOException {
    // Read once, when the JDK's server is first used: it would drop connections that were idle for
    // 30 s, and a long run has pauses.
    System.setProperty("sun.net.httpserver.idleInterval", "3600");
    this.signature = signature(secret);
    this.server =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), BACKLOG);
    this.threads = Executors.newVirtualThreadPerTaskExecutor();
    server.setExecutor(threads);
    server.createContext("/", this::receive);
    server.start();
  }

  private static Webhook signature(String secret) {
    try {
      return new Webhook(secret);
    } catch (EmptyWebhookSecretException empty) {
      throw new IllegalArgumentException("the secret is empty", empty);
    }
  }

  URI url(String trigger) {
    return URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/" + trigger);
  }

  Endpoint endpoint(String trigger) {
    return endpoints.computeIfAbsent(trigger, name -> new Endpoint());
  }

  /** Requests whose signature did not fit. */
  long badSignatures() {
    return badSignatures.sum();
  }

  /** Delivery ids that came with two different events. */
  long changedEvents() {
    return changedEvents.sum();
  }

  /** Requests in all. */
  long requests() {
    return endpoints.values().stream()
        .mapToLong(endpoint -> endpoint.succeeded() + endpoint.failed())
        .sum();
  }

  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
  }

  private void receive(HttpExchange exchange) throws IOException {
    try (exchange) {
      String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
      String id = exchange.getRequestHeaders().getFirst("webhook-id");
      String trigger = exchange.getRequestURI().getPath().substring(1);
      exchange.sendResponseHeaders(answer(trigger, id, body, exchange), -1);
    }
  }

  private int answer(String trigger, @Nullable String id, String body, HttpExchange exchange) {
    Endpoint endpoint = endpoint(trigger);
    if (id == null || !isSigned(body, exchange)) {
      badSignatures.increment();
      endpoint.failed.increment();
      return UNAUTHORIZED;
    }
    String event = eventId(body);
    String known = endpoint.eventsById.putIfAbsent(id, event);
    if (known != null && !known.equals(event)) {
      changedEvents.increment();
    }
    int request =
        endpoint.requestsById.computeIfAbsent(id, key -> new AtomicInteger()).incrementAndGet();
    boolean works =
        switch (trigger) {
          case DemoPlan.WORKS -> true;
          case DemoPlan.FLAKY -> request > DemoPlan.FLAKY_FAILURES;
          default -> false;
        };
    (works ? endpoint.succeeded : endpoint.failed).increment();
    return works ? NO_CONTENT : UNAVAILABLE;
  }

  private boolean isSigned(String body, HttpExchange exchange) {
    try {
      signature.verify(body, HttpHeaders.of(exchange.getRequestHeaders(), (name, value) -> true));
      return true;
    } catch (WebhookVerificationException wrong) {
      return false;
    }
  }

  private static String eventId(String body) {
    try {
      return ClientJson.text(ClientJson.MAPPER.readTree(body), "id");
    } catch (JsonProcessingException malformed) {
      return "";
    }
  }
}
