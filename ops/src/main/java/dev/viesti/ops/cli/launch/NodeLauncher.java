package dev.viesti.ops.cli.launch;

import dev.viesti.ops.server.Server;
import dev.viesti.ops.server.ServerSettings;
import dev.viesti.ops.server.StartException;
import java.net.InetAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** Starts a node. */
@FunctionalInterface
public interface NodeLauncher {
  /** Returns once the node is ready to accept events. */
  RunningNode start(NodeOptions options);

  /** The real one. */
  static NodeLauncher server() {
    return ServerNode::start;
  }

  /** A {@link Server} behind the door that commands know. */
  final class ServerNode implements RunningNode {
    /** A cluster of several nodes forms in seconds; a database in recovery takes longer. */
    private static final Duration READY_TIMEOUT = Duration.ofMinutes(2);

    private final Server server;
    private final CompletableFuture<Void> terminated = new CompletableFuture<>();

    private ServerNode(Server server) {
      this.server = server;
      Thread.ofVirtual().name("await-termination").start(this::awaitTermination);
    }

    private static RunningNode start(NodeOptions options) {
      Server server = Server.start(settings(options));
      try {
        if (server.awaitReady(READY_TIMEOUT)) {
          return new ServerNode(server);
        }
      } catch (InterruptedException interrupted) {
        Thread.currentThread().interrupt();
      }
      server.close();
      throw new StartException(
          "the node was not ready after "
              + READY_TIMEOUT.toMinutes()
              + " minutes; its log says why",
          null);
    }

    private static ServerSettings settings(NodeOptions options) {
      NodeOptions.Ports ports = options.ports();
      NodeOptions.Cluster cluster = options.cluster();
      String name = cluster.nodeName();
      String host = cluster.host();
      return new ServerSettings(
          new ServerSettings.Http(
              ports.host(), ports.api(), ports.managementHost(), ports.management()),
          switch (options.database()) {
            case NodeOptions.Embedded(Path dataDir) -> ServerSettings.Storage.in(dataDir);
            case NodeOptions.External external ->
                new ServerSettings.Storage(
                    Path.of("."), external.jdbcUrl(), external.user(), external.password());
          },
          new ServerSettings.Peers(
              host == null ? localAddress().getHostAddress() : host,
              cluster.port(),
              cluster.seedNodes()),
          options.adminKey(),
          options.allowPrivateTargets(),
          name == null ? generatedName() : name);
    }

    private static String generatedName() {
      String host = localAddress().getHostName().replaceAll("[^A-Za-z0-9._-]", "-");
      return host.substring(0, Math.min(host.length(), 48)) + "-" + ProcessHandle.current().pid();
    }

    private static InetAddress localAddress() {
      try {
        return InetAddress.getLocalHost();
      } catch (UnknownHostException nameless) {
        return InetAddress.getLoopbackAddress();
      }
    }

    private void awaitTermination() {
      try {
        server.awaitTermination();
        terminated.complete(null);
      } catch (InterruptedException interrupted) {
        terminated.completeExceptionally(interrupted);
      }
    }

    @Override
    public URI api() {
      return server.uri();
    }

    @Override
    public URI management() {
      return server.managementUri();
    }

    @Override
    public CompletionStage<?> terminated() {
      return terminated;
    }

    @Override
    public void close() {
      server.close();
    }
  }
}
