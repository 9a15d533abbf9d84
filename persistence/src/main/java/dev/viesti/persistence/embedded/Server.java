package dev.viesti.persistence.embedded;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Runs PostgreSQL's programs on one data directory: create, start, find again, stop. */
final class Server {
  private static final Logger LOG = LoggerFactory.getLogger(Server.class);

  /** Between two looks at a server that starts or stops. */
  private static final Duration POLL_PAUSE = Duration.ofMillis(20);

  /** initdb writes about 40 MB and syncs them; seconds even on a slow disk. */
  private static final Duration INITDB_TIME_MAX = Duration.ofMinutes(2);

  private static final Duration SIGNAL_TIME_MAX = Duration.ofSeconds(10);

  private final DataDirectory directory;
  private final Installation installation;
  private final ServerAccount account;
  private final EmbeddedPostgresSettings settings;

  Server(
      DataDirectory directory,
      Installation installation,
      ServerAccount account,
      EmbeddedPostgresSettings settings) {
    this.directory = directory;
    this.installation = installation;
    this.account = account;
    this.settings = settings;
  }

  /**
   * A server process that answered.
   *
   * @param adopted it was not started by us but found alive
   */
  record Running(ProcessHandle process, Connector connector, boolean adopted) {}

  /** Creates the cluster unless it exists. A half-made one, of a killed start, is made anew. */
  String createIfMissing() throws IOException {
    String password = directory.readPassword();
    if (Files.isDirectory(directory.cluster())) {
      if (password == null) {
        throw new EmbeddedPostgresException(
            ("%s has data but its file \"password\" is gone."
                    + " Put that file back, or move the directory away to start empty.")
                .formatted(directory.root()));
      }
      handOver(directory.cluster());
      return password;
    }
    String newPassword = password == null ? directory.createPassword() : password;
    LOG.info("creating a PostgreSQL cluster in {}; this happens once", directory.cluster());
    Path unfinished = directory.cluster().resolveSibling("cluster.new");
    FileTree.delete(unfinished);
    Files.createDirectory(unfinished);
    Files.setPosixFilePermissions(unfinished, PosixFilePermissions.fromString("rwx------"));
    Path passwordFile = directory.writePrivate("initdb-password", newPassword);
    try {
      Integer uid = account.initdb().uid();
      if (uid != null) {
        FileTree.giveTo(uid, unfinished);
        FileTree.giveTo(uid, passwordFile);
      }
      Program.Ended ended = Program.run(initdbCommand(unfinished, passwordFile), INITDB_TIME_MAX);
      if (!ended.succeeded()) {
        throw new EmbeddedPostgresException(
            ("initdb failed in %s. Choose another data directory, or start with --database-url"
                    + " to use your own PostgreSQL. It said:\n%s")
                .formatted(unfinished, ended.output()));
      }
    } finally {
      Files.deleteIfExists(passwordFile);
    }
    handOver(unfinished);
    Files.move(unfinished, directory.cluster(), StandardCopyOption.ATOMIC_MOVE);
    FileTree.force(directory.root());
    return newPassword;
  }

  private List<String> initdbCommand(Path cluster, Path passwordFile) {
    // The builtin provider's C.UTF-8 sorts by code point on every system, whatever locales it has.
    return account
        .initdb()
        .command(
            List.of(
                installation.program("initdb").toString(),
                "--pgdata=" + cluster,
                "--username=" + Connector.USER,
                "--pwfile=" + passwordFile,
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
                "--locale=C",
                "--no-instructions"));
  }

  private void handOver(Path cluster) throws IOException {
    Integer uid = account.server().uid();
    if (uid != null && FileTree.ownerOf(cluster) != uid) {
      FileTree.giveTo(uid, cluster);
    }
  }

  /** Starts the server and waits until it answers. */
  Running start(int port, String password) throws IOException {
    directory.boundLog();
    long logStart = directory.logLength();
    Process process =
        Program.builder(startCommand(port))
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(directory.log().toFile()))
            .start();
    var connector = new Connector(port, password);
    boolean answered = false;
    try {
      awaitReady(process.toHandle(), connector, logStart);
      answered = true;
      return new Running(process.toHandle(), connector, false);
    } finally {
      if (!answered && process.isAlive()) {
        process.destroyForcibly();
      }
    }
  }

  private List<String> startCommand(int port) {
    var command = new ArrayList<String>();
    if (Files.isExecutable(Path.of("/usr/bin/setsid"))) {
      // A session of its own: Ctrl-C in a terminal must reach Viesti only, which then stops the
      // server last.
      command.add("/usr/bin/setsid");
    }
    command.addAll(account.server().prefix());
    command.add(installation.program("postgres").toString());
    command.addAll(List.of("-D", directory.cluster().toString()));
    for (String setting :
        List.of(
            "listen_addresses=127.0.0.1",
            "port=" + port,
            "unix_socket_directories=",
            "password_encryption=scram-sha-256",
            "fsync=on",
            "synchronous_commit=on",
            "full_page_writes=on",
            "shared_buffers=" + settings.sharedBuffersMib() + "MB",
            "max_connections=" + settings.connectionsMax(),
            // Room between checkpoints, so that a burst of events does not write every page twice.
            "max_wal_size=2GB",
            // Measured on a delete that touches 10,000 cold pages: pglz writes a quarter of the WAL
            // and takes three times as long; inserts do not differ. CPU is what a laptop lacks.
            "wal_compression=off",
            // The outbox lives by deletes; the less of it is dead, the fewer pages are written
            // whole
            // after a checkpoint: at 250,000 events/s 25 bytes of WAL an event less than with 10 s.
            // Looking costs a thousandth of a core.
            "autovacuum_naptime=2s",
            "timezone=UTC",
            "log_timezone=UTC",
            "log_checkpoints=off",
            "jit=off")) {
      command.addAll(List.of("-c", setting));
    }
    return command;
  }

  private void awaitReady(ProcessHandle process, Connector connector, long logStart) {
    long deadline = System.nanoTime() + settings.startTimeout().toNanos();
    String last = "nothing";
    while (System.nanoTime() < deadline) {
      if (!process.isAlive()) {
        throw new EmbeddedPostgresException(
            "PostgreSQL ended while it started on %s. It said:\n%s"
                .formatted(directory.cluster(), directory.logTail(logStart)));
      }
      switch (connector.ask()) {
        case Connector.Answer.Ready(String dataDirectory) -> {
          requireOurs(dataDirectory, connector.port());
          return;
        }
        case Connector.Answer.NotYet(String reason) -> last = reason;
        case Connector.Answer.Refused(String reason) ->
            throw new EmbeddedPostgresException(
                ("The PostgreSQL on port %d refuses the password in %s: %s."
                        + " Put the right password back, or stop that server.")
                    .formatted(connector.port(), directory.root().resolve("password"), reason));
      }
      LockSupport.parkNanos(POLL_PAUSE.toNanos());
    }
    throw new EmbeddedPostgresException(
        "PostgreSQL on %s did not answer within %s; the last try said: %s. Its log:\n%s"
            .formatted(
                directory.cluster(), settings.startTimeout(), last, directory.logTail(logStart)));
  }

  private void requireOurs(String dataDirectory, int port) {
    if (!dataDirectory.equals(directory.cluster().toString())) {
      throw new EmbeddedPostgresException(
          "The PostgreSQL on port %d serves %s, not %s. Choose another port."
              .formatted(port, dataDirectory, directory.cluster()));
    }
  }

  /**
   * The server that an earlier JVM, killed, has left behind; null if there is none. Removes a
   * postmaster.pid whose process is surely no server any more, which PostgreSQL itself would take
   * for a living one.
   */
  @Nullable Running adopt(String password) throws IOException {
    DataDirectory.PostmasterPid found = directory.readPostmasterPid();
    if (found == null) {
      return null;
    }
    ProcessHandle process = ProcessHandle.of(found.pid()).orElse(null);
    if (process == null || !process.isAlive() || !mayBeServer(process)) {
      LOG.info("the server with pid {} is gone without a goodbye; it will recover", found.pid());
      Files.deleteIfExists(directory.postmasterPidFile());
      return null;
    }
    LOG.info(
        "found a running server with pid {} on port {}; adopting it", found.pid(), found.port());
    long deadline = System.nanoTime() + settings.startTimeout().toNanos();
    while (found.port() == 0 && System.nanoTime() < deadline && process.isAlive()) {
      LockSupport.parkNanos(POLL_PAUSE.toNanos());
      found = Objects.requireNonNullElse(directory.readPostmasterPid(), found);
    }
    var connector = new Connector(found.port(), password);
    awaitReady(process, connector, directory.logLength());
    return new Running(process, connector, true);
  }

  /** False if the pid now belongs to another program, or to a zombie that nobody has reaped. */
  private static boolean mayBeServer(ProcessHandle process) {
    try {
      String stat = Files.readString(Path.of("/proc/" + process.pid() + "/stat"));
      if (stat.startsWith("Z", stat.lastIndexOf(')') + 2)) {
        return false;
      }
    } catch (IOException noProc) {
      LOG.trace("no /proc here", noProc);
    }
    return process.info().command().map(command -> command.endsWith("/postgres")).orElse(true);
  }

  /** How a server is told to stop. */
  enum Stop {
    /** Ends sessions, writes a checkpoint. */
    FAST("INT"),
    /** As after a power cut: nothing is written, the next start recovers from the WAL. */
    IMMEDIATE("QUIT");

    private final String signal;

    Stop(String signal) {
      this.signal = signal;
    }
  }

  /** Stops the server and waits for its end; kills it when it does not end in time. */
  void stop(Running running, Stop how, Duration timeMax) {
    ProcessHandle process = running.process();
    Program.Ended ended =
        Program.run(
            account
                .server()
                .command(
                    List.of(
                        installation.program("pg_ctl").toString(),
                        "kill",
                        how.signal,
                        Long.toString(process.pid()))),
            SIGNAL_TIME_MAX);
    if (!ended.succeeded() && process.isAlive()) {
      LOG.warn("cannot signal the server, it will be killed: {}", ended.output());
      process.destroyForcibly();
    }
    if (!awaitEnd(process, timeMax)) {
      LOG.warn("the server did not stop within {}; killing it, its next start recovers", timeMax);
      process.destroyForcibly();
      awaitEnd(process, SIGNAL_TIME_MAX);
    }
  }

  private boolean awaitEnd(ProcessHandle process, Duration timeMax) {
    long deadline = System.nanoTime() + timeMax.toNanos();
    while (process.isAlive()) {
      // An adopted server whose new parent reaps nobody stays in the process table for ever.
      if (!mayBeServer(process)) {
        return true;
      }
      if (System.nanoTime() > deadline) {
        return false;
      }
      LockSupport.parkNanos(POLL_PAUSE.toNanos());
    }
    return true;
  }
}
