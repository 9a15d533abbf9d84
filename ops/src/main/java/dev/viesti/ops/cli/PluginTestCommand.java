package dev.viesti.ops.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.viesti.dispatcher.plugin.LocalPlugin.Run;
import dev.viesti.ops.authoring.PluginFile;
import dev.viesti.ops.authoring.Rehearsal;
import dev.viesti.ops.authoring.Rehearsal.Script;
import dev.viesti.ops.cli.Output.Column;
import dev.viesti.ops.cli.client.ClientJson;
import dev.viesti.protocol.event.Event;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "test",
    description = {
      "Run recorded events through a plugin, without a server.",
      "Each line of the events is a CloudEvent, or {\"event\": CLOUDEVENT, \"expect\": {...}}, or",
      "{\"invoke\": FUNCTION, \"payload\": ..., \"expect\": {...}}. 'expect' may have outcome,"
          + " kind,",
      "error, published, kv, entities and reply; without it a line has to succeed. A line's 'time'",
      "is the time of its call. Exit code 1 when something is not as expected."
    })
final class PluginTestCommand implements Callable<Integer> {
  private static final List<Column> STEPS =
      List.of(
          Column.of("EVENT", "event"),
          Column.of("OUTCOME", "outcome"),
          Column.of("FUEL", "fuel"),
          Column.of("MS", "milliseconds"),
          Column.of("WRITES", "writes"),
          new Column("PUBLISHED", step -> words(step.path("published"))),
          new Column("ERROR", PluginTestCommand::error));

  private static final List<Column> STATE =
      List.of(Column.of("KEY", "key"), Column.of("VALUE", "value"));

  private final Terminal terminal;

  @Mixin private final Output output = new Output();

  @Parameters(
      paramLabel = "PATH",
      arity = "0..1",
      defaultValue = ".",
      description = "a project's folder, or a built module (default: this folder)")
  private Path path = Path.of(".");

  @Option(
      names = "--events",
      paramLabel = "FILE",
      description = "JSON lines; may be given again (default: the project's events.jsonl)")
  private List<Path> events = new ArrayList<>();

  @Option(
      names = "--config",
      paramLabel = "FILE",
      description = "the plugin's configuration, a JSON object")
  private @Nullable Path config;

  @Option(
      names = "--expect",
      paramLabel = "FILE",
      description =
          "what there shall be in the end: {\"kv\": {...}, \"entities\": {...},"
              + " \"published\": [...]}")
  private @Nullable Path expect;

  @Option(
      names = "--github",
      description =
          "lines may be {\"event\": \"issues\", \"payload\": {...}}: type github.issues.ACTION")
  private boolean github;

  PluginTestCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  @Override
  public Integer call() {
    Logs.pluginsTo(terminal.err());
    return PluginAuthoring.run(
        () -> {
          List<Path> files = events.isEmpty() ? PluginFile.eventsOf(path) : events;
          if (files.isEmpty()) {
            throw CommandFailure.usage(path + " has no events.jsonl: give --events");
          }
          var script = new Script(files, config, expect, github);
          PluginFile file = PluginFile.read(path);
          Rehearsal.Result result = Rehearsal.run(file, script, terminal.clock());
          show(file, result);
          return result.passed() ? ExitCodes.OK : ExitCodes.REFUSED;
        });
  }

  private void show(PluginFile file, Rehearsal.Result result) {
    var manifest = file.manifest().manifest();
    ObjectNode whole = ClientJson.MAPPER.createObjectNode();
    whole.put("plugin", manifest.id().value());
    whole.put("version", manifest.version());
    whole.put("passed", result.passed());
    ArrayNode steps = whole.putArray("steps");
    result.steps().forEach(step -> steps.add(json(step)));
    put(whole.putObject("kv"), result.kv());
    put(whole.putObject("entities"), fields(result));
    ArrayNode published = whole.putArray("published");
    result.published().forEach(event -> published.add(json(event)));
    ArrayNode faults = whole.putArray("faults");
    result.faults().forEach(faults::add);
    if (output.isJson()) {
      Output.printJson(terminal, whole);
      return;
    }
    new Table(terminal, STEPS).print(steps);
    state("kv", result.kv());
    state("entities", fields(result));
    verdict(result);
  }

  private static Map<String, String> fields(Rehearsal.Result result) {
    var fields = new TreeMap<String, String>();
    result.entities().forEach((name, entity) -> fields.put(name, entity.json()));
    return fields;
  }

  private void state(String title, Map<String, String> values) {
    if (!values.isEmpty()) {
      List<JsonNode> rows = new ArrayList<>();
      values.forEach(
          (key, value) ->
              rows.add(
                  ClientJson.MAPPER
                      .createObjectNode()
                      .put("key", title + " " + key)
                      .put("value", value)));
      terminal.out().println();
      new Table(terminal, STATE).print(rows);
    }
  }

  private void verdict(Rehearsal.Result result) {
    terminal.out().println();
    for (Rehearsal.Step step : result.steps()) {
      for (String fault : step.faults()) {
        terminal.out().println((step.where().isEmpty() ? "start" : step.where()) + ": " + fault);
      }
    }
    result.faults().forEach(fault -> terminal.out().println("in the end: " + fault));
    long wrong = result.steps().stream().filter(step -> !step.faults().isEmpty()).count();
    terminal
        .out()
        .println(
            result.passed()
                ? "passed: %d calls are as expected".formatted(result.steps().size())
                : "failed: %d of %d calls are not as expected"
                    .formatted(wrong, result.steps().size()));
  }

  private static ObjectNode json(Rehearsal.Step step) {
    Run run = step.run();
    ObjectNode json = ClientJson.MAPPER.createObjectNode();
    json.put("event", step.name());
    json.put("where", step.where());
    json.put("outcome", run.outcome());
    json.put("kind", run.kind());
    json.put("error", run.error());
    json.put("fuel", run.fuel());
    json.put("milliseconds", Math.round(run.took().toNanos() / 1e5) / 10.0);
    json.put("writes", run.changes().writes());
    ArrayNode published = json.putArray("published");
    run.changes().published().forEach(event -> published.add(event.type()));
    put(json.putObject("kv"), run.changes().kv());
    put(json.putObject("entities"), run.changes().entities());
    run.changes().numbers().forEach(json.putObject("numbers")::put);
    if (!run.reply().isEmpty()) {
      json.put("reply", run.reply().utf8());
    }
    ArrayNode faults = json.putArray("faults");
    step.faults().forEach(faults::add);
    return json;
  }

  private static ObjectNode json(Event event) {
    return ClientJson.MAPPER
        .createObjectNode()
        .put("type", event.type())
        .put("subject", event.subject())
        .put("data", event.data().utf8());
  }

  private static void put(ObjectNode json, Map<String, ? extends @Nullable String> values) {
    values.forEach(json::put);
  }

  private static String words(JsonNode list) {
    var words = new ArrayList<String>();
    list.forEach(word -> words.add(word.asText()));
    return String.join(" ", words);
  }

  private static String error(JsonNode step) {
    String kind = ClientJson.text(step, "kind");
    String error = ClientJson.text(step, "error");
    return kind.isEmpty() || error.startsWith(kind + ": ") ? error : kind + ": " + error;
  }
}
