package dev.viesti.ops.http;

import com.fasterxml.jackson.databind.JsonNode;
import com.typesafe.config.ConfigFactory;
import dev.viesti.dispatcher.cloudevents.CloudEvents;
import dev.viesti.dispatcher.json.Json;
import dev.viesti.ops.api.Api;
import dev.viesti.ops.api.ApiKeys;
import dev.viesti.ops.api.ApiSettings;
import dev.viesti.ops.api.ClusterMembers;
import dev.viesti.ops.api.FakeViesti;
import dev.viesti.ops.metrics.Metrics;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;

/** The API over a {@link FakeViesti} on a free port, and a client for it. */
final class ApiServer implements AutoCloseable {
  static final String KEY = "s3cret";
  static final int EVENT_BYTES_MAX = 2_048;
  static final int BATCH_BYTES_MAX = 8_192;
  static final int BATCH_EVENTS_MAX = 3;
  static final int PLUGIN_BYTES_MAX = 16_384;
  static final int STREAM_BUFFER_MAX = 8;

  final FakeViesti viesti = new FakeViesti();
  final Metrics metrics = new Metrics();
  private final ActorTestKit kit =
      ActorTestKit.create(
          "ApiServer",
          ConfigFactory.parseString("pekko.actor.provider = local")
              .withFallback(ConfigFactory.load()));
  private final HttpClient client = HttpClient.newHttpClient();
  private final HttpServer server;

  ApiServer() {
    ApiSettings settings =
        new ApiSettings(
            EVENT_BYTES_MAX,
            BATCH_BYTES_MAX,
            BATCH_EVENTS_MAX,
            PLUGIN_BYTES_MAX,
            Duration.ofSeconds(1),
            Duration.ofMillis(200),
            STREAM_BUFFER_MAX,
            2);
    ClusterMembers cluster =
        () ->
            List.of(
                new ClusterMembers.Node("pekko://v@a:1", "up", List.of("dc"), true, true, true));
    Api api =
        new Api(
            new Api.Doors(
                viesti,
                CloudEvents.withSystemIds(),
                cluster,
                ApiKeys.of(Map.of("admin", KEY)),
                metrics),
            settings,
            kit.system().executionContext());
    try {
      server =
          HttpServer.start(
                  kit.system(),
                  new HttpServer.Parts(api, viesti, metrics, settings),
                  "127.0.0.1",
                  0)
              .toCompletableFuture()
              .get(20, TimeUnit.SECONDS);
    } catch (Exception broken) {
      throw new IllegalStateException(broken);
    }
  }

  /** As a node that stops does it. */
  void drain() {
    server.drain(Duration.ofSeconds(5)).toCompletableFuture().join();
  }

  URI uri(String path) {
    return URI.create("http://127.0.0.1:" + server.address().getPort() + path);
  }

  int port() {
    return server.address().getPort();
  }

  HttpClient client() {
    return client;
  }

  /** A request with the key. */
  HttpRequest.Builder request(String path) {
    return HttpRequest.newBuilder(uri(path))
        .timeout(Duration.ofSeconds(20))
        .header("Authorization", "Bearer " + KEY);
  }

  Answer send(HttpRequest request) {
    try {
      return new Answer(client.send(request, BodyHandlers.ofString()));
    } catch (IOException | InterruptedException broken) {
      throw new AssertionError(broken);
    }
  }

  Answer get(String path) {
    return send(request(path).GET().build());
  }

  Answer delete(String path) {
    return send(request(path).DELETE().build());
  }

  Answer put(String path, String json, String... headers) {
    HttpRequest.Builder request = request(path).header("Content-Type", "application/json");
    if (headers.length > 0) {
      request.headers(headers);
    }
    return send(request.PUT(BodyPublishers.ofString(json)).build());
  }

  Answer post(String path, String json, String contentType) {
    HttpRequest.Builder request = request(path).header("Content-Type", contentType);
    return send(request.POST(BodyPublishers.ofString(json)).build());
  }

  Answer post(String path) {
    return send(request(path).POST(BodyPublishers.noBody()).build());
  }

  @Override
  public void close() {
    kit.shutdownTestKit();
    client.close();
    metrics.close();
  }

  /** What came back. */
  record Answer(HttpResponse<String> response) {
    int status() {
      return response.statusCode();
    }

    String header(String name) {
      return response.headers().firstValue(name).orElse("");
    }

    JsonNode json() {
      try {
        return Json.MAPPER.readTree(response.body());
      } catch (IOException notJson) {
        throw new AssertionError(response.body(), notJson);
      }
    }

    /** The slug of the problem's type. */
    String problem() {
      return json().path("type").asText().replace("https://viesti.dev/problems/", "");
    }

    String pointer() {
      return json().at("/errors/0/pointer").asText("none");
    }

    String detail() {
      return json().path("detail").asText();
    }
  }
}
