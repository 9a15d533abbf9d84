package dev.viesti.ops.cli.client;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import dev.viesti.protocol.event.Payload;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Speaks the HTTP API at one address with one key. Blocks; thread-safe. */
public final class ApiClient implements AutoCloseable {
  /** A body that the API takes as one CloudEvent. */
  public static final String CLOUD_EVENT = "application/cloudevents+json";

  /** A body that the API takes as an array of CloudEvents. */
  public static final String CLOUD_EVENTS = "application/cloudevents-batch+json";

  private static final String JSON = "application/json";

  /** A server on this continent answers a SYN far sooner; a dead address should not hang people. */
  private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(5);

  /** Above the server's own deadline for a takeover, so that its 503 arrives first. */
  private static final Duration ANSWER_TIMEOUT = Duration.ofSeconds(60);

  private final URI url;
  private final @Nullable String key;
  private final HttpClient http;

  /**
   * @param url scheme, host and port of the API; a path is a prefix
   * @param key sent as a bearer token; null sends none
   */
  public ApiClient(URI url, @Nullable String key) {
    this.url = url;
    this.key = key;
    // The JDK's client would first try to upgrade each plain connection to HTTP/2.
    this.http =
        HttpClient.newBuilder()
            .connectTimeout(CONNECT_TIMEOUT)
            .version(HttpClient.Version.HTTP_1_1)
            .build();
  }

  /**
   * A success.
   *
   * @param body missing when the answer had none
   * @param etag the revision, quoted; null when the answer had none
   */
  public record Answer(int status, JsonNode body, @Nullable String etag) {}

  /**
   * A success that is no JSON, or not known to be.
   *
   * @param contentType empty when the answer named none
   */
  public record Bytes(int status, Payload body, String contentType, @Nullable String etag) {}

  /** The address that this client speaks to. */
  public URI url() {
    return url;
  }

  /** A path from constant parts and values; values are escaped. */
  public static String path(String template, Object... values) {
    Object[] escaped = new Object[values.length];
    for (int i = 0; i < values.length; i++) {
      escaped[i] = escape(String.valueOf(values[i]));
    }
    return template.formatted(escaped);
  }

  public JsonNode get(String path, Map<String, String> query) {
    return send("GET", path + query(query), null, JSON, Map.of()).body();
  }

  public Answer getWithEtag(String path) {
    return send("GET", path, null, JSON, Map.of());
  }

  /**
   * @param ifMatch the revision that must be there still, as {@link Answer#etag} gave it; null =
   *     any
   */
  public Answer put(String path, JsonNode body, @Nullable String ifMatch) {
    return send(
        "PUT",
        path,
        body.toString(),
        JSON,
        ifMatch == null ? Map.of() : Map.of("If-Match", ifMatch));
  }

  /** A PUT that is refused (412) when there is something already. */
  public Answer create(String path, JsonNode body) {
    return send("PUT", path, body.toString(), JSON, Map.of("If-None-Match", "*"));
  }

  public JsonNode post(String path, JsonNode body) {
    return send("POST", path, body.toString(), JSON, Map.of()).body();
  }

  /** A POST without a body. */
  public JsonNode post(String path) {
    return send("POST", path, null, JSON, Map.of()).body();
  }

  /** A POST of text that is already in the wire's form. */
  public JsonNode postRaw(String path, String contentType, String body) {
    return send("POST", path, body, contentType, Map.of()).body();
  }

  public void delete(String path, Map<String, String> query) {
    var unused = send("DELETE", path + query(query), null, JSON, Map.of());
  }

  /** Sends bytes as they are, and takes the answer as it is. */
  public Bytes exchange(
      String method,
      String path,
      String contentType,
      byte @Nullable [] body,
      Map<String, String> headers) {
    HttpRequest.BodyPublisher publisher =
        body == null ? BodyPublishers.noBody() : BodyPublishers.ofByteArray(body);
    HttpRequest request =
        requestOf(method, path, publisher, body == null ? null : contentType, headers)
            .timeout(ANSWER_TIMEOUT)
            .build();
    HttpResponse<byte[]> response = send(request, BodyHandlers.ofByteArray());
    if (response.statusCode() / 100 != 2) {
      throw problem(response, new String(response.body(), StandardCharsets.UTF_8));
    }
    return new Bytes(
        response.statusCode(),
        Payload.of(response.body()),
        response.headers().firstValue("Content-Type").orElse(""),
        response.headers().firstValue("ETag").orElse(null));
  }

  /** As {@link #exchange}, where the answer is JSON. */
  public Answer put(String path, String contentType, byte[] body, Map<String, String> headers) {
    Bytes answer = exchange("PUT", path, contentType, body, headers);
    try {
      JsonNode json = parse(answer.body().utf8());
      return new Answer(answer.status(), json, answer.etag());
    } catch (IOException failed) {
      throw new UnreachableException(url, failed);
    }
  }

  /** Hands each page to {@code page} until it answers false or there is no further one. */
  public void pages(String path, Map<String, String> query, Predicate<JsonNode> page) {
    var parameters = new LinkedHashMap<>(query);
    while (true) {
      JsonNode answer = get(path, parameters);
      String cursor = ClientJson.text(answer, "nextCursor");
      if (!page.test(answer) || cursor.isEmpty()) {
        return;
      }
      parameters.put("cursor", cursor);
    }
  }

  /**
   * Follows server-sent events until the server ends the stream, the connection breaks or the
   * thread is interrupted.
   *
   * @param opened runs once the server has answered: what happens from then on is seen
   */
  public void stream(
      String path, Map<String, String> query, Runnable opened, Consumer<SseEvent> event) {
    HttpRequest request =
        request("GET", path + query(query), null, JSON, Map.of("Accept", "text/event-stream"))
            .build();
    try {
      HttpResponse<InputStream> response = http.send(request, BodyHandlers.ofInputStream());
      try (InputStream body = response.body()) {
        if (response.statusCode() != 200) {
          throw problem(response, new String(body.readAllBytes(), StandardCharsets.UTF_8));
        }
        opened.run();
        SseEvent.read(body, event);
      }
    } catch (IOException failed) {
      throw new UnreachableException(url, failed);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /** Ends open streams as well. */
  @Override
  public void close() {
    http.shutdownNow();
  }

  private Answer send(
      String method,
      String path,
      @Nullable String body,
      String contentType,
      Map<String, String> headers) {
    HttpRequest request =
        request(method, path, body, contentType, headers).timeout(ANSWER_TIMEOUT).build();
    HttpResponse<String> response = send(request, BodyHandlers.ofString(StandardCharsets.UTF_8));
    if (response.statusCode() / 100 != 2) {
      throw problem(response, response.body());
    }
    try {
      return new Answer(
          response.statusCode(),
          parse(response.body()),
          response.headers().firstValue("ETag").orElse(null));
    } catch (IOException failed) {
      throw new UnreachableException(url, failed);
    }
  }

  private <T> HttpResponse<T> send(HttpRequest request, HttpResponse.BodyHandler<T> body) {
    try {
      return http.send(request, body);
    } catch (IOException failed) {
      throw new UnreachableException(url, failed);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new UnreachableException(url, interrupted);
    }
  }

  private HttpRequest.Builder request(
      String method,
      String path,
      @Nullable String body,
      String contentType,
      Map<String, String> headers) {
    return body == null
        ? requestOf(method, path, BodyPublishers.noBody(), null, headers)
        : requestOf(method, path, BodyPublishers.ofString(body), contentType, headers);
  }

  /**
   * @param contentType null when there is no body
   */
  private HttpRequest.Builder requestOf(
      String method,
      String path,
      HttpRequest.BodyPublisher body,
      @Nullable String contentType,
      Map<String, String> headers) {
    String base = url.toString();
    String prefix = base.endsWith("/") ? base.substring(0, base.length() - 1) : base;
    HttpRequest.Builder builder =
        HttpRequest.newBuilder(URI.create(prefix + path))
            .method(method, body)
            .header("User-Agent", "viesti-cli");
    if (contentType != null) {
      builder.header("Content-Type", contentType);
    }
    if (key != null) {
      builder.header("Authorization", "Bearer " + key);
    }
    headers.forEach(builder::header);
    return builder;
  }

  private static ApiProblem problem(HttpResponse<?> response, String body) {
    return ApiProblem.of(
        response.statusCode(), body, response.headers().firstValue("Retry-After").orElse(null));
  }

  private JsonNode parse(String body) throws IOException {
    if (body.isBlank()) {
      return MissingNode.getInstance();
    }
    try {
      return ClientJson.MAPPER.readTree(body);
    } catch (JsonProcessingException notJson) {
      throw new IOException("the answer is not JSON: is this the API of Viesti?", notJson);
    }
  }

  private static String query(Map<String, String> parameters) {
    return parameters.isEmpty()
        ? ""
        : parameters.entrySet().stream()
            .map(entry -> escape(entry.getKey()) + "=" + escape(entry.getValue()))
            .collect(Collectors.joining("&", "?", ""));
  }

  private static String escape(String value) {
    return URLEncoder.encode(value, StandardCharsets.UTF_8).replace("+", "%20");
  }
}
