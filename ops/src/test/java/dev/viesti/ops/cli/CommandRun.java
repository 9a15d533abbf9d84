package dev.viesti.ops.cli;

import dev.viesti.ops.cli.launch.NodeLauncher;
import java.io.ByteArrayInputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** One command in this JVM, with its terminal in hand. */
final class CommandRun {
  final Map<String, String> env = new HashMap<>();
  final List<Duration> pauses = new ArrayList<>();
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();
  String in = "";
  int columns = Integer.MAX_VALUE;
  NodeLauncher launcher =
      options -> {
        throw new AssertionError("no node expected");
      };

  static CommandRun against(FakeServer server) {
    var run = new CommandRun();
    run.env.put("VIESTI_URL", server.url());
    return run;
  }

  int run(String... args) {
    var terminal =
        new Terminal(
            new PrintWriter(out, true),
            new PrintWriter(err, true),
            new ByteArrayInputStream(in.getBytes(StandardCharsets.UTF_8)),
            env,
            columns,
            false,
            Clock.fixed(Instant.EPOCH, ZoneOffset.UTC),
            pauses::add);
    return Main.run(terminal, launcher, args);
  }

  String out() {
    return out.toString();
  }

  String err() {
    return err.toString();
  }
}
