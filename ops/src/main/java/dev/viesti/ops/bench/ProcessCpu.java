package dev.viesti.ops.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * CPU time as the operating system counts it, see <a
 * href="https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html">proc_pid_stat(5)</a>.
 */
final class ProcessCpu {
  /** Of times in {@code /proc}, on every platform that the JDK runs on. */
  private static final Duration TICK = Duration.ofMillis(10);

  /** Processes can end while we look; so many times in a row they do not. */
  private static final int LOOKS_MAX = 10;

  /** Fields after the program's name, which may hold anything: the first is number 3, the state. */
  private static final int UTIME = 14 - 3;

  private static final int STIME = 15 - 3;
  private static final int CUTIME = 16 - 3;
  private static final int CSTIME = 17 - 3;

  private ProcessCpu() {}

  private record Ticks(long own, long ended) {
    long sum() {
      return own + ended;
    }
  }

  /** Of one process, without its children. */
  static Duration of(ProcessHandle process) {
    return process.info().totalCpuDuration().orElse(Duration.ZERO);
  }

  /**
   * Of a process and all below it, those that have ended included: sessions, vacuum workers. Where
   * there is no {@code /proc}, of the living ones. Zero when the process has ended.
   */
  static Duration ofTree(long pid) {
    for (int look = 0; look < LOOKS_MAX; look++) {
      Ticks before = ticks(pid);
      if (before == null) {
        break;
      }
      long sum = before.sum();
      boolean whole = true;
      for (ProcessHandle below : tree(pid).skip(1).toList()) {
        Ticks one = ticks(below.pid());
        whole &= one != null;
        sum += one == null ? 0 : one.sum();
      }
      // What ends meanwhile moves into its parent's sum: seen twice, or not at all.
      Ticks after = ticks(pid);
      if (whole && after != null && after.ended() == before.ended()) {
        return TICK.multipliedBy(sum);
      }
    }
    return tree(pid).map(ProcessCpu::of).reduce(Duration.ZERO, Duration::plus);
  }

  /** A process and all below it; nothing when it has ended. */
  static Stream<ProcessHandle> tree(long pid) {
    return ProcessHandle.of(pid).stream()
        .flatMap(found -> Stream.concat(Stream.of(found), found.descendants()));
  }

  /** Of all processes, without waiting for disks; null where there is no {@code /proc}. */
  static @Nullable Duration ofMachine() {
    try (var lines = Files.lines(Path.of("/proc/stat"))) {
      String[] ticks = lines.findFirst().orElse("").split("\\s+", -1);
      long busy = 0;
      for (int i : new int[] {1, 2, 3, 6, 7, 8}) {
        busy += Long.parseLong(ticks[i]);
      }
      return TICK.multipliedBy(busy);
    } catch (IOException unknown) {
      return null;
    }
  }

  private static @Nullable Ticks ticks(long pid) {
    try {
      String stat = Files.readString(Path.of("/proc/" + pid + "/stat"));
      String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
      return new Ticks(
          Long.parseLong(fields[UTIME]) + Long.parseLong(fields[STIME]),
          Long.parseLong(fields[CUTIME]) + Long.parseLong(fields[CSTIME]));
    } catch (IOException ended) {
      return null;
    }
  }
}
