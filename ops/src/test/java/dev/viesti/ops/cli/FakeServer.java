package dev.viesti.ops.cli;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;

/** An API that answers what a test tells it to, and remembers what it was asked. */
final class FakeServer implements AutoCloseable {
  record Request(
      String method,
      String path,
      String body,
      String authorization,
      String contentType,
      String ifMatch,
      String ifNoneMatch) {}

  record Reply(int status, String body, Map<String, String> headers) {
    static Reply ok(String body) {
      return new Reply(200, body, Map.of());
    }
  }

  final List<Request> requests = new CopyOnWriteArrayList<>();
  private final Map<String, Queue<Reply>> replies = new ConcurrentHashMap<>();
  private final HttpServer server;

  FakeServer() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext("/", this::handle);
    server.start();
  }

  String url() {
    return "http://127.0.0.1:" + server.getAddress().getPort();
  }

  /** The next answer for {@code "GET /v1/…"}; the last one is given again and again. */
  FakeServer on(String request, Reply reply) {
    replies.computeIfAbsent(request, key -> new ArrayDeque<>()).add(reply);
    return this;
  }

  FakeServer on(String request, String body) {
    return on(request, Reply.ok(body));
  }

  List<String> asked() {
    var asked = new ArrayList<String>();
    requests.forEach(request -> asked.add(request.method() + " " + request.path()));
    return asked;
  }

  @Override
  public void close() {
    server.stop(0);
  }

  private void handle(HttpExchange exchange) throws IOException {
    try (exchange) {
      String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
      String path = exchange.getRequestURI().toString();
      requests.add(
          new Request(
              exchange.getRequestMethod(),
              path,
              body,
              String.valueOf(exchange.getRequestHeaders().getFirst("Authorization")),
              String.valueOf(exchange.getRequestHeaders().getFirst("Content-Type")),
              String.valueOf(exchange.getRequestHeaders().getFirst("If-Match")),
              String.valueOf(exchange.getRequestHeaders().getFirst("If-None-Match"))));
      Queue<Reply> queue = replies.get(exchange.getRequestMethod() + " " + path);
      Reply reply =
          queue == null
              ? new Reply(404, "{\"title\":\"There is no such thing\"}", Map.of())
              : queue.size() > 1 ? queue.remove() : queue.element();
      reply.headers().forEach(exchange.getResponseHeaders()::set);
      byte[] bytes = reply.body().getBytes(StandardCharsets.UTF_8);
      exchange.sendResponseHeaders(reply.status(), bytes.length == 0 ? -1 : bytes.length);
      exchange.getResponseBody().write(bytes);
    }
  }
}
