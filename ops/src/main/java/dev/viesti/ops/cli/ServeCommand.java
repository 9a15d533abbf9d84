package dev.viesti.ops.cli;

import dev.viesti.ops.cli.launch.NodeLauncher;
import dev.viesti.ops.cli.launch.NodeOptions;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
    name = "serve",
    description = {
      "Run a node of a cluster on a PostgreSQL that all its nodes share.",
      "Needs --database-url, and the first admin key in VIESTI_ADMIN_KEY."
    })
final class ServeCommand implements Callable<Integer> {
  private static final int CLUSTER_PORT_DEFAULT = 17_355;

  /** A key is guessed over the network: below this length it can be. */
  private static final int KEY_LENGTH_MIN = 16;

  private final Terminal terminal;
  private final NodeLauncher launcher;

  @Mixin private final DatabaseOptions database = new DatabaseOptions();
  @Mixin private final PortOptions ports = new PortOptions();

  @Option(
      names = "--host",
      paramLabel = "ADDRESS",
      defaultValue = "0.0.0.0",
      description = "the address on which the API listens (default: ${DEFAULT-VALUE})")
  private String host = "0.0.0.0";

  @Option(
      names = "--management-host",
      paramLabel = "ADDRESS",
      defaultValue = "127.0.0.1",
      description = {
        "the address on which management listens; it asks for no key",
        "(default: ${DEFAULT-VALUE})"
      })
  private String managementHost = "127.0.0.1";

  @Option(
      names = "--cluster-host",
      paramLabel = "HOST",
      description = "the name or address by which the other nodes reach this one")
  private @Nullable String clusterHost;

  @Option(
      names = "--cluster-port",
      paramLabel = "PORT",
      defaultValue = "" + CLUSTER_PORT_DEFAULT,
      description = "node to node; 0 takes a free one (default: ${DEFAULT-VALUE})")
  private int clusterPort = CLUSTER_PORT_DEFAULT;

  @Option(
      names = "--seed-node",
      paramLabel = "HOST:PORT",
      split = ",",
      description = {
        "a node to join, repeatable, in the same order on all nodes;",
        "the first one forms the cluster. None: a cluster of its own"
      })
  private List<String> seedNodes = List.of();

  @Option(names = "--node-name", paramLabel = "NAME", description = "how this node is called")
  private @Nullable String nodeName;

  @Option(
      names = "--allow-private-targets",
      description = "webhooks may point into private networks")
  private boolean allowPrivateTargets;

  ServeCommand(Terminal terminal, NodeLauncher launcher) {
    this.terminal = terminal;
    this.launcher = launcher;
  }

  @Override
  public Integer call() {
    NodeOptions.External external = database.require(terminal);
    String key = terminal.env("VIESTI_ADMIN_KEY");
    if (key == null || key.length() < KEY_LENGTH_MIN) {
      throw CommandFailure.usage(
          "%s: set it to a secret of %d characters or more, for example with: export VIESTI_ADMIN_KEY=$(openssl rand -hex 24)"
              .formatted(
                  key == null ? "no VIESTI_ADMIN_KEY" : "VIESTI_ADMIN_KEY is too short",
                  KEY_LENGTH_MIN));
    }
    for (String seed : seedNodes) {
      if (!seed.matches("(\\[[0-9a-fA-F:]+]|[^:\\s]+):\\d{1,5}")) {
        throw CommandFailure.usage("--seed-node is host:port, not '" + seed + "'");
      }
    }
    var options =
        new NodeOptions(
            external,
            new NodeOptions.Ports(host, ports.api(), managementHost, ports.management()),
            new NodeOptions.Cluster(
                clusterHost,
                PortOptions.checked("--cluster-port", clusterPort),
                nodeName,
                List.copyOf(seedNodes)),
            key,
            allowPrivateTargets);
    return new NodeRun(terminal, launcher)
        .run(
            options,
            node ->
                terminal
                    .out()
                    .println("ready: API " + node.api() + ", management " + node.management()));
  }
}
