package dev.viesti.dispatcher;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import dev.viesti.persistence.embedded.TestDatabase;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;

/**
 * The wire between a node and PostgreSQL. It can lose an answer: what was asked takes effect, and
 * the connection breaks before the answer is there. Thread-safe.
 */
final class LossyLink implements AutoCloseable {
  private static final int BUFFER_BYTES = 64 << 10;

  private final ServerSocket entrance;
  private final URI server;
  private String marker = "";
  private int toLose;
  private int lost;

  LossyLink(TestDatabase database) throws IOException {
    server = URI.create(database.url().substring("jdbc:".length()));
    entrance = new ServerSocket(0, 64, InetAddress.getLoopbackAddress());
    Thread.ofVirtual().start(this::accept);
  }

  /** The way to the database that leads through here. */
  String url() {
    return "jdbc:postgresql://127.0.0.1:" + entrance.getLocalPort() + server.getPath();
  }

  /**
   * Loses the answers to the next messages in which {@code text} occurs, as text of a statement or
   * of a parameter.
   */
  synchronized void loseAnswers(String text, int count) {
    marker = text;
    toLose = count;
    lost = 0;
  }

  /** How many answers have been lost since {@link #loseAnswers}. */
  synchronized int lost() {
    return lost;
  }

  @Override
  public void close() throws IOException {
    entrance.close();
  }

  private void accept() {
    try {
      while (true) {
        Socket client = entrance.accept();
        new Connection(client, new Socket(server.getHost(), server.getPort())).start();
      }
    } catch (IOException closed) {
      // the end of it
    }
  }

  private synchronized boolean losesAnswerTo(String message) {
    if (toLose == 0 || !message.contains(marker)) {
      return false;
    }
    toLose--;
    lost++;
    return true;
  }

  private final class Connection {
    private final Socket client;
    private final Socket server;
    private volatile boolean breaks;

    Connection(Socket client, Socket server) throws IOException {
      this.client = client;
      this.server = server;
      client.setTcpNoDelay(true);
      server.setTcpNoDelay(true);
    }

    void start() {
      Thread.ofVirtual().start(() -> pass(client, server, true));
      Thread.ofVirtual().start(() -> pass(server, client, false));
    }

    private void pass(Socket from, Socket to, boolean asks) {
      byte[] buffer = new byte[BUFFER_BYTES];
      try (from;
          to) {
        InputStream input = from.getInputStream();
        OutputStream output = to.getOutputStream();
        for (int length = input.read(buffer); length > 0; length = input.read(buffer)) {
          if (asks) {
            breaks |= losesAnswerTo(new String(buffer, 0, length, ISO_8859_1));
          } else if (breaks) {
            return;
          }
          output.write(buffer, 0, length);
          output.flush();
        }
      } catch (IOException broken) {
        // the other direction ends as well
      }
    }
  }
}
