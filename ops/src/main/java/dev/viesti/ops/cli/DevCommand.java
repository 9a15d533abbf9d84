package dev.viesti.ops.cli;

import dev.viesti.ops.cli.launch.NodeLauncher;
import dev.viesti.ops.cli.launch.NodeOptions;
import dev.viesti.ops.cli.launch.RunningNode;
import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
    name = "dev",
    description = {
      "Run one node on this machine, with a PostgreSQL of its own.",
      "Listens on 127.0.0.1 only; the data stays in --data-dir. The key is VIESTI_ADMIN_KEY,",
      "or 'dev'."
    })
final class DevCommand implements Callable<Integer> {
  static final String DATA_DIR_DEFAULT = ".viesti";
  private static final String LOOPBACK = "127.0.0.1";
  private static final String KEY_DEFAULT = "dev";

  private final Terminal terminal;
  private final NodeLauncher launcher;

  @Mixin private final PortOptions ports = new PortOptions();

  @Option(
      names = "--data-dir",
      paramLabel = "DIR",
      defaultValue = DATA_DIR_DEFAULT,
      description = "created if missing (default: ${DEFAULT-VALUE})")
  private Path dataDir = Path.of(DATA_DIR_DEFAULT);

  @Option(
      names = "--allow-private-targets",
      negatable = true,
      defaultValue = "true",
      fallbackValue = "true",
      description = "webhooks may point into private networks (default: ${DEFAULT-VALUE})")
  private boolean allowPrivateTargets = true;

  DevCommand(Terminal terminal, NodeLauncher launcher) {
    this.terminal = terminal;
    this.launcher = launcher;
  }

  @Override
  public Integer call() {
    String envKey = terminal.env("VIESTI_ADMIN_KEY");
    String key = envKey == null ? KEY_DEFAULT : envKey;
    Path directory = dataDir.toAbsolutePath().normalize();
    var options =
        new NodeOptions(
            new NodeOptions.Embedded(directory),
            new NodeOptions.Ports(LOOPBACK, ports.api(), LOOPBACK, ports.management()),
            new NodeOptions.Cluster(LOOPBACK, 0, null, List.of()),
            key,
            allowPrivateTargets);
    terminal.err().println("starting viesti " + VersionCommand.version() + " in " + directory);
    return new NodeRun(terminal, launcher)
        .run(options, node -> greet(node, envKey == null ? key : "$VIESTI_ADMIN_KEY", directory));
  }

  private void greet(RunningNode node, String key, Path directory) {
    URI api = node.api();
    boolean usual = api.getPort() == PortOptions.API_DEFAULT;
    String url = usual ? "" : " --url " + api;
    terminal
        .out()
        .print(
            """

            Viesti is ready.

              API         %1$s/v1/apps
              metrics     %1$s/metrics
              management  %2$s/ready
              key         %3$s
              data        %4$s

            Try next, in another terminal:

              curl -X PUT %1$s/v1/apps/demo -H 'Authorization: Bearer %3$s' \\
                -H 'Content-Type: application/json' -d '{}'
              echo '{app: demo, id: orders, on: {type: "orders.*"}, target: {log: {}}}' |
                bin/viesti trigger apply -f -%5$s
              bin/viesti event send --app demo --source shop --type orders.created --data '{"n":1}'%5$s
              bin/viesti stream%5$s

            Ctrl-C ends it; the data stays.
            """
                .formatted(api, node.management(), key, directory, url)
                .replace(
                    "'Authorization: Bearer $VIESTI_ADMIN_KEY'",
                    "\"Authorization: Bearer $VIESTI_ADMIN_KEY\""));
    terminal.out().flush();
  }
}
