package dev.viesti.ops.server;

import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;

/** Ports, looked at before anything that takes long is started. */
final class Ports {
  private Ports() {}

  /**
   * @throws StartException naming the first port that is taken, or the address that is not ours
   */
  static void requireFree(ServerSettings settings) {
    ServerSettings.Http http = settings.http();
    requireFree("port", http.host(), http.port());
    requireFree("management port", http.managementHost(), http.managementPort());
    requireFree("cluster port", settings.peers().host(), settings.peers().port());
  }

  private static void requireFree(String name, String host, int port) {
    // port 0 is always free; trying it all the same shows an address that is not ours
    try {
      new ServerSocket(port, 1, InetAddress.getByName(host)).close();
    } catch (BindException taken) {
      throw new StartException(
          "%s %d on %s cannot be had (%s): stop what uses it, or give another one (0 takes any)"
              .formatted(name, port, host, taken.getMessage()),
          taken);
    } catch (IOException other) {
      throw new StartException(
          name + " " + port + " on " + host + ": " + other.getMessage(), other);
    }
  }

  /** An address that a client on this machine can use. */
  static URI uri(String host, int port) {
    String reachable = host.equals("0.0.0.0") || host.equals("::") ? ServerSettings.LOOPBACK : host;
    String literal = reachable.indexOf(':') >= 0 ? "[" + reachable + "]" : reachable;
    return URI.create("http://" + literal + ":" + port);
  }
}
