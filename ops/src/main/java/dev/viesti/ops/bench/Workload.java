package dev.viesti.ops.bench;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;
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

  /** Which figure of {@link Limit} bounds it; null when none does. */
  default @Nullable String limit() {
    return null;
  }

  /** Warms up and measures. */
  List<Measured> measure(Setting setting) throws Exception;

  /**
   * What is asked for.
   *
   * @param seconds of load in a run, where the workload has no fixed number of events
   * @param session what workloads share, and what is stopped at Ctrl-C
   * @param say tells people how far it is
   * @param directory empty
   */
  record Setting(
      Duration seconds,
      int runs,
      Bench.Sizes sizes,
      Session session,
      Consumer<String> say,
      Path directory) {}
}
