package dev.viesti.ops.api;

import dev.viesti.ops.api.Problem.Kind;
import dev.viesti.ops.metrics.Metrics;
import dev.viesti.protocol.app.AppId;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** What a node says about itself: cluster, stream, metrics, the description of this API. */
final class NodeRoutes {
  private static final String OPENAPI = "/dev/viesti/ops/http/openapi.yaml";

  /** <a href="https://www.rfc-editor.org/rfc/rfc9512">RFC 9512</a>. */
  private static final String YAML = "application/yaml";

  private static final String PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8";

  private final ClusterMembers cluster;
  private final Metrics metrics;
  private final ApiSettings settings;
  private final byte[] openapi;

  NodeRoutes(ClusterMembers cluster, Metrics metrics, ApiSettings settings) {
    this.cluster = cluster;
    this.metrics = metrics;
    this.settings = settings;
    this.openapi = resource(OPENAPI);
  }

  List<Route> routes() {
    return List.of(
        Route.get("/", call -> done(front())).opened(),
        Route.get("/metrics", call -> done(scrape())).opened(),
        Route.get("/v1/openapi.yaml", call -> done(ApiResponse.bytes(YAML, openapi))).opened(),
        Route.get("/v1/cluster", call -> done(members())),
        Route.get("/v1/stream", this::stream).query("app"));
  }

  private static ApiResponse front() {
    Map<String, String> front = new LinkedHashMap<>();
    front.put("name", "Viesti");
    front.put("what", "a durable event and trigger dispatcher");
    front.put("api", "/v1/openapi.yaml");
    front.put("metrics", "/metrics");
    front.put("docs", "https://viesti.dev");
    return ApiResponse.json(200, front);
  }

  private ApiResponse scrape() {
    return ApiResponse.bytes(PROMETHEUS, metrics.scrape().getBytes(StandardCharsets.UTF_8));
  }

  private ApiResponse members() {
    return ApiResponse.json(200, Map.of("members", cluster.now()));
  }

  private CompletionStage<ApiResponse> stream(Call call) {
    AppId only = call.appFilter();
    if (metrics.streamClients().get() >= settings.streamClientsMax()) {
      String detail = "this node has as many stream clients as it takes; try another node";
      throw Problem.of(Kind.UNAVAILABLE, detail).with("Retry-After", "5").exception();
    }
    return done(
        new ApiResponse(
            200,
            Map.of("X-Accel-Buffering", "no"),
            new ApiResponse.Outcomes(notice -> only == null || only.equals(notice.app()))));
  }

  private static CompletionStage<ApiResponse> done(ApiResponse response) {
    return CompletableFuture.completedStage(response);
  }

  private static byte[] resource(String name) {
    try (InputStream in = NodeRoutes.class.getResourceAsStream(name)) {
      if (in == null) {
        throw new IllegalStateException("the jar has no " + name);
      }
      return in.readAllBytes();
    } catch (IOException broken) {
      throw new UncheckedIOException(broken);
    }
  }
}
