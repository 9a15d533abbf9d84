package dev.viesti.ops.cli;

import dev.viesti.ops.cli.launch.NodeLauncher;
import dev.viesti.ops.cli.launch.NodeOptions;
import dev.viesti.ops.cli.launch.RunningNode;
import java.util.function.Consumer;

/** Runs a node in the foreground until it ends or the process is told to. */
final class NodeRun {
  private final Terminal terminal;
  private final NodeLauncher launcher;

  NodeRun(Terminal terminal, NodeLauncher launcher) {
    this.terminal = terminal;
    this.launcher = launcher;
  }

  /**
   * @param ready runs once the node accepts events
   * @return the exit code; after Ctrl-C the JVM ends with 130 instead, once the node is drained
   */
  int run(NodeOptions options, Consumer<RunningNode> ready) {
    RunningNode node = launcher.start(options);
    Thread drain =
        new Thread(
            () -> {
              terminal.err().println("draining: running executions end, then the node leaves");
              node.close();
              terminal.err().println("stopped");
            },
            "drain");
    Runtime.getRuntime().addShutdownHook(drain);
    ready.accept(node);
    var unused = node.terminated().toCompletableFuture().handle((value, failure) -> true).join();
    try {
      Runtime.getRuntime().removeShutdownHook(drain);
    } catch (IllegalStateException shuttingDown) {
      return ExitCodes.OK;
    }
    node.close();
    throw CommandFailure.refused("the node has ended by itself; its log says why");
  }
}
