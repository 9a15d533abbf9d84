package dev.viesti.ops.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** A node in a JVM of its own, with the options that {@code bin/viesti} gives a server. */
final class NodeProcess implements AutoCloseable {
  /** The admin key of all nodes that are measured: they listen on loopback, for minutes. */
  static final String KEY = "bench-key-on-loopback";

  /** The first start unpacks PostgreSQL and creates a database, on a machine that may be busy. */
  private static final Duration READY_MAX = Duration.ofMinutes(3);

  /** The resolution of start-to-ready. */
  private static final Duration LOOK_EVERY = Duration.ofMillis(10);

  private static final Duration STOP_MAX = Duration.ofSeconds(90);
  private static final int LOG_TAIL_CHARS = 2_000;

  /** Set by {@code bin/viesti}: the heap and the collector of a server. */
  private static final String SERVER_OPTIONS = "viesti.bench.server.options";

  private static final Pattern HEAP_OR_COLLECTOR =
      Pattern.compile("-Xm[sx].*|-XX:[+-]Use\\w+GC|-Dviesti\\.bench\\..*");

  private final Process process;
  private final URI api;
  private final Path dataDir;
  private final double secondsToReady;

  private NodeProcess(Process process, URI api, Path dataDir, double secondsToReady) {
    this.process = process;
    this.api = api;
    this.dataDir = dataDir;
    this.secondsToReady = secondsToReady;
  }

  /**
   * Starts a node and waits until its {@code /ready} says so.
   *
   * @param directory holds the data, in {@code data}, and the log of the process
   */
  static NodeProcess start(Path directory) throws Exception {
    int port = freePort();
    int managementPort = freePort();
    Path dataDir = directory.resolve("data");
    Path log = directory.resolve("node.log");
    List<String> command = new ArrayList<>();
    command.add(ProcessHandle.current().info().command().orElse("java"));
    command.addAll(
        jvmOptions(
            ManagementFactory.getRuntimeMXBean().getInputArguments(),
            System.getProperty(SERVER_OPTIONS)));
    // What a node leaves that is ended by force goes away with its data.
    command.add("-Djava.io.tmpdir=" + Files.createDirectories(directory.resolve("tmp")));
    command.addAll(
        List.of(
            "-cp",
            System.getProperty("java.class.path", ""),
            BenchServer.class.getName(),
            dataDir.toString(),
            Integer.toString(port),
            Integer.toString(managementPort)));
    long started = System.nanoTime();
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
            .start();
    boolean ready = false;
    try {
      URI management = URI.create("http://127.0.0.1:" + managementPort);
      Wait.until(
          () -> isReady(management, process, log), LOOK_EVERY, READY_MAX, "the node is not ready");
      ready = true;
      double seconds = (System.nanoTime() - started) / 1e9;
      return new NodeProcess(process, URI.create("http://127.0.0.1:" + port), dataDir, seconds);
    } finally {
      if (!ready) {
        stop(process, dataDir);
      }
    }
  }

  URI api() {
    return api;
  }

  Path dataDir() {
    return dataDir;
  }

  /** Of the JVM. */
  long pid() {
    return process.pid();
  }

  /** From the start of the process. */
  double secondsToReady() {
    return secondsToReady;
  }

  /** A new connection to the API. */
  HttpConnection connect() {
    try {
      return new HttpConnection(api, KEY);
    } catch (IOException failed) {
      throw new UncheckedIOException("cannot connect to " + api, failed);
    }
  }

  /** Stops in order; the data stays. */
  @Override
  public void close() {
    stop(process, dataDir);
  }

  private static void stop(Process process, Path dataDir) {
    process.destroy();
    try {
      if (!process.waitFor(STOP_MAX.toSeconds(), TimeUnit.SECONDS)) {
        process.destroyForcibly().waitFor();
      }
      stopOrphan(dataDir);
    } catch (InterruptedException interrupted) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }

  /** A node that was ended while it started, or by force, has left its PostgreSQL behind. */
  private static void stopOrphan(Path dataDir) {
    Long pid = NodeProbe.postmaster(dataDir);
    ProcessHandle orphan = pid == null ? null : ProcessHandle.of(pid).orElse(null);
    if (orphan != null && orphan.info().command().orElse("").endsWith("/postgres")) {
      orphan.destroy();
      var unused =
          orphan.onExit().completeOnTimeout(orphan, STOP_MAX.toSeconds(), TimeUnit.SECONDS).join();
    }
  }

  /**
   * This JVM's options, but the heap and the collector of a server: {@code bin/viesti} tells both.
   * Without what two JVMs cannot share: a debugger's port, a recording's file.
   */
  static List<String> jvmOptions(List<String> ours, @Nullable String servers) {
    List<String> options = new ArrayList<>();
    for (String option : ours) {
      boolean shared =
          !option.startsWith("-agentlib:")
              && !option.startsWith("-javaagent:")
              && !option.startsWith("-XX:StartFlightRecording");
      boolean replaced = servers != null && HEAP_OR_COLLECTOR.matcher(option).matches();
      if (shared && !replaced) {
        options.add(option);
      }
    }
    if (servers != null) {
      options.addAll(List.of(servers.strip().split("\\s+", -1)));
    }
    return options;
  }

  private static boolean isReady(URI management, Process process, Path log) throws IOException {
    if (!process.isAlive()) {
      String text = Files.readString(log);
      throw new IllegalStateException(
          "the node has ended with exit code %d:%n%s"
              .formatted(
                  process.exitValue(),
                  text.substring(Math.max(0, text.length() - LOG_TAIL_CHARS))));
    }
    try (HttpConnection connection = new HttpConnection(management, KEY)) {
      return connection.send("GET", "/ready", "text/plain", new byte[0]) == 200;
    } catch (IOException | UncheckedIOException notYet) {
      return false;
    }
  }

  private static int freePort() throws IOException {
    try (var socket = new ServerSocket(0, 1, InetAddress.getByAddress(new byte[] {127, 0, 0, 1}))) {
      return socket.getLocalPort();
    }
  }
}
