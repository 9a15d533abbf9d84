package dev.viesti.ops.cli;

import picocli.CommandLine.Option;

/** Ports of a node. */
final class PortOptions {
  static final int API_DEFAULT = 8080;
  static final int MANAGEMENT_DEFAULT = 7626;
  private static final int PORT_MAX = 65_535;

  @Option(
      names = "--port",
      paramLabel = "PORT",
      defaultValue = "" + API_DEFAULT,
      description = "HTTP API and metrics; 0 takes a free one (default: ${DEFAULT-VALUE})")
  private int port = API_DEFAULT;

  @Option(
      names = "--management-port",
      paramLabel = "PORT",
      defaultValue = "" + MANAGEMENT_DEFAULT,
      description = "health and cluster; 0 takes a free one (default: ${DEFAULT-VALUE})")
  private int managementPort = MANAGEMENT_DEFAULT;

  int api() {
    return checked("--port", port);
  }

  int management() {
    return checked("--management-port", managementPort);
  }

  static int checked(String option, int port) {
    if (port < 0 || port > PORT_MAX) {
      throw CommandFailure.usage(option + " is 0 to " + PORT_MAX + ", not " + port);
    }
    return port;
  }
}
