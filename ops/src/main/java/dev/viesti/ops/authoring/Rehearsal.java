package dev.viesti.ops.authoring;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.uuid.Generators;
import dev.viesti.dispatcher.plugin.LocalPlugin;
import dev.viesti.dispatcher.plugin.LocalPlugin.Changes;
import dev.viesti.dispatcher.plugin.LocalPlugin.Entity;
import dev.viesti.dispatcher.plugin.LocalPlugin.Run;
import dev.viesti.dispatcher.plugin.manifest.ConfigSchema;
import dev.viesti.dispatcher.plugin.manifest.Fault;
import dev.viesti.dispatcher.wasm.InvalidModuleException;
import dev.viesti.ops.cli.client.ClientJson;
import dev.viesti.protocol.event.Event;
import dev.viesti.protocol.event.Payload;
import dev.viesti.protocol.plugin.EntityType;
import dev.viesti.protocol.plugin.Manifest;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Runs recorded events through a plugin, without a server. */
public final class Rehearsal {
  /** The outcome of an event that the manifest does not subscribe to: nothing was run. */
  private static final String UNMATCHED = "unmatched";

  private static final String SUCCEEDED = "succeeded";

  /** Who invokes. */
  private static final String PRINCIPAL = "local";

  /**
   * What to run.
   *
   * @param config null when the plugin has none
   * @param expect what there shall be in the end; null when it does not matter
   * @param github whether files may hold what GitHub delivers
   */
  public record Script(
      List<Path> events, @Nullable Path config, @Nullable Path expect, boolean github) {}

  /**
   * One line of the script, or the start.
   *
   * @param where file and line; empty for the start
   * @param faults what is not as expected
   */
  public record Step(String where, String name, Run run, List<String> faults) {}

  /**
   * What came of all.
   *
   * @param faults what of the state in the end is not as expected
   */
  public record Result(
      List<Step> steps,
      Map<String, String> kv,
      Map<String, Entity> entities,
      List<Event> published,
      List<String> faults) {
    /** Whether all was as expected. */
    public boolean passed() {
      return faults.isEmpty() && steps.stream().allMatch(step -> step.faults().isEmpty());
    }
  }

  private final LocalPlugin plugin;
  private final Manifest manifest;
  private final Clock clock;

  private Rehearsal(LocalPlugin plugin, Manifest manifest, Clock clock) {
    this.plugin = plugin;
    this.manifest = manifest;
    this.clock = clock;
  }

  /**
   * Installs the plugin in an app of its own and runs the script. A call is made at the time that
   * its line names, so that what depends on it is the same every time.
   *
   * @param clock for lines without a time
   * @throws AuthoringException when something cannot be run at all
   */
  public static Result run(PluginFile file, Script script, Clock clock)
      throws AuthoringException, IOException, InterruptedException {
    Manifest manifest = file.manifest().manifest();
    String config = script.config() == null ? null : config(manifest, script.config());
    List<Recorded> lines = new ArrayList<>();
    for (Path events : script.events()) {
      lines.addAll(Recorded.read(events, script.github()));
    }
    Expectation end = script.expect() == null ? null : expectation(script.expect());
    try (LocalPlugin plugin =
        LocalPlugin.load(
            manifest,
            file.module().bytes(),
            config,
            Generators.timeBasedEpochGenerator()::generate)) {
      return new Rehearsal(plugin, manifest, clock).run(lines, end);
    } catch (InvalidModuleException wrong) {
      throw new AuthoringException("the module would be refused: it " + wrong.getMessage());
    }
  }

  private Result run(List<Recorded> lines, @Nullable Expectation end) throws InterruptedException {
    List<Step> steps = new ArrayList<>();
    Instant first = lines.isEmpty() ? null : lines.getFirst().at();
    Run start = plugin.start(first == null ? clock.instant() : first);
    steps.add(new Step("", "start", start, faults(start, null)));
    // without its init a server would not have installed it
    if (start.error() == null) {
      for (Recorded line : lines) {
        Run run = run(line);
        steps.add(new Step(line.where(), line.input().name(), run, faults(run, line.expect())));
      }
    }
    return new Result(
        steps,
        plugin.kv(),
        plugin.entities(),
        plugin.published(),
        end == null ? List.of() : end.faults(plugin.published(), state()));
  }

  private Run run(Recorded line) throws InterruptedException {
    Instant at = line.at();
    Instant now = at == null ? clock.instant() : at;
    return switch (line.input()) {
      case Recorded.Input.OfCall(var function, var payload) ->
          plugin.invoke(function, payload, PRINCIPAL, now);
      case Recorded.Input.OfEvent(var event) ->
          subscribesTo(event) ? plugin.deliver(event, now) : unmatched();
    };
  }

  /** One that subscribes to nothing is run by triggers, which are not known here. */
  private boolean subscribesTo(Event event) {
    return manifest.subscribe().isEmpty()
        || manifest.subscribe().stream().anyMatch(pattern -> pattern.matches(event));
  }

  private static Run unmatched() {
    return new Run(UNMATCHED, null, null, 0, Duration.ZERO, Payload.NONE, Changes.NONE);
  }

  /** What says nothing of its outcome shall succeed. */
  private List<String> faults(Run run, @Nullable Expectation expect) {
    if (expect != null) {
      return expect.faults(run, state());
    }
    return run.outcome().equals(SUCCEEDED) || run.outcome().equals(UNMATCHED)
        ? List.of()
        : List.of("outcome should be %s, but is %s".formatted(SUCCEEDED, run.outcome()));
  }

  private Expectation.State state() {
    List<String> types = manifest.entities().stream().map(EntityType::name).toList();
    return new Expectation.State(types, plugin.kv(), plugin.entities());
  }

  private static Expectation expectation(Path file) throws AuthoringException, IOException {
    try {
      var tree = ClientJson.MAPPER.readTree(Files.readAllBytes(file));
      Expectation all = Expectation.of(tree, file.toString());
      if (all == null) {
        throw new AuthoringException(file + " expects nothing");
      }
      return all;
    } catch (JsonProcessingException malformed) {
      throw new AuthoringException(file + ": not JSON: " + malformed.getOriginalMessage());
    }
  }

  private static String config(Manifest manifest, Path file)
      throws AuthoringException, IOException {
    byte[] text = Files.readAllBytes(file);
    List<Fault> faults = ConfigSchema.of(manifest.configSchema()).faults(text);
    if (!faults.isEmpty()) {
      throw new AuthoringException(
          faults.stream()
              .map(fault -> "\n  " + fault)
              .collect(Collectors.joining("", file + " does not fit the manifest's schema:", "")));
    }
    return new String(text, StandardCharsets.UTF_8);
  }
}
