package dev.viesti.ops.cli;

import com.fasterxml.jackson.databind.JsonNode;
import dev.viesti.ops.cli.Output.Column;
import dev.viesti.ops.cli.client.ApiClient;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

@Command(name = "cluster", description = "Show the nodes, as the one that answers sees them.")
final class ClusterCommand implements Callable<Integer> {
  private static final List<Column> COLUMNS =
      List.of(
          Column.of("NODE", "address"),
          Column.of("STATUS", "status"),
          Column.of("REACHABLE", "reachable"),
          Column.of("LEADER", "leader"),
          Column.of("ANSWERS", "self"),
          new Column("ROLES", member -> words(member.path("roles"))));

  private final Terminal terminal;

  @Mixin private final ServerOptions server = new ServerOptions();
  @Mixin private final Output output = new Output();

  ClusterCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  @Override
  public Integer call() {
    try (ApiClient client = server.connect(terminal)) {
      JsonNode cluster = client.get("/v1/cluster", Map.of());
      if (output.isJson()) {
        Output.printJson(terminal, cluster);
      } else {
        JsonNode members = cluster.has("members") ? cluster.path("members") : cluster.path("data");
        new Table(terminal, COLUMNS).print(members);
      }
      return ExitCodes.OK;
    }
  }

  private static String words(JsonNode list) {
    return StreamSupport.stream(list.spliterator(), false)
        .map(JsonNode::asText)
        .collect(Collectors.joining(", "));
  }
}
