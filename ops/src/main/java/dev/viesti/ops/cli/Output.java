package dev.viesti.ops.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.SerializationFeature;
import dev.viesti.ops.cli.client.ClientJson;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.function.Function;
import picocli.CommandLine.Option;

/** How answers are shown. */
final class Output {
  /** What {@code -o} takes. */
  enum Format {
    table,
    json
  }

  /**
   * A column of a list.
   *
   * @param cell the text of a row; empty is shown as {@code -}
   */
  record Column(String title, Function<JsonNode, String> cell) {
    /** Shows a member as it is. */
    static Column of(String title, String member) {
      return new Column(title, row -> ClientJson.text(row, member));
    }

    /** Shows a member that is an object, in one line. */
    static Column inline(String title, String member) {
      return new Column(title, row -> Documents.inline(row.path(member)));
    }

    /** Shows a member that holds a time, to the millisecond, in UTC. */
    static Column time(String title, String member) {
      return new Column(title, row -> utc(ClientJson.text(row, member)));
    }
  }

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FORMAT",
      description = "${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE})",
      defaultValue = "table")
  private Format format = Format.table;

  boolean isJson() {
    return format == Format.json;
  }

  /** Says something to people; a script that asked for JSON does not see it. */
  void say(Terminal terminal, String text) {
    if (!isJson()) {
      terminal.out().println(text);
    }
  }

  /** One thing: its JSON, or one line per column. */
  void show(Terminal terminal, JsonNode thing, List<Column> columns) {
    if (isJson()) {
      printJson(terminal, thing);
      return;
    }
    int width = columns.stream().mapToInt(column -> column.title().length()).max().orElse(0);
    for (Column column : columns) {
      String cell = column.cell().apply(thing);
      if (!cell.isEmpty()) {
        String title = column.title() + " ".repeat(width - column.title().length());
        terminal.out().println(title + "  " + cell);
      }
    }
  }

  /** Says that something was removed. */
  void deleted(Terminal terminal, String what, String id) {
    if (isJson()) {
      printJson(terminal, ClientJson.MAPPER.createObjectNode().put("deleted", id));
    } else {
      terminal.out().println("deleted " + what + " " + id);
    }
  }

  static void printJson(Terminal terminal, JsonNode node) {
    try {
      terminal
          .out()
          .println(
              ClientJson.MAPPER
                  .writer()
                  .with(SerializationFeature.INDENT_OUTPUT)
                  .writeValueAsString(node));
    } catch (com.fasterxml.jackson.core.JsonProcessingException impossible) {
      throw new AssertionError("a tree can always be written", impossible);
    }
  }

  /** The same instant to the millisecond; anything else comes back as it is. */
  static String utc(String time) {
    try {
      return Instant.parse(time).truncatedTo(ChronoUnit.MILLIS).toString();
    } catch (DateTimeParseException other) {
      return time;
    }
  }
}
