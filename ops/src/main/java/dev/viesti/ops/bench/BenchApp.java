package dev.viesti.ops.bench;

import dev.viesti.ops.cli.client.ApiClient;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/** An app of one run, with one trigger that takes every event. For one thread. */
final class BenchApp {
  /** Of Standard Webhooks: 24 bytes in base64. Nothing is behind it. */
  private static final String SECRET = "whsec_" + "AAAA".repeat(8);

  /** A target that does nothing, inside the node. */
  static final String NOOP = "{\"handler\":{\"name\":\"%s\"}}".formatted(BenchServer.NOOP);

  private final NodeProcess node;
  private final String name;

  private BenchApp(NodeProcess node, String name) {
    this.node = node;
    this.name = name;
  }

  /**
   * @param target as JSON
   * @param paused accepts and keeps, runs nothing
   */
  static BenchApp create(NodeProcess node, String name, String target, boolean paused)
      throws IOException {
    BenchApp app = new BenchApp(node, name);
    app.pause(paused);
    app.put("/triggers/all", "{\"on\":{},\"target\":" + target + "}");
    return app;
  }

  static String webhook(Receiver receiver) {
    return "{\"webhook\":{\"url\":\"%s\",\"secret\":\"%s\"}}".formatted(receiver.url(), SECRET);
  }

  NodeProcess node() {
    return node;
  }

  /** Where events go. */
  String eventsPath() {
    return ApiClient.path("/v1/apps/%s/events", name);
  }

  void pause(boolean paused) throws IOException {
    put("", "{\"paused\":" + paused + "}");
  }

  private void put(String path, String json) throws IOException {
    try (HttpConnection connection = node.connect()) {
      int status =
          connection.send(
              "PUT",
              ApiClient.path("/v1/apps/%s", name) + path,
              "application/json",
              json.getBytes(StandardCharsets.UTF_8));
      if (status != 200 && status != 201) {
        throw new IllegalStateException(
            "PUT of %s%s answers %d: %s".formatted(name, path, status, connection.body()));
      }
    }
  }
}
