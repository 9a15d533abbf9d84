package dev.viesti.ops.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.viesti.ops.cli.Output.Column;
import dev.viesti.ops.cli.client.ApiClient;
import dev.viesti.ops.cli.client.ClientJson;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(name = "app", description = "Apps: who has an outbox of its own.")
final class AppCommands {
  private static final List<Column> COLUMNS =
      List.of(
          Column.of("APP", "id"),
          Column.of("PAUSED", "paused"),
          Column.time("CREATED", "createdAt"),
          Column.time("UPDATED", "updatedAt"),
          Column.of("NAME", "displayName"));

  private static final List<Column> FIELDS =
      List.of(
          Column.of("app", "id"),
          Column.of("name", "displayName"),
          Column.of("concurrency", "concurrency"),
          Column.of("paused", "paused"),
          new Column("retry", app -> Documents.inline(app.path("retry"))),
          Column.of("revision", "revision"),
          Column.time("created", "createdAt"),
          Column.time("updated", "updatedAt"));

  private final Terminal terminal;

  AppCommands(Terminal terminal) {
    this.terminal = terminal;
  }

  @Command(name = "list", description = "List apps by id.")
  int list(@Mixin ServerOptions server, @Mixin Output output, @Mixin PageOptions page) {
    try (ApiClient client = server.connect(terminal)) {
      return page.list(terminal, output, client, "/v1/apps", Map.of(), COLUMNS);
    }
  }

  @Command(name = "get", description = "Show an app.")
  int get(@Mixin ServerOptions server, @Mixin Output output, @Parameters String app) {
    try (ApiClient client = server.connect(terminal)) {
      output.show(terminal, client.get(path(app), Map.of()), FIELDS);
      return ExitCodes.OK;
    }
  }

  @Command(
      name = "put",
      description = {
        "Create an app or replace its settings.",
        "What is left out takes its default; the settings may also come from a file."
      })
  int put(
      @Mixin ServerOptions server,
      @Mixin Output output,
      @Parameters String app,
      @Option(names = "--display-name", paramLabel = "TEXT") @Nullable String displayName,
      @Option(
              names = "--concurrency",
              paramLabel = "N",
              description = "executions of this app that may run at once")
          @Nullable Integer concurrency,
      @Option(names = "--paused", description = "accept and keep events, run nothing")
          boolean paused,
      @Option(
              names = {"-f", "--file"},
              paramLabel = "FILE",
              description = "settings as YAML or JSON; '-' reads standard input")
          @Nullable String file) {
    ObjectNode settings =
        file == null
            ? ClientJson.MAPPER.createObjectNode()
            : Documents.readOne(terminal, file, List.of("id"));
    if (displayName != null) {
      settings.put("displayName", displayName);
    }
    if (concurrency != null) {
      settings.put("concurrency", concurrency);
    }
    if (paused) {
      settings.put("paused", true);
    }
    try (ApiClient client = server.connect(terminal)) {
      JsonNode saved = client.put(path(app), settings, null).body();
      output.show(terminal, saved, FIELDS);
      return ExitCodes.OK;
    }
  }

  @Command(name = "delete", description = "Remove an app with its triggers and dead letters.")
  int delete(
      @Mixin ServerOptions server,
      @Mixin Output output,
      @Parameters String app,
      @Option(
              names = "--cancel-deliveries",
              description = "also when deliveries wait or run: they are cancelled")
          boolean cancelDeliveries) {
    try (ApiClient client = server.connect(terminal)) {
      client.delete(path(app), cancelDeliveries ? Map.of("cancelDeliveries", "true") : Map.of());
      output.say(terminal, "deleted app " + app);
      return ExitCodes.OK;
    }
  }

  private static String path(String app) {
    return ApiClient.path("/v1/apps/%s", app);
  }
}
