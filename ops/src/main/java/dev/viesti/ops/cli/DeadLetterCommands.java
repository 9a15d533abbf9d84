package dev.viesti.ops.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.viesti.ops.cli.Output.Column;
import dev.viesti.ops.cli.client.ApiClient;
import dev.viesti.ops.cli.client.ClientJson;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "dead-letter",
    description = "Deliveries given up on, until somebody resolves them.")
final class DeadLetterCommands {
  private static final int REPLAY_LIMIT_DEFAULT = 1_000;

  private static final List<Column> COLUMNS =
      List.of(
          Column.of("DEAD LETTER", "id"),
          Column.of("TRIGGER", "trigger"),
          Column.of("ATTEMPTS", "attempts"),
          Column.time("CREATED", "createdAt"),
          Column.of("RESOLUTION", "resolution"),
          Column.of("LAST ERROR", "lastError"));

  private static final List<Column> FIELDS =
      List.of(
          Column.of("dead letter", "id"),
          Column.of("delivery", "delivery"),
          Column.of("event", "eventId"),
          Column.of("trigger", "trigger"),
          Column.of("attempts", "attempts"),
          Column.time("accepted", "acceptedAt"),
          Column.time("first attempt", "firstAttemptAt"),
          Column.time("last attempt", "lastAttemptAt"),
          Column.of("last error", "lastError"),
          Column.time("created", "createdAt"),
          Column.time("resolved", "resolvedAt"),
          Column.of("resolution", "resolution"),
          Column.of("note", "note"),
          new Column("content", letter -> Events.show(letter.path("event"))));

  private final Terminal terminal;

  DeadLetterCommands(Terminal terminal) {
    this.terminal = terminal;
  }

  @Command(name = "list", description = "List dead letters, newest first.")
  int list(
      @Mixin ServerOptions server,
      @Mixin Output output,
      @Mixin PageOptions page,
      @Mixin AppOption app,
      @Option(names = "--trigger", paramLabel = "TRIGGER", description = "only this trigger's")
          @Nullable String trigger,
      @Option(
              names = "--resolved",
              paramLabel = "true|false",
              arity = "0..1",
              fallbackValue = "true",
              description =
                  "only resolved ones, or with false only those that are not (default: both)")
          @Nullable Boolean resolved) {
    try (ApiClient client = server.connect(terminal)) {
      return page.list(
          terminal, output, client, app.path("/dead-letters"), filters(trigger, resolved), COLUMNS);
    }
  }

  @Command(name = "get", description = "Show a dead letter with its event and its attempts.")
  int get(
      @Mixin ServerOptions server,
      @Mixin Output output,
      @Mixin AppOption app,
      @Parameters(paramLabel = "ID", description = "the dead letter's id") String id) {
    try (ApiClient client = server.connect(terminal)) {
      JsonNode letter = client.get(path(app, id), Map.of());
      output.show(terminal, letter, FIELDS);
      Events.showAttempts(terminal, output, letter.path("attemptLog"));
      return ExitCodes.OK;
    }
  }

  @Command(name = "count", description = "Count those that nobody has resolved.")
  int count(
      @Mixin ServerOptions server,
      @Mixin Output output,
      @Mixin AppOption app,
      @Option(names = "--trigger", paramLabel = "TRIGGER", description = "only this trigger's")
          @Nullable String trigger,
      @Option(
              names = "--resolved",
              paramLabel = "true|false",
              arity = "0..1",
              fallbackValue = "true",
              description = "count the resolved ones instead")
          @Nullable Boolean resolved) {
    try (ApiClient client = server.connect(terminal)) {
      JsonNode answer =
          client.get(
              app.path("/dead-letters:count"),
              filters(trigger, resolved == null ? Boolean.FALSE : resolved));
      output.show(terminal, answer, List.of(Column.of("count", "count")));
      return ExitCodes.OK;
    }
  }

  @Command(
      name = "replay",
      description = {
        "Put dead letters back into the outbox as fresh deliveries.",
        "One by its id, or many: --trigger names whose, --all means every trigger's."
      })
  int replay(
      @Mixin ServerOptions server,
      @Mixin Output output,
      @Mixin AppOption app,
      @Parameters(arity = "0..1", paramLabel = "ID", description = "one: its id")
          @Nullable String id,
      @Option(names = "--trigger", paramLabel = "TRIGGER", description = "many: this trigger's")
          @Nullable String trigger,
      @Option(names = "--all", description = "many: every trigger's") boolean all,
      @Option(
              names = "--limit",
              paramLabel = "N",
              description = "many: at most so many, oldest first (default: ${DEFAULT-VALUE})",
              defaultValue = "" + REPLAY_LIMIT_DEFAULT)
          int limit,
      @Option(names = "--dry-run", description = "many: only count them") boolean dryRun) {
    boolean many = trigger != null || all;
    if (many == (id != null)) {
      throw CommandFailure.usage("give either one dead letter's id, or --trigger or --all");
    }
    try (ApiClient client = server.connect(terminal)) {
      if (id != null) {
        JsonNode answer = client.post(path(app, id) + ":replay");
        output.show(terminal, answer, List.of(Column.of("delivery", "delivery")));
        return ExitCodes.OK;
      }
      ObjectNode request = ClientJson.MAPPER.createObjectNode();
      if (trigger != null) {
        request.put("trigger", trigger);
      }
      request.put("limit", limit).put("dryRun", dryRun);
      JsonNode answer = client.post(app.path("/dead-letters:replay"), request);
      output.show(
          terminal,
          answer,
          List.of(Column.of("matched", "matched"), Column.of("replayed", "replayed")));
      return ExitCodes.OK;
    }
  }

  @Command(name = "resolve", description = "Mark a dead letter as dealt with.")
  int resolve(
      @Mixin ServerOptions server,
      @Mixin Output output,
      @Mixin AppOption app,
      @Parameters(paramLabel = "ID", description = "the dead letter's id") String id,
      @Option(
              names = "--resolution",
              paramLabel = "WORD",
              defaultValue = "ignored",
              description =
                  "ignored, handled_by_script or handler_failed (default: ${DEFAULT-VALUE})")
          String resolution,
      @Option(names = "--note", paramLabel = "TEXT", description = "why, for those who read later")
          @Nullable String note) {
    ObjectNode request = ClientJson.MAPPER.createObjectNode().put("resolution", resolution);
    if (note != null) {
      request.put("note", note);
    }
    try (ApiClient client = server.connect(terminal)) {
      output.show(terminal, client.post(path(app, id) + ":resolve", request), FIELDS);
      return ExitCodes.OK;
    }
  }

  private static String path(AppOption app, String id) {
    return app.path(ApiClient.path("/dead-letters/%s", id));
  }

  private static Map<String, String> filters(@Nullable String trigger, @Nullable Boolean resolved) {
    var filters = new LinkedHashMap<String, String>();
    if (trigger != null) {
      filters.put("trigger", trigger);
    }
    if (resolved != null) {
      filters.put("resolved", resolved.toString());
    }
    return filters;
  }
}
