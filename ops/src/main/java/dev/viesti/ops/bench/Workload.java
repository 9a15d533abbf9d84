package dev.viesti.ops.bench;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

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
   * @param directory empty, removed afterwards
   */
  record Setting(Duration seconds, int runs, int backlogRows, Path directory) {}
}
