package dev.viesti.ops.cli;

import com.fasterxml.jackson.databind.JsonNode;
import dev.viesti.ops.cli.Output.Column;
import dev.viesti.ops.cli.client.ClientJson;
import java.util.List;

/** Shows events and attempts inside other things. */
final class Events {
  private static final List<Column> ATTEMPTS =
      List.of(
          Column.of("ATTEMPT", "attempt"),
          Column.time("AT", "at"),
          Column.of("OUTCOME", "outcome"),
          new Column("STATUS", attempt -> ClientJson.text(attempt, "status")),
          new Column(
              "ERROR",
              attempt ->
                  attempt.hasNonNull("error")
                      ? ClientJson.text(attempt, "error")
                      : ClientJson.text(attempt, "reason")));

  private Events() {}

  static String show(JsonNode event) {
    return event.isObject() ? event.toString() : "";
  }

  static void showAttempts(Terminal terminal, Output output, JsonNode attempts) {
    if (!output.isJson() && attempts.isArray() && !attempts.isEmpty()) {
      terminal.out().println();
      new Table(terminal, ATTEMPTS).print(attempts);
    }
  }
}
