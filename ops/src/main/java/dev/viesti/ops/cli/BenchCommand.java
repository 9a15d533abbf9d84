package dev.viesti.ops.cli;

import dev.viesti.ops.bench.Bench;
import dev.viesti.ops.bench.ForeignAppsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "bench",
    description = {
      "Measure Viesti on this machine, with a PostgreSQL of its own that syncs every commit.",
      "HTTP workloads start nodes as processes; those of the engine run a node inside this JVM.",
      "'bench engine' compares it with bare PostgreSQL, measured before and after: shares are of",
      "the mean. With --database-url it uses that database, if nobody else does.",
      "Takes minutes and all of the machine; nothing is left behind, nor at Ctrl-C."
    })
final class BenchCommand implements Callable<Integer> {
  private static final int SECONDS_DEFAULT = 10;
  private static final int SECONDS_MAX = 3_600;
  private static final int RUNS_DEFAULT = 3;
  private static final int RUNS_MAX = 100;
  private static final int BACKLOG_DEFAULT = 1_000_000;

  /** Below the default of {@code viesti.outbox.pending-max}. */
  private static final int BACKLOG_MAX = 4_000_000;

  private static final int BACKLOG_STEP = 1_000;
  private static final int ROWS_DEFAULT = 100_000;
  private static final int APPS_DEFAULT = 10_000;
  private static final int APPS_MAX = 100_000;

  private final Terminal terminal;

  @Parameters(
      arity = "0..*",
      paramLabel = "WORKLOAD",
      description =
          "what to measure; 'list' tells what there is, 'engine' stands for nine of them (default:"
              + " those over HTTP that take no minutes)")
  private List<String> workloads = List.of();

  @Option(
      names = "--seconds",
      paramLabel = "S",
      defaultValue = "" + SECONDS_DEFAULT,
      description =
          "length of a run that is a matter of time, and of the warm-up before it; 'bloat' takes a"
              + " minute at least (default: ${DEFAULT-VALUE})")
  private int seconds = SECONDS_DEFAULT;

  @Option(
      names = "--runs",
      paramLabel = "N",
      defaultValue = "" + RUNS_DEFAULT,
      description = "of each workload; the median counts (default: ${DEFAULT-VALUE})")
  private int runs = RUNS_DEFAULT;

  @Option(
      names = "--backlog",
      paramLabel = "ROWS",
      defaultValue = "" + BACKLOG_DEFAULT,
      description = "of the workload 'backlog' (default: ${DEFAULT-VALUE})")
  private int backlog = BACKLOG_DEFAULT;

  @Option(
      names = "--rows",
      paramLabel = "ROWS",
      defaultValue = "" + ROWS_DEFAULT,
      description =
          "that wait in the workload 'drain'; 'limit' deletes as many (default: ${DEFAULT-VALUE})")
  private int rows = ROWS_DEFAULT;

  @Option(
      names = "--apps",
      paramLabel = "APPS",
      defaultValue = "" + APPS_DEFAULT,
      description = "of the workload 'apps' (default: ${DEFAULT-VALUE})")
  private int apps = APPS_DEFAULT;

  @Mixin private DatabaseOptions database = new DatabaseOptions();

  @Option(
      names = "--json",
      description = "one object a workload, in a line of its own, instead of a table")
  private boolean json;

  BenchCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  @Override
  public Integer call() throws Exception {
    if (workloads.equals(List.of("list"))) {
      Bench.describe().forEach(terminal.out()::println);
      return ExitCodes.OK;
    }
    check();
    Logs.onlyWarnings();
    Path directory = Files.createTempDirectory("viesti-bench-");
    var bench =
        new Bench(
            new Bench.Options(
                workloads,
                Duration.ofSeconds(seconds),
                runs,
                new Bench.Sizes(backlog, rows, apps),
                given(),
                json,
                directory),
            terminal.out(),
            terminal.err());
    var atCtrlC = new Thread(() -> interrupted(bench, directory), "bench-stop");
    Runtime.getRuntime().addShutdownHook(atCtrlC);
    try {
      if (!bench.run()) {
        return ExitCodes.INTERRUPTED;
      }
      Bench.remove(directory);
      return ExitCodes.OK;
    } catch (ForeignAppsException foreign) {
      Bench.remove(directory);
      throw CommandFailure.refused(String.valueOf(foreign.getMessage()));
    } finally {
      forget(atCtrlC);
    }
  }

  private static void forget(Thread hook) {
    try {
      var unused = Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException shuttingDown) {
      // Ctrl-C came first: the hook does the rest, and says so
    }
  }

  /** The node stops in order: seconds, in which nothing else shall be said. */
  private void interrupted(Bench bench, Path directory) {
    terminal
        .err()
        .println("interrupted: stopping the node, then PostgreSQL; then their files are removed");
    Logs.nothing();
    try {
      bench.stop();
      Bench.remove(directory);
    } catch (Exception failed) {
      terminal.err().println("could not clean up " + directory + ": " + failed.getMessage());
    }
  }

  private Bench.@Nullable GivenDatabase given() {
    if (!database.given()) {
      return null;
    }
    var external = database.require(terminal);
    return new Bench.GivenDatabase(external.jdbcUrl(), external.user(), external.password());
  }

  private void check() {
    for (String name : workloads) {
      if (!Bench.names().contains(name)) {
        throw CommandFailure.usage(
            "there is no workload '%s'; there are %s"
                .formatted(name, String.join(", ", Bench.names())));
      }
    }
    within("--seconds", seconds, 1, SECONDS_MAX);
    within("--runs", runs, 1, RUNS_MAX);
    within("--rows", rows, 1, BACKLOG_MAX);
    within("--apps", apps, 1, APPS_MAX);
    within("--backlog", backlog, BACKLOG_STEP, BACKLOG_MAX);
    if (backlog % BACKLOG_STEP != 0) {
      throw CommandFailure.usage("--backlog is a multiple of " + BACKLOG_STEP);
    }
  }

  private static void within(String option, int value, int min, int max) {
    if (value < min || value > max) {
      throw CommandFailure.usage("%s is %d to %d, not %d".formatted(option, min, max, value));
    }
  }
}
