package dev.viesti.ops.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.viesti.ops.cli.HealthCheck.Finding;
import dev.viesti.ops.cli.HealthCheck.Level;
import dev.viesti.ops.cli.client.ApiClient;
import dev.viesti.ops.cli.client.ClientJson;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
    name = "doctor",
    description = {
      "Check what a node needs on this machine, and the server if one runs.",
      "The database is checked when --database-url is given. Exit code 1 when a check fails."
    })
final class DoctorCommand implements Callable<Integer> {
  private final Terminal terminal;

  @Mixin private final ServerOptions server = new ServerOptions();
  @Mixin private final DatabaseOptions database = new DatabaseOptions();
  @Mixin private final PortOptions ports = new PortOptions();
  @Mixin private final Output output = new Output();

  @Option(
      names = "--data-dir",
      paramLabel = "DIR",
      defaultValue = DevCommand.DATA_DIR_DEFAULT,
      description = "where 'dev' would keep its data (default: ${DEFAULT-VALUE})")
  private Path dataDir = Path.of(DevCommand.DATA_DIR_DEFAULT);

  DoctorCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  @Override
  public Integer call() {
    Logs.onlyWarnings();
    var findings = new ArrayList<Finding>();
    findings.add(HealthCheck.java(Runtime.version()));
    findings.addAll(HealthCheck.directory(dataDir.toAbsolutePath().normalize()));
    try (ApiClient client = server.connect(terminal)) {
      Finding health = HealthCheck.server(client);
      boolean runs = health.level() != Level.WARN;
      findings.add(HealthCheck.port("--port", ports.api(), runs));
      findings.add(HealthCheck.port("--management-port", ports.management(), runs));
      findings.add(health);
    }
    if (database.given()) {
      findings.addAll(HealthCheck.database(DatabaseOptions.dataSource(database.require(terminal))));
    }
    show(findings);
    return findings.stream().anyMatch(finding -> finding.level() == Level.FAIL)
        ? ExitCodes.REFUSED
        : ExitCodes.OK;
  }

  private void show(List<Finding> findings) {
    if (output.isJson()) {
      ObjectNode whole = ClientJson.MAPPER.createObjectNode();
      ArrayNode checks = whole.putArray("data");
      for (Finding finding : findings) {
        checks
            .addObject()
            .put("level", finding.level().name())
            .put("check", finding.check())
            .put("detail", finding.detail())
            .put("fix", finding.fix());
      }
      Output.printJson(terminal, whole);
      return;
    }
    for (Finding finding : findings) {
      terminal
          .out()
          .printf("%-4s  %-17s  %s%n", finding.level(), finding.check(), finding.detail());
      if (finding.fix() != null) {
        terminal.out().printf("%25sfix: %s%n", "", finding.fix());
      }
    }
  }
}
