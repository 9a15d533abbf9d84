package dev.viesti.ops.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** A user of the HTTP API of one node. Thread-safe. */
final class Caller {
  static final String KEY = "a-key-for-end-to-end-tests";
  static final String CLOUD_EVENT = "application/cloudevents+json";
  static final String CLOUD_EVENTS = "application/cloudevents-batch+json";
  static final String PLAIN = "application/json";

  /** Above every timeout of a node: an answer that takes so long has hung. */
  private static final Duration TIMEOUT = Duration.ofSeconds(40);

  private static final ObjectMapper JSON = new ObjectMapper();

  /** HTTP/1.1, as nearly all senders speak it. */
  private static final HttpClient CLIENT =
      HttpClient.newBuilder()
          .version(HttpClient.Version.HTTP_1_1)
          .connectTimeout(Duration.ofSeconds(5))
          .build();

  /**
   * @param body missing when there was none
   */
  record Answer(int status, HttpHeaders headers, JsonNode body) {}

  private final URI node;
  private final String key;

  Caller(URI node) {
    this(node, KEY);
  }

  Caller(URI node, String key) {
    this.node = node;
    this.key = key;
  }

  Answer get(String path) throws IOException, InterruptedException {
    return send(request(path).GET());
  }

  Answer put(String path, String json) throws IOException, InterruptedException {
    return send(request(path).header("Content-Type", PLAIN).PUT(BodyPublishers.ofString(json)));
  }

  /**
   * @param headers names and values in turn
   */
  Answer post(String path, String contentType, byte[] body, String... headers)
      throws IOException, InterruptedException {
    HttpRequest.Builder request = request(path).header("Content-Type", contentType);
    if (headers.length > 0) {
      request.headers(headers);
    }
    return send(request.POST(BodyPublishers.ofByteArray(body)));
  }

  Answer post(String path, String json) throws IOException, InterruptedException {
    return send(request(path).header("Content-Type", PLAIN).POST(BodyPublishers.ofString(json)));
  }

  Answer publish(String app, String event) throws IOException, InterruptedException {
    return send(
        request("/v1/apps/" + app + "/events")
            .header("Content-Type", event.startsWith("[") ? CLOUD_EVENTS : CLOUD_EVENT)
            .POST(BodyPublishers.ofString(event)));
  }

  /** An event as most tests need it. */
  static String event(String id, String type) {
    return """
    {"specversion":"1.0","id":"%s","source":"e2e","type":"%s","data":{"of":"%s"}}"""
        .formatted(id, type, id);
  }

  /** Makes an app, which must work. */
  void app(String app, String settings) throws IOException, InterruptedException {
    assertThat(put("/v1/apps/" + app, settings).status()).isIn(200, 201);
  }

  /** Makes a trigger, which must work. */
  void trigger(String app, String trigger, String json) throws IOException, InterruptedException {
    Answer answer = put("/v1/apps/" + app + "/triggers/" + trigger, json);
    assertThat(answer.status()).as(answer.body().toString()).isIn(200, 201);
  }

  /**
   * A trigger's JSON.
   *
   * @param on the pattern's JSON
   * @param more further members, each with a comma before it
   */
  static String webhook(String on, String url, int maxAttempts, String more) {
    return """
    {"on":%s,"target":{"webhook":{"url":"%s","secret":"%s"}},
     "retry":{"strategy":"constant","maxAttempts":%d,"base":"100ms"}%s}"""
        .formatted(on, url, Receiver.SECRET, maxAttempts, more);
  }

  /** All elements of a list, page by page. */
  List<JsonNode> all(String path) throws IOException, InterruptedException {
    List<JsonNode> all = new ArrayList<>();
    String start = path + (path.contains("?") ? "&" : "?") + "limit=40";
    String next = start;
    while (true) {
      Answer page = get(next);
      assertThat(page.status()).as(page.body().toString()).isEqualTo(200);
      page.body().path("data").forEach(all::add);
      JsonNode cursor = page.body().path("nextCursor");
      if (!cursor.isTextual()) {
        return all;
      }
      next = start + "&cursor=" + cursor.asText();
    }
  }

  long unresolved(String app) throws IOException, InterruptedException {
    return get("/v1/apps/" + app + "/dead-letters:count?resolved=false")
        .body()
        .path("count")
        .asLong(-1);
  }

  boolean hasDeliveries(String app) throws IOException, InterruptedException {
    Answer answer = get("/v1/apps/" + app + "/deliveries?limit=1");
    return answer.status() != 200 || !answer.body().path("data").isEmpty();
  }

  private HttpRequest.Builder request(String path) {
    HttpRequest.Builder request = HttpRequest.newBuilder(node.resolve(path)).timeout(TIMEOUT);
    return key.isEmpty() ? request : request.header("Authorization", "Bearer " + key);
  }

  private static Answer send(HttpRequest.Builder request) throws IOException, InterruptedException {
    HttpResponse<byte[]> response = CLIENT.send(request.build(), BodyHandlers.ofByteArray());
    String type = response.headers().firstValue("Content-Type").orElse("");
    JsonNode body =
        type.contains("json") ? JSON.readTree(response.body()) : MissingNode.getInstance();
    return new Answer(response.statusCode(), response.headers(), body);
  }
}
