package dev.viesti.ops.bench;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** One thing to measure. A workload starts its nodes itself, in a directory that is empty. */
interface Workload {
  /** As it is typed. */
  String name();

  /** One line for people. */
  String description();

  /** Whether it runs when none is named; those that take minutes do not. */
  default boolean isDefault() {
    return true;
  }

  /** Warms up and measures. */
  List<Measured> measure(Setting setting) throws Exception;

  /**
   * What is asked for.
   *
   * @param seconds of load in a run, where the workload has no fixed number of events
   * @param backlogRows of the workload {@code backlog}
   * @param rows that wait in the workload {@code drain}
   * @param apps of the workload {@code apps}
   * @param database for the workloads inside this JVM; null = one of their own
   * @param session what workloads inside this JVM share
   * @param base where directories are made; removed afterwards
   * @param directory empty, in {@code base}
   */
  record Setting(
      Duration seconds,
      int runs,
      int backlogRows,
      int rows,
      int apps,
      Bench.@Nullable GivenDatabase database,
      Session session,
      Path base,
      Path directory) {
    /** The same in another directory. */
    Setting in(Path other) {
      return new Setting(seconds, runs, backlogRows, rows, apps, database, session, base, other);
    }
  }
}
