package dev.viesti.ops.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.NoSuchElementException;
import org.jspecify.annotations.Nullable;

/**
 * What a node uses, as the operating system and its database see it. What a platform does not tell
 * is null. For one thread.
 */
final class NodeProbe {
  private static final long KIB = 1_024;
  private static final long NO_PROCESS = -1;

  private final NodeProcess node;

  NodeProbe(NodeProcess node) {
    this.node = node;
  }

  /**
   * Counters; only differences mean something.
   *
   * @param walBytes written by the database since ever; null = unknown
   * @param nodeCpu null = the node is in this JVM
   * @param postgresCpu of all its processes, ended ones included; null = it runs elsewhere
   * @param machineCpu of all processes, ours included; null = unknown
   */
  record Reading(
      long nanoTime,
      @Nullable Long walBytes,
      @Nullable Duration nodeCpu,
      @Nullable Duration postgresCpu,
      Duration clientCpu,
      @Nullable Duration machineCpu) {}

  Reading read() {
    return new Reading(
        System.nanoTime(),
        walBytes(),
        ProcessHandle.of(node.pid()).map(ProcessCpu::of).orElse(Duration.ZERO),
        ProcessCpu.ofTree(postmaster()),
        ProcessCpu.of(ProcessHandle.current()),
        ProcessCpu.ofMachine());
  }

  /** Resident memory of the node's JVM. */
  @Nullable Long nodeRssBytes() {
    return procValue(Path.of("/proc/" + node.pid() + "/status"), "VmRSS:");
  }

  /** Resident memory of all of PostgreSQL's processes; what they share is counted once. */
  @Nullable Long postgresBytes() {
    long sum = 0;
    for (ProcessHandle process : ProcessCpu.tree(postmaster()).toList()) {
      Long share = procValue(Path.of("/proc/" + process.pid() + "/smaps_rollup"), "Pss:");
      if (share == null) {
        return null;
      }
      sum += share;
    }
    return sum;
  }

  /** The sum of a metric's samples whose line contains {@code tag}. */
  double metric(String name, String tag) {
    try (HttpConnection connection = node.connect()) {
      int status = connection.send("GET", "/metrics", "text/plain", new byte[0]);
      if (status != 200) {
        throw new IllegalStateException("/metrics answers " + status);
      }
      return connection
          .body()
          .lines()
          .filter(line -> line.startsWith(name) && line.contains(tag))
          .filter(line -> line.charAt(name.length()) == '{' || line.charAt(name.length()) == ' ')
          .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
          .sum();
    } catch (IOException failed) {
      throw new UncheckedIOException(failed);
    }
  }

  /** Rows of all apps that are owned and not settled, as of the owners' last look. */
  long pending() {
    return (long) metric("viesti_outbox_pending", "");
  }

  /** Bytes of heap in use, garbage included. */
  double heapUsedBytes() {
    return metric("jvm_memory_used_bytes", "area=\"heap\"");
  }

  /** Rows in the table, counted. */
  long rowsInTable() throws SQLException, IOException {
    return query("select count(*) from viesti.outbox");
  }

  private @Nullable Long walBytes() {
    try {
      return query("select (pg_current_wal_lsn() - '0/0')::bigint");
    } catch (SQLException | IOException unknown) {
      return null;
    }
  }

  private long query(String sql) throws SQLException, IOException {
    List<String> pidFile = pidFile(node.dataDir());
    String url = "jdbc:postgresql://127.0.0.1:" + pidFile.get(3) + "/viesti";
    String password = Files.readString(node.dataDir().resolve("password")).strip();
    try (Connection connection = DriverManager.getConnection(url, "viesti", password);
        var statement = connection.createStatement();
        var rows = statement.executeQuery(sql)) {
      rows.next();
      return rows.getLong(1);
    }
  }

  /** That of no process when there is no server. */
  private long postmaster() {
    Long pid = postmaster(node.dataDir());
    return pid == null ? NO_PROCESS : pid;
  }

  /** The process that the server in a node's directory has, or had; null when it has none. */
  static @Nullable Long postmaster(Path dataDir) {
    try {
      return Long.valueOf(pidFile(dataDir).getFirst().strip());
    } catch (IOException | NumberFormatException | NoSuchElementException gone) {
      return null; // or it is being written
    }
  }

  /** Lines: pid, data directory, start time, port, … */
  private static List<String> pidFile(Path dataDir) throws IOException {
    return Files.readAllLines(dataDir.resolve("cluster/postmaster.pid"));
  }

  private static @Nullable Long procValue(Path file, String name) {
    try {
      for (String line : Files.readAllLines(file)) {
        if (line.startsWith(name)) {
          return Long.parseLong(line.replaceAll("\\D", "")) * KIB;
        }
      }
      return null;
    } catch (NoSuchFileException ended) {
      return 0L;
    } catch (IOException unknown) {
      return null;
    }
  }
}
