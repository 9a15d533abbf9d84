package dev.viesti.ops.cli;

import com.fasterxml.jackson.databind.JsonNode;
import dev.viesti.ops.cli.Output.Column;
import dev.viesti.ops.cli.client.ApiClient;
import dev.viesti.ops.cli.client.ApiClient.Answer;
import dev.viesti.ops.cli.client.ClientJson;
import dev.viesti.ops.cli.client.FormBody;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(name = "plugin", description = "Plugins: WASM modules that triggers run in a sandbox.")
final class PluginCommands {
  private static final List<Column> COLUMNS =
      List.of(
          Column.of("PLUGIN", "id"),
          Column.of("STATUS", "status"),
          Column.of("VERSION", "version"),
          Column.of("NAME", "name"),
          Column.time("UPDATED", "updatedAt"),
          Column.of("PROBLEM", "problem"));

  private static final List<Column> FIELDS =
      List.of(
          Column.of("plugin", "id"),
          Column.of("status", "status"),
          Column.of("problem", "problem"),
          Column.time("quarantined until", "quarantinedUntil"),
          Column.of("name", "name"),
          new Column("current", plugin -> version(plugin.path("current"))),
          new Column("candidate", plugin -> version(plugin.path("candidate"))),
          new Column("previous", plugin -> version(plugin.path("previous"))),
          new Column("permissions", plugin -> words(plugin.at("/manifest/permissions"))),
          new Column("subscribes to", plugin -> patterns(plugin.at("/manifest/subscribe"))),
          Column.of("trigger", "trigger"),
          new Column("config", plugin -> json(plugin.path("config"))),
          Column.of("revision", "revision"),
          Column.time("created", "createdAt"),
          Column.time("updated", "updatedAt"));

  private static final List<Column> METRICS =
      List.of(
          Column.time("since", "since"),
          Column.of("calls", "invocations"),
          Column.inline("errors", "errors"),
          Column.of("milliseconds", "milliseconds"),
          Column.of("fuel", "fuel"),
          Column.of("peak memory in bytes", "peakMemoryBytes"),
          Column.of("traps in a row", "consecutiveTraps"),
          Column.of("last error", "lastError"),
          Column.time("last error at", "lastErrorAt"),
          Column.time("last call at", "lastInvocationAt"));

  private final Terminal terminal;

  PluginCommands(Terminal terminal) {
    this.terminal = terminal;
  }

  @Command(name = "list", description = "List an app's plugins by id.")
  int list(
      @Mixin ServerOptions server,
      @Mixin Output output,
      @Mixin PageOptions page,
      @Mixin AppOption app) {
    try (ApiClient client = server.connect(terminal)) {
      return page.list(terminal, output, client, app.path("/plugins"), Map.of(), COLUMNS);
    }
  }

  @Command(name = "get", description = "Show a plugin.")
  int get(
      @Mixin ServerOptions server,
      @Mixin Output output,
      @Mixin AppOption app,
      @Parameters(paramLabel = "PLUGIN", description = "the plugin's id") String plugin) {
    try (ApiClient client = server.connect(terminal)) {
      output.show(terminal, client.get(path(app, plugin), Map.of()), FIELDS);
      return ExitCodes.OK;
    }
  }

  @Command(
      name = "push",
      description = {
        "Install a plugin, or upgrade it, and wait until it runs.",
        "When init of the new version fails, what ran before runs on. The manifest is checked",
        "before anything is sent. Its id is the plugin's.",
        "  viesti plugin push -a shop orders.wasm --manifest orders.toml"
      })
  int push(
      @Mixin ServerOptions server,
      @Mixin Output output,
      @Mixin AppOption app,
      @Option(
              names = "--manifest",
              paramLabel = "FILE",
              description = "JSON or TOML; else it is in the module, in section 'viesti-manifest'")
          @Nullable String manifest,
      @Option(names = "--config", paramLabel = "FILE", description = "a JSON object")
          @Nullable String config,
      @Option(names = "--create", description = "only if the app has no such plugin yet")
          boolean create,
      @Parameters(paramLabel = "FILE", description = "the module, a .wasm file") String module) {
    PluginPush push = PluginPush.read(module, manifest, config);
    String id = push.says().id().value();
    FormBody form = push.form();
    try (ApiClient client = server.connect(terminal)) {
      note("sending %s %s, %,d bytes".formatted(id, push.says().version(), push.module().size()));
      Answer answer =
          client.put(
              path(app, id),
              form.contentType(),
              form.end(),
              create ? Map.of("If-None-Match", "*") : Map.of());
      output.say(
          terminal,
          "%s %s %s".formatted(answer.status() == 201 ? "installed" : "pushed", app.id(), id));
      output.show(terminal, answer.body(), FIELDS);
      return ExitCodes.OK;
    }
  }

  /** Where people look on: compiling and init may take a while. */
  private void note(String what) {
    if (terminal.errIsTerminal()) {
      terminal.err().println(what + "; it is compiled and initialized there");
    }
  }

  @Command(
      name = "enable",
      description = "Let a plugin run again; also ends a quarantine before its time.")
  int enable(
      @Mixin ServerOptions server,
      @Mixin Output output,
      @Mixin AppOption app,
      @Parameters(paramLabel = "PLUGIN", description = "the plugin's id") String plugin) {
    return post(server, output, path(app, plugin) + ":enable");
  }

  @Command(
      name = "disable",
      description = "Keep a plugin, but let nothing of it run; what waits for it stays.")
  int disable(
      @Mixin ServerOptions server,
      @Mixin Output output,
      @Mixin AppOption app,
      @Parameters(paramLabel = "PLUGIN", description = "the plugin's id") String plugin) {
    return post(server, output, path(app, plugin) + ":disable");
  }

  @Command(name = "rollback", description = "Let the version before take over again.")
  int rollback(
      @Mixin ServerOptions server,
      @Mixin Output output,
      @Mixin AppOption app,
      @Parameters(paramLabel = "PLUGIN", description = "the plugin's id") String plugin) {
    return post(server, output, path(app, plugin) + ":rollback");
  }

  private int post(ServerOptions server, Output output, String path) {
    try (ApiClient client = server.connect(terminal)) {
      output.show(terminal, client.post(path), FIELDS);
      return ExitCodes.OK;
    }
  }

  @Command(
      name = "config",
      description = "Replace a plugin's configuration; calls that begin later see it.")
  int config(
      @Mixin ServerOptions server,
      @Mixin Output output,
      @Mixin AppOption app,
      @Option(
              names = {"-f", "--file"},
              required = true,
              paramLabel = "FILE",
              description = "JSON or YAML, one object; '-' reads standard input")
          String file,
      @Parameters(paramLabel = "PLUGIN", description = "the plugin's id") String plugin) {
    JsonNode config = Documents.readOne(terminal, file, List.of());
    try (ApiClient client = server.connect(terminal)) {
      Answer answer = client.put(path(app, plugin) + "/config", config, null);
      output.show(terminal, answer.body(), FIELDS);
      return ExitCodes.OK;
    }
  }

  @Command(
      name = "health",
      description = "Check that an instance of a plugin can be made; the exit code says so.")
  int health(
      @Mixin ServerOptions server,
      @Mixin Output output,
      @Mixin AppOption app,
      @Parameters(paramLabel = "PLUGIN", description = "the plugin's id") String plugin) {
    try (ApiClient client = server.connect(terminal)) {
      JsonNode health = client.get(path(app, plugin) + "/health", Map.of());
      boolean healthy = health.path("healthy").asBoolean();
      if (output.isJson()) {
        Output.printJson(terminal, health);
      } else {
        output.say(
            terminal,
            healthy ? plugin + " is healthy" : plugin + ": " + ClientJson.text(health, "problem"));
      }
      return healthy ? ExitCodes.OK : ExitCodes.REFUSED;
    }
  }

  @Command(
      name = "metrics",
      description = "Show what became of a plugin's calls since its app came to its node.")
  int metrics(
      @Mixin ServerOptions server,
      @Mixin Output output,
      @Mixin AppOption app,
      @Parameters(paramLabel = "PLUGIN", description = "the plugin's id") String plugin) {
    try (ApiClient client = server.connect(terminal)) {
      output.show(terminal, client.get(path(app, plugin) + "/metrics", Map.of()), METRICS);
      return ExitCodes.OK;
    }
  }

  @Command(
      name = "delete",
      description = {
        "Uninstall a plugin; what waits for it is dead-lettered.",
        "Its entities and numbers stay, unless --purge is given."
      })
  int delete(
      @Mixin ServerOptions server,
      @Mixin Output output,
      @Mixin AppOption app,
      @Option(names = "--purge", description = "forget its entities and numbers as well")
          boolean purge,
      @Parameters(paramLabel = "PLUGIN", description = "the plugin's id") String plugin) {
    try (ApiClient client = server.connect(terminal)) {
      client.delete(path(app, plugin), purge ? Map.of("purge", "true") : Map.of());
      output.deleted(terminal, "plugin", plugin);
      return ExitCodes.OK;
    }
  }

  private static String path(AppOption app, String plugin) {
    return app.path(ApiClient.path("/plugins/%s", plugin));
  }

  private static String version(JsonNode version) {
    if (!version.isObject()) {
      return "";
    }
    String sha256 = ClientJson.text(version, "sha256");
    return "%s  %s…  %,d bytes  %s by %s"
        .formatted(
            ClientJson.text(version, "version"),
            sha256.substring(0, Math.min(12, sha256.length())),
            version.path("size").asLong(),
            Output.utc(ClientJson.text(version, "installedAt")),
            ClientJson.text(version, "by"));
  }

  private static String words(JsonNode list) {
    return StreamSupport.stream(list.spliterator(), false)
        .map(JsonNode::asText)
        .collect(Collectors.joining(", "));
  }

  private static String patterns(JsonNode list) {
    return StreamSupport.stream(list.spliterator(), false)
        .map(Documents::inline)
        .collect(Collectors.joining(", "));
  }

  private static String json(JsonNode value) {
    return value.isNull() || value.isMissingNode() ? "" : value.toString();
  }
}
