package dev.viesti.ops.e2e;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.viesti.ops.cli.Main;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Ctrl-C in the middle of a workload. */
@Timeout(180)
class BenchInterruptTest {
  private static final Duration BEGUN_MAX = Duration.ofSeconds(90);

  /** After PostgreSQL: the node starts, and then the load. */
  private static final Duration IN_THE_MIDDLE = Duration.ofSeconds(8);

  private static final long STOP_MAX_S = 60;
  private static final Duration REAPED_MAX = Duration.ofSeconds(5);

  /**
   * A shell that runs tests in the background ignores the signal, and so would its children; and
   * the group that gets it shall not be that of the tests.
   */
  private static final List<String> NOTICING_CTRL_C =
      List.of("env", "--default-signal=INT", "setsid");

  private final List<ProcessHandle> started = new ArrayList<>();

  @AfterEach
  void endAll() {
    started.forEach(ProcessHandle::destroyForcibly);
  }

  @ParameterizedTest
  @ValueSource(strings = {"latency", "http-single"})
  void stopsNodeAndPostgresAndLeavesNothing(String workload, @TempDir Path folder)
      throws Exception {
    Process bench = started(workload, folder);
    Await.pause(IN_THE_MIDDLE);
    List<ProcessHandle> below = below(bench);
    interrupt(bench);
    requireEnd(bench, below, folder);
  }

  /** A node that starts has no hook yet that would stop its PostgreSQL. */
  @Test
  void stopsWhatANodeHasLeftThatWasInterruptedInItsStart(@TempDir Path folder) throws Exception {
    Process bench = started("http-single", folder);
    List<ProcessHandle> below = below(bench);
    interrupt(bench);
    requireEnd(bench, below, folder);
  }

  /** Its PostgreSQL runs. */
  private Process started(String workload, Path folder) throws Exception {
    assumeTrue(canSendCtrlC(), "needs setsid, and env of GNU with --default-signal");
    Path said = folder.resolve("said");
    Process bench = start(workload, Files.createDirectory(folder.resolve("tmp")), said);
    started.add(bench.toHandle());
    Await.until(
        workload + " runs",
        BEGUN_MAX,
        () -> {
          assertThat(bench.isAlive()).as(Files.readString(said)).isTrue();
          return Files.readString(said).contains(workload + ": ") && hasPostgres(bench);
        });
    return bench;
  }

  private List<ProcessHandle> below(Process bench) {
    List<ProcessHandle> below = bench.descendants().toList();
    started.addAll(below);
    return below;
  }

  /** As a terminal does: all of the group, so also the nodes, but not PostgreSQL. */
  private static void interrupt(Process bench) throws Exception {
    assertThat(new ProcessBuilder("kill", "-INT", "--", "-" + bench.pid()).start().waitFor())
        .isZero();
  }

  private static void requireEnd(Process bench, List<ProcessHandle> below, Path folder)
      throws Exception {
    assertThat(bench.waitFor(STOP_MAX_S, TimeUnit.SECONDS)).isTrue();
    String whole = Files.readString(folder.resolve("said"), UTF_8);
    assertThat(bench.exitValue()).as(whole).isEqualTo(130);
    // a killed process lives on until whoever is its parent by then has noticed
    Await.until(
        "all have ended", REAPED_MAX, () -> below.stream().noneMatch(ProcessHandle::isAlive));
    assertThat(folder.resolve("tmp")).isEmptyDirectory();
    List<String> lines = whole.lines().toList();
    assertThat(lines).as(whole).hasSize(3);
    assertThat(lines.getLast()).startsWith("interrupted: ");
  }

  private static boolean canSendCtrlC() throws Exception {
    List<String> command = new ArrayList<>(NOTICING_CTRL_C);
    command.add("true");
    try {
      return new ProcessBuilder(command).start().waitFor() == 0;
    } catch (java.io.IOException noSuchProgram) {
      return false;
    }
  }

  private static boolean hasPostgres(Process bench) {
    return bench
        .descendants()
        .anyMatch(process -> process.info().command().orElse("").endsWith("/postgres"));
  }

  private static Process start(String workload, Path temp, Path said) throws Exception {
    List<String> command = new ArrayList<>(NOTICING_CTRL_C);
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"));
    if (Runtime.version().feature() >= 23) {
      command.add("--sun-misc-unsafe-memory-access=allow");
    }
    command.add("-Djava.io.tmpdir=" + temp);
    command.addAll(List.of("-cp", NodeProcess.classPath(), Main.class.getName()));
    command.addAll(List.of("bench", workload, "--seconds", "120"));
    return new ProcessBuilder(command)
        .redirectErrorStream(true)
        .redirectOutput(said.toFile())
        .start();
  }
}
