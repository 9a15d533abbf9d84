package dev.viesti.ops.bench;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Runs workloads, one after the other, each with nodes and a database of its own. */
public final class Bench {
  /** Stands for the workloads of a node inside this JVM that take seconds. */
  private static final String ENGINE = "engine";

  private static final List<Workload> HTTP =
      List.of(
          new HttpLoad(
              "http-batch",
              "events in batches of 100 over 8 connections; each is also run by a handler",
              new Load.Shape(100, 8),
              false),
          new HttpLoad(
              "http-accept",
              "the same into a paused app: rows are written, nothing runs",
              new Load.Shape(100, 8),
              true),
          new HttpLoad(
              "http-single",
              "single events over 64 connections; each is also run by a handler",
              new Load.Shape(1, 64),
              false),
          new WebhookLatency(),
          new WebhookDrain(),
          new Start(),
          new Backlog());

  private static final List<Workload> WORKLOADS =
      Stream.of(HTTP, EngineWorkload.ALL, List.<Workload>of(new Bloat(), new IdleApps()))
          .<Workload>flatMap(List::stream)
          .toList();

  private Bench() {}

  /** A PostgreSQL to measure with. */
  public record GivenDatabase(String jdbcUrl, @Nullable String user, @Nullable String password) {
    /** Without the password. */
    @Override
    public String toString() {
      return "GivenDatabase[" + jdbcUrl + "]";
    }
  }

  /**
   * How it is run.
   *
   * @param workloads by name; empty = the default ones
   * @param seconds of load in a run
   * @param runs of each workload; the median counts
   * @param backlogRows of the workload {@code backlog}, a multiple of 1,000
   * @param rows of the workload {@code drain}
   * @param apps of the workload {@code apps}
   * @param database for the workloads inside this JVM; null = one of their own
   * @param json one object a workload and line, instead of a table
   * @param directory existing; what is measured writes there
   */
  public record Options(
      List<String> workloads,
      Duration seconds,
      int runs,
      int backlogRows,
      int rows,
      int apps,
      @Nullable GivenDatabase database,
      boolean json,
      Path directory) {
    Workload.Setting setting(Session session, Path own) {
      return new Workload.Setting(
          seconds, runs, backlogRows, rows, apps, database, session, directory, own);
    }
  }

  /** The name and what is measured, one line each, defaults first. */
  public static List<String> describe() {
    return WORKLOADS.stream()
        .map(
            workload ->
                "%-16s %s%s"
                    .formatted(
                        workload.name(),
                        workload.description(),
                        workload.isDefault() ? "" : " (only when named)"))
        .toList();
  }

  /** Every name that {@link Options} may hold. */
  public static List<String> names() {
    return Stream.concat(WORKLOADS.stream().map(Workload::name), Stream.of(ENGINE)).toList();
  }

  /**
   * Measures and prints.
   *
   * @param err says what is going on
   */
  public static void run(Options options, PrintWriter out, PrintWriter err) throws Exception {
    err.printf(
        "data in %s (%s): fsync is only worth something on a real disk%n",
        options.directory(), Files.getFileStore(options.directory()).type());
    List<Summary> summaries = new ArrayList<>();
    try (var session = new Session()) {
      for (Workload workload : chosen(options.workloads())) {
        err.printf("%s: %s%n", workload.name(), workload.description());
        Path directory = Files.createDirectory(options.directory().resolve(workload.name()));
        try {
          Summary summary =
              Summary.of(workload.name(), workload.measure(options.setting(session, directory)));
          summaries.add(summary);
          if (options.json()) {
            out.println(BenchReport.json(summary));
          }
        } finally {
          remove(directory);
        }
      }
    } finally {
      removeAllIn(options.directory());
    }
    if (!options.json()) {
      out.print(BenchReport.table(summaries));
    }
  }

  private static List<Workload> chosen(List<String> names) {
    return WORKLOADS.stream()
        .filter(
            workload ->
                names.isEmpty()
                    ? workload.isDefault()
                    : names.contains(workload.name())
                        || (names.contains(ENGINE) && EngineWorkload.ALL.contains(workload)))
        .toList();
  }

  private static void removeAllIn(Path directory) throws IOException {
    try (Stream<Path> entries = Files.list(directory)) {
      for (Path entry : entries.toList()) {
        remove(entry);
      }
    }
  }

  /** Removes a directory with all that is in it. */
  public static void remove(Path directory) throws IOException {
    if (!Files.exists(directory)) {
      return;
    }
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(file);
      }
    }
  }
}
