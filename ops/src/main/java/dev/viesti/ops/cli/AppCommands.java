package dev.viesti.ops.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.viesti.ops.cli.Output.Column;
import dev.viesti.ops.cli.client.ApiClient;
import dev.viesti.ops.cli.client.ApiProblem;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "app",
    description = "Apps: each has triggers, an outbox and dead letters of its own.")
final class AppCommands {
  private static final int PRECONDITION_FAILED = 412;
  private static final String APP = "the app's id";
  private static final String PAUSED = "accept and keep events, run nothing";

  private static final List<Column> COLUMNS =
      List.of(
          Column.of("APP", "id"),
          Column.of("PAUSED", "paused"),
          Column.time("CREATED", "createdAt"),
          Column.time("UPDATED", "updatedAt"),
          Column.of("NAME", "displayName"));

  /** Every setting of an app: a test compares. */
  private static final List<Column> FIELDS =
      List.of(
          Column.of("app", "id"),
          Column.of("name", "displayName"),
          Column.of("concurrency", "concurrency"),
          Column.of("weight", "weight"),
          Column.inline("rate", "rate"),
          Column.of("paused", "paused"),
          Column.inline("retry", "retry"),
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
  int get(
      @Mixin ServerOptions server,
      @Mixin Output output,
      @Parameters(paramLabel = "APP", description = APP) String app) {
    try (ApiClient client = server.connect(terminal)) {
      output.show(terminal, client.get(path(app), Map.of()), FIELDS);
      return ExitCodes.OK;
    }
  }

  @Command(name = "create", description = "Create an app; refused when there is one.")
  int create(
      @Mixin ServerOptions server,
      @Mixin Output output,
      @Parameters(paramLabel = "APP", description = APP) String app,
      @Mixin AppFields fields,
      @Option(names = "--paused", description = PAUSED) boolean paused) {
    ObjectNode settings = withPaused(fields.given(terminal), paused);
    try (ApiClient client = server.connect(terminal)) {
      output.show(terminal, client.create(path(app), settings).body(), FIELDS);
      return ExitCodes.OK;
    } catch (ApiProblem problem) {
      if (problem.status() == PRECONDITION_FAILED) {
        throw CommandFailure.refused(
            "app %s exists already: change it with 'app update', or replace it with 'app put'"
                .formatted(app));
      }
      throw problem;
    }
  }

  @Command(
      name = "update",
      description = {
        "Change some of an app's settings; what is not named stays as it is.",
        "A file's members replace those of the app."
      })
  int update(
      @Mixin ServerOptions server,
      @Mixin Output output,
      @Parameters(paramLabel = "APP", description = APP) String app,
      @Mixin AppFields fields) {
    ObjectNode changes = fields.given(terminal);
    if (changes.isEmpty()) {
      throw CommandFailure.usage(
          "nothing to change: give --display-name, --concurrency, --weight, --rate or a file");
    }
    return change(server, output, app, settings -> settings.setAll(changes));
  }

  @Command(
      name = "put",
      description = {
        "Create an app, or replace all of its settings: what is not named takes its default.",
        "To change some of them and keep the others, use 'update'."
      })
  int put(
      @Mixin ServerOptions server,
      @Mixin Output output,
      @Parameters(paramLabel = "APP", description = APP) String app,
      @Mixin AppFields fields,
      @Option(names = "--paused", description = PAUSED) boolean paused) {
    ObjectNode settings = withPaused(fields.given(terminal), paused);
    try (ApiClient client = server.connect(terminal)) {
      output.show(terminal, client.put(path(app), settings, null).body(), FIELDS);
      return ExitCodes.OK;
    }
  }

  @Command(name = "pause", description = "Let an app accept and keep events, and run nothing.")
  int pause(
      @Mixin ServerOptions server,
      @Mixin Output output,
      @Parameters(paramLabel = "APP", description = APP) String app) {
    return change(server, output, app, settings -> settings.put("paused", true));
  }

  @Command(name = "resume", description = "Let a paused app run what it has kept.")
  int resume(
      @Mixin ServerOptions server,
      @Mixin Output output,
      @Parameters(paramLabel = "APP", description = APP) String app) {
    return change(server, output, app, settings -> settings.put("paused", false));
  }

  @Command(name = "delete", description = "Remove an app with its triggers and dead letters.")
  int delete(
      @Mixin ServerOptions server,
      @Mixin Output output,
      @Parameters(paramLabel = "APP", description = APP) String app,
      @Option(
              names = "--cancel-deliveries",
              description = "also when deliveries wait or run: they are cancelled")
          boolean cancelDeliveries) {
    try (ApiClient client = server.connect(terminal)) {
      client.delete(path(app), cancelDeliveries ? Map.of("cancelDeliveries", "true") : Map.of());
      output.deleted(terminal, "app", app);
      return ExitCodes.OK;
    }
  }

  private int change(ServerOptions server, Output output, String app, Consumer<ObjectNode> change) {
    try (ApiClient client = server.connect(terminal)) {
      output.show(terminal, Changes.apply(client, path(app), change).body(), FIELDS);
      return ExitCodes.OK;
    }
  }

  private static ObjectNode withPaused(ObjectNode settings, boolean paused) {
    return paused ? settings.put("paused", true) : settings;
  }

  private static String path(String app) {
    return ApiClient.path("/v1/apps/%s", app);
  }
}
