package dev.viesti.ops.cli;

import java.io.InputStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Everything outside the process that a command touches, so that tests can stand in for it.
 *
 * @param columns width of standard output in characters; {@link Integer#MAX_VALUE} when it is no
 *     terminal
 * @param errIsTerminal whether progress may be drawn on standard error
 */
record Terminal(
    PrintWriter out,
    PrintWriter err,
    InputStream in,
    Map<String, String> env,
    int columns,
    boolean errIsTerminal,
    Clock clock,
    Pause pause) {

  /** Lets time pass. */
  @FunctionalInterface
  interface Pause {
    void last(Duration duration);
  }

  /** The process's own; the launcher says through system properties what is a terminal. */
  static Terminal ofProcess() {
    return new Terminal(
        new PrintWriter(System.out, true, StandardCharsets.UTF_8),
        new PrintWriter(System.err, true, StandardCharsets.UTF_8),
        System.in,
        System.getenv(),
        Integer.getInteger("viesti.columns", Integer.MAX_VALUE),
        Boolean.getBoolean("viesti.stderr.terminal"),
        Clock.systemUTC(),
        Terminal::waitInterruptibly);
  }

  /** The variable's value; null when it is not set or empty. */
  @Nullable String env(String name) {
    String value = env.get(name);
    return value == null || value.isEmpty() ? null : value;
  }

  private static void waitInterruptibly(Duration duration) {
    try {
      var never = new CountDownLatch(1);
      var unused = never.await(duration.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
