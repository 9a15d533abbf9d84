package dev.viesti.persistence.embedded;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Runs a short-lived program to its end. */
final class Program {
  private Program() {}

  /**
   * How a program ended.
   *
   * @param exitCode 127 if it could not be started, 124 if it was killed after its time
   * @param output standard output and error together
   */
  record Ended(int exitCode, String output) {
    boolean succeeded() {
      return exitCode == 0;
    }
  }

  static Ended run(List<String> command, Duration timeout) {
    try {
      // A file, not a pipe: a grandchild that keeps the pipe open would make us wait for it.
      Path output = Files.createTempFile("viesti-program", ".out");
      try {
        Process process =
            builder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.to(output.toFile()))
                .start();
        if (!process.waitFor(timeout.toMillis(), TimeUnit.MILLISECONDS)) {
          process.destroyForcibly();
          return new Ended(124, "killed after " + timeout + "\n" + Files.readString(output));
        }
        return new Ended(process.exitValue(), new String(Files.readAllBytes(output), UTF_8));
      } finally {
        Files.deleteIfExists(output);
      }
    } catch (IOException cannotStart) {
      return new Ended(127, String.valueOf(cannotStart.getMessage()));
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new EmbeddedPostgresException("interrupted while running " + command, interrupted);
    }
  }

  /** A builder whose environment cannot change what PostgreSQL does: no PG*, a plain locale. */
  static ProcessBuilder builder(List<String> command) {
    var builder = new ProcessBuilder(command);
    var environment = builder.environment();
    environment.keySet().removeIf(name -> name.startsWith("PG"));
    environment.put("LC_ALL", "C");
    environment.put("TZ", "UTC");
    return builder.redirectInput(ProcessBuilder.Redirect.from(new File("/dev/null")));
  }
}
