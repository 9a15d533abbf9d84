package dev.viesti.ops.bench;

import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The endpoint of webhooks: notes when which event came, and answers 204 at once. A virtual thread
 * per connection. Thread-safe.
 */
final class Receiver implements AutoCloseable {
  /** Connections that may wait to be accepted: more than a node opens at once. */
  private static final int BACKLOG = 1_024;

  private static final byte[] ANSWER =
      "HTTP/1.1 204 No Content\r\n\r\n".getBytes(StandardCharsets.US_ASCII);

  private final ServerSocket server;
  private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
  private volatile Arrivals arrivals = new Arrivals("", 0);

  Receiver() throws IOException {
    this.server = new ServerSocket();
    server.bind(
        new InetSocketAddress(InetAddress.getByAddress(new byte[] {127, 0, 0, 1}), 0), BACKLOG);
    Thread.ofVirtual().name("bench-receiver").start(this::accept);
  }

  String url() {
    return "http://127.0.0.1:" + server.getLocalPort() + "/hook";
  }

  /** Where arrivals are noted from now on. */
  void note(Arrivals next) {
    this.arrivals = next;
  }

  @Override
  public void close() throws IOException {
    server.close();
    for (Socket socket : sockets) {
      socket.close();
    }
  }

  private void accept() {
    try {
      while (true) {
        Socket socket = server.accept();
        sockets.add(socket);
        Thread.ofVirtual().name("bench-receiver-connection").start(() -> serve(socket));
      }
    } catch (IOException closed) {
      // the end
    }
  }

  private void serve(Socket socket) {
    try (socket) {
      socket.setTcpNoDelay(true);
      OutputStream out = socket.getOutputStream();
      MessageReader reader = new MessageReader(socket.getInputStream());
      while (reader.next()) {
        arrivals.note(reader, System.nanoTime());
        out.write(ANSWER);
      }
    } catch (IOException ended) {
      // the node has closed it, or we have
    } finally {
      sockets.remove(socket);
    }
  }
}
