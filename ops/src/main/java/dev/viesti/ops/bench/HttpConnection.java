package dev.viesti.ops.bench;

import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/**
 * One kept-alive connection to a node, one request at a time. A plain socket, because the client
 * runs on the cores that it measures: {@code java.net.http} takes several times the CPU time for
 * each request. For one thread.
 */
final class HttpConnection implements AutoCloseable {
  private static final int CONNECT_MS_MAX = 5_000;

  /** Above the node's own request timeout: the node answers first. */
  private static final Duration ANSWER_MAX = Duration.ofSeconds(60);

  private final Socket socket;
  private final OutputStream out;
  private final MessageReader reader;
  private final String host;
  private final String key;
  private byte[] message = new byte[0];

  HttpConnection(URI node, String key) throws IOException {
    this.host = node.getHost() + ":" + node.getPort();
    this.key = key;
    this.socket = new Socket();
    boolean connected = false;
    try {
      socket.setTcpNoDelay(true);
      socket.setSoTimeout((int) ANSWER_MAX.toMillis());
      socket.connect(new InetSocketAddress(node.getHost(), node.getPort()), CONNECT_MS_MAX);
      this.out = socket.getOutputStream();
      this.reader = new MessageReader(socket.getInputStream());
      connected = true;
    } finally {
      if (!connected) {
        socket.close();
      }
    }
  }

  /**
   * Sends in one write and waits for the answer.
   *
   * @return the status
   */
  int send(String method, String path, String contentType, byte[] body) {
    byte[] head =
        """
        %s %s HTTP/1.1\r
        Host: %s\r
        Authorization: Bearer %s\r
        Content-Type: %s\r
        Content-Length: %d\r
        \r
        """
            .formatted(method, path, host, key, contentType, body.length)
            .getBytes(StandardCharsets.US_ASCII);
    return send(head, body, body.length);
  }

  /** As {@link #send(String, String, String, byte[])}, with the head already rendered. */
  int send(byte[] head, byte[] body, int bodyLength) {
    int length = head.length + bodyLength;
    if (message.length < length) {
      message = new byte[length];
    }
    System.arraycopy(head, 0, message, 0, head.length);
    System.arraycopy(body, 0, message, head.length, bodyLength);
    try {
      out.write(message, 0, length);
      if (!reader.next()) {
        throw new EOFException("the node has closed the connection");
      }
    } catch (IOException failed) {
      throw new UncheckedIOException(failed);
    }
    return reader.status();
  }

  /** The body of the last answer. */
  String body() {
    return reader.body();
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
