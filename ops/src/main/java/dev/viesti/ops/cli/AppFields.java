package dev.viesti.ops.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.viesti.ops.cli.client.ClientJson;
import dev.viesti.protocol.trigger.DurationText;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** An app's settings as options. Their bounds are the server's to know. */
final class AppFields {
  private static final Pattern RATE = Pattern.compile("(\\d{1,9})/(\\w+)");
  private static final String NO_RATE = "none";

  /** Members of an answer that say how things are. */
  private static final List<String> ADDRESS = List.of("id");

  @Option(names = "--display-name", paramLabel = "TEXT", description = "its name for people")
  private @Nullable String displayName;

  @Option(
      names = "--concurrency",
      paramLabel = "N",
      description = "executions of this app that may run at once")
  private @Nullable Integer concurrency;

  @Option(
      names = "--weight",
      paramLabel = "N",
      description = "1 to 100: its share of a node's executions while apps wait for them")
  private @Nullable Integer weight;

  @Option(
      names = "--rate",
      paramLabel = "N/TIME",
      description =
          "attempts that may start in any span of that time, such as 100/1s; 'none' is no limit")
  private @Nullable String rate;

  @Option(
      names = {"-f", "--file"},
      paramLabel = "FILE",
      description =
          "settings as YAML or JSON, 'retry' among them; '-' reads standard input. Options win over"
              + " the file")
  private @Nullable String file;

  /** The members that were given, and no others. */
  ObjectNode given(Terminal terminal) {
    ObjectNode settings =
        file == null
            ? ClientJson.MAPPER.createObjectNode()
            : Documents.readOne(terminal, file, ADDRESS);
    if (displayName != null) {
      settings.put("displayName", displayName);
    }
    if (concurrency != null) {
      settings.put("concurrency", concurrency);
    }
    if (weight != null) {
      settings.put("weight", weight);
    }
    if (rate != null) {
      settings.set("rate", rate(rate));
    }
    return settings;
  }

  private static @Nullable ObjectNode rate(String text) {
    if (text.equals(NO_RATE)) {
      return null;
    }
    Matcher matcher = RATE.matcher(text);
    if (matcher.matches()) {
      try {
        var unused = DurationText.parse(matcher.group(2));
        return ClientJson.MAPPER
            .createObjectNode()
            .put("permits", Integer.parseInt(matcher.group(1)))
            .put("per", matcher.group(2));
      } catch (IllegalArgumentException noDuration) {
        // falls through to the one message
      }
    }
    throw CommandFailure.usage(
        "--rate is PERMITS/TIME such as 100/1s, or none, not '" + text + "'");
  }
}
