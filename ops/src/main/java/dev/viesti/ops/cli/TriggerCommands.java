package dev.viesti.ops.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.viesti.ops.cli.Output.Column;
import dev.viesti.ops.cli.client.ApiClient;
import dev.viesti.ops.cli.client.ApiClient.Answer;
import dev.viesti.ops.cli.client.ClientJson;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(name = "trigger", description = "Triggers: which events run which target.")
final class TriggerCommands {
  private static final List<Column> COLUMNS =
      List.of(
          Column.of("TRIGGER", "id"),
          Column.of("ENABLED", "enabled"),
          Column.inline("ON", "on"),
          new Column("TARGET", TriggerCommands::target));

  /** Every field of a trigger: a test compares. */
  private static final List<Column> FIELDS =
      List.of(
          Column.of("trigger", "id"),
          Column.of("enabled", "enabled"),
          Column.of("disabled because", "disabledReason"),
          Column.inline("on", "on"),
          Column.of("filter", "filter"),
          new Column("target", TriggerCommands::target),
          Column.inline("retry", "retry"),
          Column.of("timeout", "timeout"),
          Column.of("concurrency", "concurrency"),
          Column.of("orderBy", "orderBy"),
          Column.of("onFailure", "onFailure"),
          Column.of("priority", "priority"),
          Column.inline("rate", "rate"),
          Column.of("revision", "revision"),
          Column.time("created", "createdAt"),
          Column.time("updated", "updatedAt"));

  private final Terminal terminal;

  TriggerCommands(Terminal terminal) {
    this.terminal = terminal;
  }

  @Command(name = "list", description = "List an app's triggers by id.")
  int list(
      @Mixin ServerOptions server,
      @Mixin Output output,
      @Mixin PageOptions page,
      @Mixin AppOption app) {
    try (ApiClient client = server.connect(terminal)) {
      return page.list(terminal, output, client, app.path("/triggers"), Map.of(), COLUMNS);
    }
  }

  @Command(name = "get", description = "Show a trigger.")
  int get(
      @Mixin ServerOptions server,
      @Mixin Output output,
      @Mixin AppOption app,
      @Parameters(paramLabel = "TRIGGER", description = "the trigger's id") String trigger) {
    try (ApiClient client = server.connect(terminal)) {
      output.show(terminal, client.get(path(app, trigger), Map.of()), FIELDS);
      return ExitCodes.OK;
    }
  }

  @Command(
      name = "apply",
      description = {
        "Create or replace triggers from files.",
        "A file holds one or many documents, YAML or JSON; each has 'app', 'id' and the",
        "trigger's fields: on, filter, target, retry, timeout, concurrency, orderBy, onFailure,",
        "priority, rate, enabled. What a document leaves out takes its default.",
        "All of them are read before the first one is sent. A short one:",
        "  {app: shop, id: ship, on: {type: orders.*}, target: {log: {}}}"
      })
  int apply(
      @Mixin ServerOptions server,
      @Mixin Output output,
      @Option(
              names = {"-f", "--file"},
              required = true,
              paramLabel = "FILE",
              description = "may be given again; '-' reads standard input")
          List<String> files,
      @Option(
              names = {"-a", "--app"},
              paramLabel = "APP",
              description = "whose: for documents that name no app")
          @Nullable String app) {
    Map<String, ObjectNode> wanted = new LinkedHashMap<>();
    for (String file : files) {
      for (ObjectNode document : Documents.read(terminal, file)) {
        String path = addressOf(document, app, Documents.name(file));
        if (wanted.put(path, document.without(List.of("app", "id"))) != null) {
          throw CommandFailure.usage(
              Documents.name(file) + " names the trigger " + path + " twice");
        }
      }
    }
    var saved = new ArrayList<JsonNode>();
    try (ApiClient client = server.connect(terminal)) {
      wanted.forEach(
          (path, trigger) -> {
            Answer answer = client.put(path, trigger, null);
            saved.add(answer.body());
            String name = path.substring("/v1/apps/".length()).replace("/triggers", "");
            output.say(terminal, (answer.status() == 201 ? "created " : "applied ") + name);
          });
    }
    if (output.isJson()) {
      ObjectNode whole = ClientJson.MAPPER.createObjectNode();
      whole.putArray("data").addAll(saved);
      Output.printJson(terminal, whole);
    }
    return ExitCodes.OK;
  }

  @Command(name = "delete", description = "Remove a trigger; what waits for it is dead-lettered.")
  int delete(
      @Mixin ServerOptions server,
      @Mixin Output output,
      @Mixin AppOption app,
      @Parameters(paramLabel = "TRIGGER", description = "the trigger's id") String trigger) {
    try (ApiClient client = server.connect(terminal)) {
      client.delete(path(app, trigger), Map.of());
      output.deleted(terminal, "trigger", trigger);
      return ExitCodes.OK;
    }
  }

  @Command(
      name = "enable",
      description = "Let a trigger match events again, and run what waits for it.")
  int enable(
      @Mixin ServerOptions server,
      @Mixin Output output,
      @Mixin AppOption app,
      @Parameters(paramLabel = "TRIGGER", description = "the trigger's id") String trigger) {
    return setEnabled(server, output, path(app, trigger), true);
  }

  @Command(
      name = "disable",
      description = "Keep a trigger, but let it match nothing; what waits for it stays.")
  int disable(
      @Mixin ServerOptions server,
      @Mixin Output output,
      @Mixin AppOption app,
      @Parameters(paramLabel = "TRIGGER", description = "the trigger's id") String trigger) {
    return setEnabled(server, output, path(app, trigger), false);
  }

  private int setEnabled(ServerOptions server, Output output, String path, boolean enabled) {
    try (ApiClient client = server.connect(terminal)) {
      Answer saved = Changes.apply(client, path, trigger -> trigger.put("enabled", enabled));
      output.show(terminal, saved.body(), FIELDS);
      return ExitCodes.OK;
    }
  }

  private static String addressOf(ObjectNode document, @Nullable String app, String file) {
    String id = ClientJson.text(document, "id");
    String owner =
        document.hasNonNull("app") ? ClientJson.text(document, "app") : app == null ? "" : app;
    if (id.isEmpty()) {
      throw CommandFailure.usage(file + ": a trigger has no 'id'");
    }
    if (owner.isEmpty()) {
      throw CommandFailure.usage(
          file + ": trigger '" + id + "' has no 'app': write it there, or give --app");
    }
    return ApiClient.path("/v1/apps/%s/triggers/%s", owner, id);
  }

  private static String path(AppOption app, String trigger) {
    return app.path(ApiClient.path("/triggers/%s", trigger));
  }

  private static String target(JsonNode trigger) {
    JsonNode target = trigger.path("target");
    var kinds = target.fieldNames();
    if (!kinds.hasNext()) {
      return "";
    }
    String kind = kinds.next();
    return (kind + " " + Documents.inline(target.path(kind))).strip();
  }
}
