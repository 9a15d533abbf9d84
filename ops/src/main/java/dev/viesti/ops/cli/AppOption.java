package dev.viesti.ops.cli;

import dev.viesti.ops.cli.client.ApiClient;
import picocli.CommandLine.Option;

/** Whose outbox. */
final class AppOption {
  @Option(
      names = {"-a", "--app"},
      required = true,
      paramLabel = "APP",
      description = "the app's id")
  private String app = "";

  String id() {
    return app;
  }

  /** A path below the app's. */
  String path(String below) {
    return ApiClient.path("/v1/apps/%s", app) + below;
  }
}
