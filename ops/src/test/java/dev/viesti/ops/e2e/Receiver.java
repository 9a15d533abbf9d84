package dev.viesti.ops.e2e;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Base64;
import java.util.Collection;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.ToIntFunction;
import java.util.stream.Collectors;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Endpoints that count. A path is an endpoint; it answers 204 unless it was told otherwise. The
 * signature is checked here from the specification alone, with no code of ours. Thread-safe.
 */
final class Receiver implements AutoCloseable {
  private static final byte[] KEY = "thirty-two-bytes-of-test-secret!".getBytes(US_ASCII);

  /** The secret that triggers must sign with. */
  static final String SECRET = "whsec_" + Base64.getEncoder().encodeToString(KEY);

  private static final ObjectMapper JSON = new ObjectMapper();

  /**
   * A request with a good signature.
   *
   * @param path without the slash before it
   * @param delivery the header {@code webhook-id}
   * @param event the CloudEvents id of the body
   * @param bytes the body, each character a byte
   */
  record Request(
      String path, String delivery, String app, int attempt, String event, String bytes) {}

  private record Answered(Request request, int status) {}

  private final HttpServer server;
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final Map<String, ToIntFunction<Request>> behaviours = new ConcurrentHashMap<>();
  private final Queue<Answered> answered = new ConcurrentLinkedQueue<>();
  private final Queue<String> unsigned = new ConcurrentLinkedQueue<>();
  private final Set<String> delivered = ConcurrentHashMap.newKeySet();

  Receiver() throws IOException {
    // read once by the JDK's server: it drops idle connections beyond 200, and any after 30 s
    System.setProperty("sun.net.httpserver.maxIdleConnections", "2000");
    System.setProperty("sun.net.httpserver.idleInterval", "3600");
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 1_024);
    server.setExecutor(threads);
    server.createContext("/", this::receive);
    server.start();
  }

  String url(String path) {
    return "http://127.0.0.1:" + server.getAddress().getPort() + "/" + path;
  }

  /** From now on {@code path} answers with the status that {@code behaviour} gives. */
  void answers(String path, ToIntFunction<Request> behaviour) {
    behaviours.put(path, behaviour);
  }

  /** Every request to {@code path}, whatever it was answered. */
  Collection<Request> requests(String path) {
    return answered.stream()
        .map(Answered::request)
        .filter(request -> request.path().equals(path))
        .toList();
  }

  /** CloudEvents ids that {@code path} answered with success, as often as it did. */
  Collection<String> succeeded(String path) {
    return answered.stream()
        .filter(one -> one.status() < 300 && one.request().path().equals(path))
        .map(one -> one.request().event())
        .toList();
  }

  /** {@code app/event} of everything that was answered with success at least once. */
  Set<String> delivered() {
    return Set.copyOf(delivered);
  }

  /** Delivery ids that were answered with success more than once, and how often. */
  Map<String, Long> repeated() {
    return answered.stream()
        .filter(one -> one.status() < 300)
        .collect(Collectors.groupingBy(one -> one.request().delivery(), Collectors.counting()))
        .entrySet()
        .stream()
        .filter(entry -> entry.getValue() > 1)
        .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue));
  }

  /** What came without a good signature. */
  Collection<String> unsigned() {
    return unsigned;
  }

  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
  }

  private void receive(HttpExchange exchange) throws IOException {
    try (exchange) {
      byte[] body = exchange.getRequestBody().readAllBytes();
      exchange.sendResponseHeaders(answer(exchange, body), -1);
    }
  }

  private int answer(HttpExchange exchange, byte[] body) throws IOException {
    Headers headers = exchange.getRequestHeaders();
    String path = exchange.getRequestURI().getPath().substring(1);
    if (!isSigned(headers, body)) {
      unsigned.add(path + " " + new String(body, UTF_8));
      return 401;
    }
    JsonNode event = JSON.readTree(body);
    var request =
        new Request(
            path,
            headers.getFirst("webhook-id"),
            headers.getFirst("viesti-app"),
            Integer.parseInt(headers.getFirst("viesti-attempt")),
            event.path("id").asText(),
            new String(body, ISO_8859_1));
    int status = behaviours.getOrDefault(path, any -> 204).applyAsInt(request);
    answered.add(new Answered(request, status));
    if (status < 300) {
      delivered.add(request.app() + "/" + request.event());
    }
    return status;
  }

  /**
   * <a
   * href="https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md">Standard
   * Webhooks</a>: HMAC-SHA256 of id, timestamp and body, with dots between them.
   */
  private static boolean isSigned(Headers headers, byte[] body) {
    String id = headers.getFirst("webhook-id");
    String timestamp = headers.getFirst("webhook-timestamp");
    String signatures = headers.getFirst("webhook-signature");
    if (id == null || timestamp == null || signatures == null) {
      return false;
    }
    var signed = new ByteArrayOutputStream();
    signed.writeBytes((id + "." + timestamp + ".").getBytes(UTF_8));
    signed.writeBytes(body);
    try {
      Mac mac = Mac.getInstance("HmacSHA256");
      mac.init(new SecretKeySpec(KEY, "HmacSHA256"));
      byte[] expected = mac.doFinal(signed.toByteArray());
      for (String signature : signatures.split(" ", -1)) {
        if (signature.startsWith("v1,")
            && MessageDigest.isEqual(
                expected, Base64.getDecoder().decode(signature.substring(3)))) {
          return true;
        }
      }
      return false;
    } catch (GeneralSecurityException missing) {
      throw new IllegalStateException("every JDK has HmacSHA256", missing);
    }
  }
}
