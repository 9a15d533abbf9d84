package dev.viesti.ops.e2e;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.viesti.ops.cli.Main;
import dev.viesti.persistence.embedded.TestDatabase;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A node in a JVM of its own, started as {@code bin/viesti} starts it. */
final class NodeProcess {
  private static final Duration READY_TIME_MAX = Duration.ofSeconds(90);
  private static final Pattern SERVE = Pattern.compile("ready: API (\\S+), management (\\S+)");
  private static final Pattern DEV =
      Pattern.compile("API +(http\\S+)/v1/apps\\s.*management +(http\\S+)/ready", Pattern.DOTALL);

  /** Small, and quick to start: what is compiled best does not matter here. */
  private static final List<String> JVM =
      List.of("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto");

  private final String name;
  private final Path log;
  private final Process process;
  private URI api = URI.create("http://127.0.0.1:1");
  private URI management = api;

  private NodeProcess(String name, Path log, Process process) {
    this.name = name;
    this.log = log;
    this.process = process;
  }

  /** {@code viesti serve} on a database that outlives it. */
  static NodeProcess serve(String name, TestDatabase database, List<String> more)
      throws IOException {
    List<String> command = new ArrayList<>(List.of("serve", "--host", "127.0.0.1"));
    command.addAll(List.of("--port", "0", "--management-port", "0", "--node-name", name));
    command.addAll(List.of("--cluster-host", "127.0.0.1", "--allow-private-targets"));
    command.addAll(List.of("--database-url", database.url(), "--database-user", database.user()));
    List<String> jvm = more.stream().filter(argument -> argument.startsWith("-D")).toList();
    command.addAll(more.stream().filter(argument -> !argument.startsWith("-D")).toList());
    if (!more.contains("--cluster-port")) {
      command.addAll(List.of("--cluster-port", "0"));
    }
    return start(name, jvm, command, database.password());
  }

  /** {@code viesti dev} with a PostgreSQL of its own. */
  static NodeProcess dev(String name, Path dataDir) throws IOException {
    return start(
        name,
        List.of(),
        List.of("dev", "--port", "0", "--management-port", "0", "--data-dir", dataDir.toString()),
        "");
  }

  private static NodeProcess start(
      String name, List<String> jvm, List<String> arguments, String databasePassword)
      throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(JVM);
    command.addAll(jvm);
    command.addAll(List.of("-cp", classPath(), Main.class.getName()));
    command.addAll(arguments);
    Path log = Files.createTempFile("viesti-" + name + "-", ".log");
    var builder = new ProcessBuilder(command);
    builder.environment().keySet().removeIf(variable -> variable.startsWith("VIESTI_"));
    builder.environment().put("VIESTI_ADMIN_KEY", Caller.KEY);
    builder.environment().put("VIESTI_DATABASE_PASSWORD", databasePassword);
    builder.redirectErrorStream(true).redirectOutput(log.toFile());
    return new NodeProcess(name, log, builder.start());
  }

  /** The directories and jars of this JVM; the runner may have hidden them in a manifest. */
  static String classPath() {
    return System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
  }

  /** A port that nobody had a moment ago. */
  static int freePort() throws IOException {
    try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  /** Waits until it accepts events. */
  NodeProcess ready() throws Exception {
    Duration took =
        Await.until(
            name + " is ready",
            READY_TIME_MAX,
            () -> {
              String said = said();
              Matcher serve = SERVE.matcher(said);
              Matcher dev = DEV.matcher(said);
              Matcher found = serve.find() ? serve : dev;
              if (found == serve || dev.find()) {
                api = URI.create(found.group(1));
                management = URI.create(found.group(2));
                return true;
              }
              if (!process.isAlive()) {
                throw new AssertionError(name + " ended with exit code " + process.exitValue());
              }
              return false;
            });
    System.out.printf("%s was ready after %,d ms%n", name, took.toMillis());
    return this;
  }

  URI api() {
    return api;
  }

  URI management() {
    return management;
  }

  Caller caller() {
    return new Caller(api);
  }

  /** {@code kill -9}. */
  void kill() throws InterruptedException {
    process.destroyForcibly();
    process.waitFor();
  }

  /**
   * {@code kill}, as Ctrl-C and every orchestrator do it.
   *
   * @return the exit code
   */
  int stop(Duration limit) throws InterruptedException {
    process.destroy();
    if (!process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
      throw new AssertionError(name + " did not stop within " + limit.toSeconds() + " s");
    }
    return process.exitValue();
  }

  /** Everything it has printed. */
  String said() throws IOException {
    return new String(Files.readAllBytes(log), UTF_8);
  }

  /** Ends it if it still runs. */
  void end(boolean show) throws IOException, InterruptedException {
    kill();
    if (show) {
      System.out.printf("---- %s ----%n%s%n", name, said());
    }
    Files.deleteIfExists(log);
  }
}
