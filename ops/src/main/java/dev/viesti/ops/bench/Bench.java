package dev.viesti.ops.bench;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Runs workloads, one after the other. Those over HTTP have nodes and a database of their own each;
 * those inside this JVM share one.
 */
public final class Bench {
  /** Stands for the workloads of a node inside this JVM that take seconds, and the limit. */
  private static final String ENGINE = "engine";

  private static final String LIMIT_DESCRIPTION =
      "bare PostgreSQL, before and after the others: pipeline, inserts, deletes, single inserts";

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
      Stream.of(
              HTTP,
              EngineWorkload.ALL,
              List.<Workload>of(new Bloat(), new IdleApps(), new PluginCost()))
          .<Workload>flatMap(List::stream)
          .toList();

  /** Half a minute in all: {@code initdb} takes seconds. */
  private static final int REMOVALS_MAX = 300;

  private static final Duration REMOVAL_PAUSE = Duration.ofMillis(100);

  /** What a line of {@link #describe} has before the description. */
  private static final String LISTED = "%-16s %s";

  private final Options options;
  private final PrintWriter out;
  private final PrintWriter err;
  private final Session session;
  private final Limits limits = new Limits();
  private final List<Result> results = new ArrayList<>();
  private volatile boolean stopped;

  /**
   * @param out gets the figures
   * @param err is told what is going on
   */
  public Bench(Options options, PrintWriter out, PrintWriter err) {
    this.options = options;
    this.out = out;
    this.err = err;
    this.session = new Session(options.directory(), options.database());
  }

  /** A PostgreSQL to measure with. */
  public record GivenDatabase(String jdbcUrl, @Nullable String user, @Nullable String password) {
    /** Without the password. */
    @Override
    public String toString() {
      return "GivenDatabase[" + jdbcUrl + "]";
    }
  }

  /**
   * How much, where it is not a matter of time.
   *
   * @param backlogRows of the workload {@code backlog}, a multiple of 1,000
   * @param rows of the workload {@code drain}
   * @param apps of the workload {@code apps}
   */
  public record Sizes(int backlogRows, int rows, int apps) {}

  /**
   * How it is run.
   *
   * @param workloads by name; empty = the default ones
   * @param seconds of load in a run
   * @param runs of each workload; the median counts
   * @param database for the workloads inside this JVM; null = one of their own
   * @param json one object a workload and line, instead of a table
   * @param directory existing; what is measured writes there, and it is empty afterwards
   */
  public record Options(
      List<String> workloads,
      Duration seconds,
      int runs,
      Sizes sizes,
      @Nullable GivenDatabase database,
      boolean json,
      Path directory) {}

  private record Result(Workload workload, List<Measured> runs) {}

  /** The name and what is measured, one line each, defaults first. */
  public static List<String> describe() {
    List<String> lines = new ArrayList<>();
    for (Workload workload : WORKLOADS) {
      if (workload.equals(EngineWorkload.ALL.getFirst())) {
        lines.add(
            LISTED.formatted(
                ENGINE, "stands for the nine from limit to drain; none of them runs unless named"));
        lines.add(LISTED.formatted(Limits.NAME, LIMIT_DESCRIPTION));
      }
      lines.add(
          LISTED.formatted(workload.name(), workload.description())
              + (workload.isDefault() || EngineWorkload.ALL.contains(workload)
                  ? ""
                  : " (only when named)"));
    }
    return lines;
  }

  /** Every name that {@link Options} may hold. */
  public static List<String> names() {
    return Stream.concat(WORKLOADS.stream().map(Workload::name), Stream.of(Limits.NAME, ENGINE))
        .toList();
  }

  /**
   * Measures and prints.
   *
   * @return false when {@link #stop} was called meanwhile: whoever did that cleans up
   * @throws ForeignAppsException when somebody uses the given database
   */
  public boolean run() throws Exception {
    say(
        "data in %s (%s): fsync is only worth something on a real disk"
            .formatted(options.directory(), Files.getFileStore(options.directory()).type()));
    try {
      measure();
      return !stopped;
    } catch (Exception | Error failed) {
      if (!stopped) {
        throw failed;
      }
      return false;
    } finally {
      if (!stopped) {
        session.close();
        removeAllIn(options.directory());
      }
    }
  }

  private void measure() throws Exception {
    List<Workload> chosen = chosen();
    boolean limitNamed = isNamed(Limits.NAME) || isNamed(ENGINE);
    boolean bounded = chosen.stream().anyMatch(workload -> workload.limit() != null);
    try {
      for (Workload workload : chosen) {
        if (workload.limit() != null && !limits.areMeasured()) {
          measureLimits(false);
        }
        measure(workload);
      }
      if (bounded) {
        measureLimits(true);
      } else if (limitNamed) {
        measureLimits(false);
      }
      session.tidy();
    } finally {
      if (!stopped) {
        print(limitNamed && limits.areMeasured());
      }
    }
  }

  private void measureLimits(boolean after) throws Exception {
    say(Limits.NAME + ": " + LIMIT_DESCRIPTION);
    if (after) {
      limits.measureAfter(setting(options.directory()));
    } else {
      limits.measureBefore(setting(options.directory()));
    }
    say(BenchReport.line(limits.summary()));
  }

  private void measure(Workload workload) throws Exception {
    say(workload.name() + ": " + workload.description());
    Path directory = Files.createDirectory(options.directory().resolve(workload.name()));
    Result result;
    try {
      result = new Result(workload, workload.measure(setting(directory)));
    } finally {
      if (!stopped) {
        remove(directory);
      }
    }
    say(BenchReport.line(Summary.of(workload.name(), result.runs())));
    if (options.json() && !limits.areMeasured()) {
      out.println(BenchReport.json(Summary.of(workload.name(), result.runs())));
    } else {
      results.add(result);
    }
  }

  /**
   * Shares are known only once the limit was measured again; what came in between waits as well.
   */
  private void print(boolean withLimits) {
    List<Summary> summaries = new ArrayList<>();
    if (withLimits) {
      summaries.add(limits.summary());
    }
    for (Result result : results) {
      result.runs().forEach(run -> limits.share(run, result.workload().limit()));
      summaries.add(Summary.of(result.workload().name(), result.runs()));
    }
    if (options.json()) {
      summaries.forEach(summary -> out.println(BenchReport.json(summary)));
    } else {
      out.print(BenchReport.table(summaries));
    }
    out.flush();
  }

  private Workload.Setting setting(Path directory) {
    return new Workload.Setting(
        options.seconds(), options.runs(), options.sizes(), session, this::say, directory);
  }

  private void say(String text) {
    if (!stopped) {
      err.println(text);
    }
  }

  private List<Workload> chosen() {
    return WORKLOADS.stream()
        .filter(
            workload ->
                options.workloads().isEmpty()
                    ? workload.isDefault()
                    : isNamed(workload.name())
                        || (isNamed(ENGINE) && EngineWorkload.ALL.contains(workload)))
        .toList();
  }

  private boolean isNamed(String name) {
    return options.workloads().contains(name);
  }

  /**
   * In the middle of a workload, from another thread: stops nodes, then PostgreSQL, then removes
   * what was written, and waits for that. {@link #run} says nothing any more.
   */
  public void stop() throws Exception {
    stopped = true;
    try {
      session.close();
    } finally {
      removeAllIn(options.directory());
    }
  }

  private static void removeAllIn(Path directory) throws IOException {
    try (Stream<Path> entries = Files.list(directory)) {
      for (Path entry : entries.toList()) {
        remove(entry);
      }
    }
  }

  /**
   * Removes a directory with all that is in it. A program that was killed in the middle of making
   * files may have children that still make some: then it looks again.
   */
  public static void remove(Path directory) throws IOException {
    for (int again = REMOVALS_MAX; Files.exists(directory); again--) {
      try {
        removeOnce(directory);
      } catch (IOException | UncheckedIOException changing) {
        if (again == 0) {
          throw changing;
        }
        LockSupport.parkNanos(REMOVAL_PAUSE.toNanos());
      }
    }
  }

  private static void removeOnce(Path directory) throws IOException {
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(file);
      }
    }
  }
}
