package dev.viesti.ops.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.viesti.ops.cli.Output.Column;
import dev.viesti.ops.cli.client.ApiClient;
import dev.viesti.ops.cli.client.ClientJson;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** How much of a list is shown. */
final class PageOptions {
  private static final int LIMIT_DEFAULT = 50;

  @Option(
      names = "--limit",
      paramLabel = "N",
      description = "rows of a page (default: ${DEFAULT-VALUE})",
      defaultValue = "" + LIMIT_DEFAULT)
  private int limit = LIMIT_DEFAULT;

  @Option(
      names = "--cursor",
      paramLabel = "CURSOR",
      description = "go on where an earlier page ended")
  private @Nullable String cursor;

  @Option(names = "--all", description = "every page, to the end")
  private boolean all;

  /** Lists {@code path}; with JSON the pages become one. */
  int list(
      Terminal terminal,
      Output output,
      ApiClient client,
      String path,
      Map<String, String> filters,
      List<Column> columns) {
    if (limit < 1) {
      throw CommandFailure.usage("--limit is 1 or more, not " + limit);
    }
    var query = new LinkedHashMap<>(filters);
    query.put("limit", Integer.toString(limit));
    if (cursor != null) {
      query.put("cursor", cursor);
    }
    if (output.isJson()) {
      Output.printJson(terminal, collect(client, path, query));
    } else {
      printTable(terminal, client, path, query, new Table(terminal, columns));
    }
    return ExitCodes.OK;
  }

  private ObjectNode collect(ApiClient client, String path, Map<String, String> query) {
    ObjectNode whole = ClientJson.MAPPER.createObjectNode();
    ArrayNode data = whole.putArray("data");
    client.pages(
        path,
        query,
        page -> {
          page.path("data").forEach(data::add);
          JsonNode next = page.path("nextCursor");
          whole.set("nextCursor", next.isMissingNode() ? ClientJson.MAPPER.nullNode() : next);
          return all;
        });
    return whole;
  }

  private void printTable(
      Terminal terminal, ApiClient client, String path, Map<String, String> query, Table table) {
    client.pages(
        path,
        query,
        page -> {
          table.print(page.path("data"));
          String next = ClientJson.text(page, "nextCursor");
          if (!all && !next.isEmpty()) {
            terminal.err().println("there is more: --all, or --cursor " + next);
          }
          return all;
        });
  }
}
