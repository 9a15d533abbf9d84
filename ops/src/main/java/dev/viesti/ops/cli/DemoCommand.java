package dev.viesti.ops.cli;

import dev.viesti.ops.cli.client.ApiClient;
import dev.viesti.ops.cli.launch.NodeLauncher;
import dev.viesti.ops.cli.launch.NodeOptions;
import dev.viesti.ops.cli.launch.RunningNode;
import dev.viesti.ops.demo.Demo;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.Base64;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(
    name = "demo",
    description = {
      "Send events through a node of its own, and check that every number adds up.",
      "One webhook works, one fails twice and then works, one never works. The database is a",
      "temporary one; nothing is left behind.",
      "Exit code 0 only when every number adds up."
    })
final class DemoCommand implements Callable<Integer> {
  private static final int EVENTS_DEFAULT = 10_000;
  private static final int EVENTS_MAX = 10_000_000;
  private static final int TIMEOUT_DEFAULT_S = 120;
  private static final int SECRET_BYTES = 24;

  private final Terminal terminal;
  private final NodeLauncher launcher;
  private final SecureRandom random = new SecureRandom();

  @Option(
      names = "--events",
      paramLabel = "N",
      defaultValue = "" + EVENTS_DEFAULT,
      description = "how many (default: ${DEFAULT-VALUE})")
  private int events = EVENTS_DEFAULT;

  @Option(
      names = "--timeout",
      paramLabel = "SECONDS",
      defaultValue = "" + TIMEOUT_DEFAULT_S,
      description = "give up after so long (default: ${DEFAULT-VALUE})")
  private int timeoutSeconds = TIMEOUT_DEFAULT_S;

  DemoCommand(Terminal terminal, NodeLauncher launcher) {
    this.terminal = terminal;
    this.launcher = launcher;
  }

  @Override
  public Integer call() throws Exception {
    if (events < 1 || events > EVENTS_MAX) {
      throw CommandFailure.usage("--events is 1 to " + EVENTS_MAX + ", not " + events);
    }
    if (timeoutSeconds < 1) {
      throw CommandFailure.usage("--timeout is 1 or more, not " + timeoutSeconds);
    }
    try (var site = new Site(Files.createTempDirectory("viesti-demo-"))) {
      Logs.onlyWarnings();
      terminal.out().println("starting a node with an empty database");
      String key = HexFormat.of().formatHex(bytes());
      RunningNode node = site.start(options(site.directory, key));
      try (var client = new ApiClient(node.api(), key)) {
        boolean addsUp =
            Demo.run(
                client,
                events,
                "whsec_" + Base64.getEncoder().encodeToString(bytes()),
                Duration.ofSeconds(timeoutSeconds),
                new Demo.DemoConsole(
                    terminal.out(),
                    terminal.columns() != Integer.MAX_VALUE,
                    terminal.pause()::last));
        return addsUp ? ExitCodes.OK : ExitCodes.REFUSED;
      }
    }
  }

  private byte[] bytes() {
    byte[] bytes = new byte[SECRET_BYTES];
    random.nextBytes(bytes);
    return bytes;
  }

  private static NodeOptions options(Path directory, String key) {
    return new NodeOptions(
        new NodeOptions.Embedded(directory),
        new NodeOptions.Ports("127.0.0.1", 0, "127.0.0.1", 0),
        new NodeOptions.Cluster("127.0.0.1", 0, "demo", List.of()),
        key,
        true);
  }

  /** The node and its files; goes away once, at the end or at Ctrl-C, whichever comes first. */
  private final class Site implements AutoCloseable {
    private final Path directory;
    private final Thread atCtrlC = new Thread(this::removeOnce, "demo-clean-up");
    private @org.jspecify.annotations.Nullable RunningNode node;
    private boolean removed;

    Site(Path directory) {
      this.directory = directory;
      Runtime.getRuntime().addShutdownHook(atCtrlC);
    }

    RunningNode start(NodeOptions options) {
      RunningNode started = launcher.start(options);
      synchronized (this) {
        node = started;
      }
      return started;
    }

    @Override
    public void close() {
      removeOnce();
      try {
        var unused = Runtime.getRuntime().removeShutdownHook(atCtrlC);
      } catch (IllegalStateException shuttingDown) {
        // Ctrl-C came first: the hook has done it
      }
    }

    private synchronized void removeOnce() {
      if (removed) {
        return;
      }
      removed = true;
      if (node != null) {
        node.close();
      }
      try (var files = Files.walk(directory)) {
        for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
          Files.deleteIfExists(file);
        }
      } catch (IOException failed) {
        terminal.err().println("could not remove " + directory + ": " + failed.getMessage());
      }
    }
  }
}
