package dev.viesti.ops.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.BufferedReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class ProcessCpuTest {
  /** A child works and ends; its parent lives on, as PostgreSQL does when a session ends. */
  private static final String CHILD_ENDS =
      "sh -c 'i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done'; echo ended; read line";

  @Test
  void countsProcessesThatHaveEnded() throws Exception {
    assumeTrue(
        Files.exists(Path.of("/proc/self/stat")), "CPU times are read where there is a /proc");
    Process parent = new ProcessBuilder("sh", "-c", CHILD_ENDS).start();
    try (BufferedReader said = parent.inputReader()) {
      assertThat(said.readLine()).isEqualTo("ended");
      Duration living =
          ProcessCpu.tree(parent.pid()).map(ProcessCpu::of).reduce(Duration.ZERO, Duration::plus);
      Duration all = ProcessCpu.ofTree(parent.pid());
      assertThat(all).isGreaterThan(living.plusMillis(20)).isLessThan(Duration.ofSeconds(20));
      assertThat(ProcessCpu.ofTree(parent.pid())).isEqualTo(all);
    } finally {
      parent.destroy();
      parent.waitFor();
    }
    assertThat(ProcessCpu.ofTree(parent.pid())).isZero();
  }

  @Test
  void countsProcessesThatLive() throws Exception {
    Process parent =
        new ProcessBuilder(
                "sh",
                "-c",
                "sh -c 'i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done;"
                    + " echo worked; read line'; echo ended")
            .start();
    try (BufferedReader said = parent.inputReader()) {
      assertThat(said.readLine()).isEqualTo("worked");
      assertThat(ProcessCpu.ofTree(parent.pid())).isGreaterThan(Duration.ofMillis(20));
    } finally {
      parent.destroy();
      parent.waitFor();
    }
  }
}
