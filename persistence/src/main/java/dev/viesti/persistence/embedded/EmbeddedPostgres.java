package dev.viesti.persistence.embedded;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A PostgreSQL server of our own in a data directory, kept across restarts. Works as an ordinary
 * user and as root. It listens on 127.0.0.1 only and wants the generated password, which lies in
 * the data directory's file {@code password}.
 *
 * <p>What happens when something dies:
 *
 * <ul>
 *   <li>the server: it is started again on the same port ({@code restartsAfterExit}); connections
 *       break, committed data stays
 *   <li>this JVM, by {@code kill -9}: the server lives on, and the next {@link #start} on the
 *       directory adopts it, even with other settings
 *   <li>both: the next start recovers from the WAL
 * </ul>
 *
 * <p>Not promised: a shutdown hook. Whoever starts it closes it, after everything that uses it.
 * Thread-safe.
 */
public final class EmbeddedPostgres implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(EmbeddedPostgres.class);

  /** What the server listens on; the JDK's idea of "loopback" may be IPv6. */
  private static final byte[] LOOPBACK = {127, 0, 0, 1};

  /** A free port can be taken by another program between our look and the server's bind. */
  private static final int PORT_TRIES_MAX = 3;

  /** A checkpoint of the default 128 MiB of buffers takes seconds even on a slow disk. */
  private static final Duration FAST_STOP_TIME_MAX = Duration.ofSeconds(30);

  private static final Duration HARD_STOP_TIME_MAX = Duration.ofSeconds(10);

  /** First pause before a server that died is started again; doubles up to the maximum. */
  private static final Duration RESTART_PAUSE_MIN = Duration.ofMillis(100);

  private static final Duration RESTART_PAUSE_MAX = Duration.ofSeconds(10);

  private enum State {
    RUNNING,
    STOPPED,
    CLOSED
  }

  private final DataDirectory directory;
  private final EmbeddedPostgresSettings settings;
  private final Server server;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition stateChanged = lock.newCondition();
  private volatile Server.Running running;
  private State state = State.RUNNING;

  private EmbeddedPostgres(
      DataDirectory directory,
      EmbeddedPostgresSettings settings,
      Server server,
      Server.Running running) {
    this.directory = directory;
    this.settings = settings;
    this.server = server;
    this.running = running;
  }

  /** Starts with {@link EmbeddedPostgresSettings#defaults()}. */
  public static EmbeddedPostgres start(Path dataDirectory) {
    return start(dataDirectory, EmbeddedPostgresSettings.defaults());
  }

  /**
   * Starts the server, or adopts the one that a killed JVM has left; blocks until it answers. The
   * first start on a directory unpacks the programs and creates the database.
   *
   * @param dataDirectory created if missing
   * @throws EmbeddedPostgresException with the next step for the user: another living JVM uses the
   *     directory, there are no programs for this platform, the port is taken, and so on
   */
  public static EmbeddedPostgres start(Path dataDirectory, EmbeddedPostgresSettings settings) {
    long started = System.nanoTime();
    DataDirectory directory = DataDirectory.open(dataDirectory);
    EmbeddedPostgres result = null;
    try {
      Path binariesDir = settings.binariesDir();
      Installation installation =
          Installation.in(
              binariesDir == null ? directory.root() : binariesDir.toAbsolutePath().normalize());
      var account = ServerAccount.choose(directory, installation);
      var server = new Server(directory, installation, account, settings);
      Server.Running running = adoptOrStart(server, settings);
      result = new EmbeddedPostgres(directory, settings, server, running);
      LOG.info(
          "PostgreSQL {} at {} after {} ms, data in {}",
          running.adopted() ? "adopted" : "ready",
          running.connector().jdbcUrl(),
          Duration.ofNanos(System.nanoTime() - started).toMillis(),
          directory.root());
      result.watch(running);
      return result;
    } catch (IOException | SQLException failed) {
      throw new EmbeddedPostgresException(
          "cannot start PostgreSQL in %s: %s".formatted(directory.root(), failed), failed);
    } finally {
      if (result == null) {
        directory.close();
      }
    }
  }

  private static Server.Running adoptOrStart(Server server, EmbeddedPostgresSettings settings)
      throws IOException, SQLException {
    String password = server.createIfMissing();
    Server.Running running = server.adopt(password);
    if (running != null && settings.port() != 0 && settings.port() != running.connector().port()) {
      LOG.info("the server found is not on port {}; restarting it there", settings.port());
      server.stop(running, Server.Stop.FAST, FAST_STOP_TIME_MAX);
      running = null;
    }
    if (running == null) {
      running = startOnPort(server, settings, password);
    }
    boolean complete = false;
    try {
      running.connector().createDatabaseIfMissing();
      complete = true;
      return running;
    } finally {
      if (!complete) {
        server.stop(running, Server.Stop.FAST, FAST_STOP_TIME_MAX);
      }
    }
  }

  private static Server.Running startOnPort(
      Server server, EmbeddedPostgresSettings settings, String password) throws IOException {
    if (settings.port() != 0) {
      try (var probe = new ServerSocket(settings.port(), 1, InetAddress.getByAddress(LOOPBACK))) {
        LOG.trace("port {} is free", probe.getLocalPort());
      } catch (IOException taken) {
        throw new EmbeddedPostgresException(
            "Port %d on 127.0.0.1 is taken by another program. Choose another port, or 0 for any."
                .formatted(settings.port()),
            taken);
      }
      return server.start(settings.port(), password);
    }
    for (int attempt = 1; ; attempt++) {
      try {
        return server.start(freePort(), password);
      } catch (EmbeddedPostgresException failed) {
        if (attempt == PORT_TRIES_MAX
            || !String.valueOf(failed.getMessage()).contains("Address already in use")) {
          throw failed;
        }
      }
    }
  }

  private static int freePort() throws IOException {
    try (var socket = new ServerSocket(0, 1, InetAddress.getByAddress(LOOPBACK))) {
      return socket.getLocalPort();
    }
  }

  /** Of the database {@code viesti}. User and password are not part of it. */
  public String jdbcUrl() {
    return running.connector().jdbcUrl();
  }

  /** A superuser of this server. */
  public String user() {
    return Connector.USER;
  }

  public String password() {
    return running.connector().password();
  }

  public int port() {
    return running.connector().port();
  }

  /** Process id of the server, for those who want to measure or kill it. */
  public long pid() {
    return running.process().pid();
  }

  /** Whether the server was found alive rather than started. */
  public boolean adopted() {
    return running.adopted();
  }

  /**
   * For outage tests: the server is gone at once, as after a power cut, and stays away until {@link
   * #startAgain()}. Does nothing if it is stopped already.
   */
  public void stopHard() {
    lock.lock();
    try {
      requireOpen();
      if (state == State.RUNNING) {
        moveTo(State.STOPPED);
        server.stop(running, Server.Stop.IMMEDIATE, HARD_STOP_TIME_MAX);
      }
    } finally {
      lock.unlock();
    }
  }

  /** Ends {@link #stopHard()}: same port, same password; blocks until recovery is over. */
  public void startAgain() {
    lock.lock();
    try {
      requireOpen();
      if (state == State.STOPPED) {
        launchOnSamePort();
        moveTo(State.RUNNING);
      }
    } catch (IOException failed) {
      throw new EmbeddedPostgresException("cannot start PostgreSQL again", failed);
    } finally {
      lock.unlock();
    }
  }

  /** Stops the server, an adopted one too, and unlocks the directory. May be called twice. */
  @Override
  public void close() {
    lock.lock();
    try {
      if (state == State.CLOSED) {
        return;
      }
      boolean wasRunning = state == State.RUNNING;
      moveTo(State.CLOSED);
      try {
        if (wasRunning) {
          server.stop(running, Server.Stop.FAST, FAST_STOP_TIME_MAX);
        }
      } finally {
        directory.close();
      }
    } finally {
      lock.unlock();
    }
  }

  private void requireOpen() {
    if (state == State.CLOSED) {
      throw new IllegalStateException("closed");
    }
  }

  private void moveTo(State next) {
    state = next;
    stateChanged.signalAll();
  }

  private void launchOnSamePort() throws IOException {
    Server.Running next = server.start(port(), password());
    running = next;
    watch(next);
  }

  private void watch(Server.Running watched) {
    if (settings.restartsAfterExit()) {
      var unused =
          watched
              .process()
              .onExit()
              .thenRunAsync(
                  () -> restart(watched),
                  task -> Thread.ofVirtual().name("viesti-postgres-watch").start(task));
    }
  }

  /**
   * Tries until it works or somebody stops us; the pause is bounded, the number of tries is not.
   */
  private void restart(Server.Running ended) {
    Duration pause = RESTART_PAUSE_MIN;
    lock.lock();
    try {
      while (state == State.RUNNING && running.equals(ended)) {
        try {
          LOG.warn(
              "PostgreSQL (pid {}) ended by itself; starting it again on port {}",
              ended.process().pid(),
              port());
          launchOnSamePort();
          LOG.info("PostgreSQL is back on port {}", port());
          return;
        } catch (IOException | EmbeddedPostgresException failed) {
          LOG.error("PostgreSQL does not start; next try in {}", pause, failed);
          stateChanged.awaitNanos(pause.toNanos());
          pause = min(pause.multipliedBy(2), RESTART_PAUSE_MAX);
        }
      }
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      LOG.warn("interrupted; PostgreSQL stays down until the next start");
    } finally {
      lock.unlock();
    }
  }

  private static Duration min(Duration one, Duration other) {
    return one.compareTo(other) <= 0 ? one : other;
  }

  /**
   * Stops the server that a killed JVM has left in a directory; does nothing if there is none or a
   * living JVM uses it.
   */
  static void stopOrphan(Path dataDirectory, EmbeddedPostgresSettings settings) {
    try (DataDirectory directory = DataDirectory.open(dataDirectory)) {
      String password = directory.readPassword();
      if (password != null && directory.readPostmasterPid() != null) {
        Path binariesDir = settings.binariesDir();
        var installation = Installation.in(binariesDir == null ? directory.root() : binariesDir);
        var account = ServerAccount.choose(directory, installation);
        var server = new Server(directory, installation, account, settings);
        Server.@Nullable Running orphan = server.adopt(password);
        if (orphan != null) {
          server.stop(orphan, Server.Stop.IMMEDIATE, HARD_STOP_TIME_MAX);
        }
      }
    } catch (IOException | EmbeddedPostgresException inUse) {
      LOG.debug("left {} alone", dataDirectory, inUse);
    }
  }
}
