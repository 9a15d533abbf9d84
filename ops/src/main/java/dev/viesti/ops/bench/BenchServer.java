package dev.viesti.ops.bench;

import dev.viesti.ops.server.Server;
import dev.viesti.ops.server.ServerSettings;
import dev.viesti.protocol.delivery.Outcome;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.Map;

/**
 * The node that is measured: what {@code viesti dev} starts, with one handler that does nothing.
 * Triggers name it to measure a delivery's whole life without the cost of a target.
 */
public final class BenchServer {
  /** The handler's name in triggers. */
  static final String NOOP = "noop";

  private BenchServer() {}

  /**
   * Runs until the process is told to stop, or standard input ends: whoever started it is gone.
   *
   * @param args data directory, port, management port
   */
  public static void main(String[] args) throws IOException {
    ServerSettings settings =
        ServerSettings.dev(
            Path.of(args[0]),
            Integer.parseInt(args[1]),
            Integer.parseInt(args[2]),
            NodeProcess.KEY);
    try (Server server = Server.start(settings, Map.of(NOOP, call -> Outcome.Succeeded.PLAIN))) {
      System.in.transferTo(OutputStream.nullOutputStream());
    }
    System.exit(0);
  }
}
