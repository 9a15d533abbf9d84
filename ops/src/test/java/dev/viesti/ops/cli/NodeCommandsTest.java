package dev.viesti.ops.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.viesti.ops.cli.client.ClientJson;
import dev.viesti.ops.cli.launch.NodeOptions;
import dev.viesti.ops.cli.launch.RunningNode;
import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NodeCommandsTest {
  private final CommandRun run = new CommandRun();
  private final List<NodeOptions> started = new ArrayList<>();

  /** A node that has ended already, so that the command ends as well. */
  private static final class EndedNode implements RunningNode {
    @Override
    public URI api() {
      return URI.create("http://127.0.0.1:4711");
    }

    @Override
    public URI management() {
      return URI.create("http://127.0.0.1:4712");
    }

    @Override
    public CompletionStage<?> terminated() {
      return CompletableFuture.completedStage(true);
    }

    @Override
    public void close() {}
  }

  NodeCommandsTest() {
    run.launcher =
        options -> {
          started.add(options);
          return new EndedNode();
        };
  }

  @Test
  void devShowsWhatToTryNext(@TempDir Path folder) {
    assertThat(run.run("dev", "--data-dir", folder.toString(), "--port", "0"))
        .isEqualTo(ExitCodes.REFUSED);
    assertThat(run.err()).contains("ended by itself");
    assertThat(run.out())
        .contains("http://127.0.0.1:4711/metrics", "key         dev", folder.toString())
        .contains("bin/viesti event send --app demo", "--url http://127.0.0.1:4711");
    assertThat(started.getFirst().database()).isEqualTo(new NodeOptions.Embedded(folder));
    assertThat(started.getFirst().allowPrivateTargets()).isTrue();
    assertThat(started.getFirst().ports().host()).isEqualTo("127.0.0.1");
  }

  @Test
  void devNeverPrintsAChosenKey() {
    run.env.put("VIESTI_ADMIN_KEY", "chosen-by-me");
    run.env.put("VIESTI_ALLOW_PRIVATE_TARGETS", "false");
    run.run("dev");
    assertThat(run.out() + run.err()).doesNotContain("chosen-by-me");
    assertThat(started.getFirst().adminKey()).isEqualTo("chosen-by-me");
    assertThat(started.getFirst().allowPrivateTargets()).isFalse();
  }

  @Test
  void serveRefusesWithoutDatabaseAndWithoutKey() {
    assertThat(run.run("serve")).isEqualTo(ExitCodes.USAGE);
    assertThat(run.err()).contains("--database-url", "VIESTI_DATABASE_URL");
    assertThat(run.run("serve", "--database-url", "jdbc:postgresql://h/d"))
        .isEqualTo(ExitCodes.USAGE);
    assertThat(run.err()).contains("VIESTI_ADMIN_KEY");
    assertThat(started).isEmpty();
  }

  @Test
  void servePassesItsOptionsOn() {
    run.env.put("VIESTI_ADMIN_KEY", "0123456789abcdef");
    run.env.put("VIESTI_DATABASE_URL", "postgres://me:secret@db:5433/viesti?sslmode=require");
    run.env.put("VIESTI_SEED_NODE", "a:1,b:2");
    run.run("serve", "--cluster-host", "c", "--cluster-port", "3", "--node-name", "n");
    NodeOptions options = started.getFirst();
    assertThat(options.database())
        .isEqualTo(
            new NodeOptions.External(
                "jdbc:postgresql://db:5433/viesti?sslmode=require", "me", "secret"));
    assertThat(options.cluster())
        .isEqualTo(new NodeOptions.Cluster("c", 3, "n", List.of("a:1", "b:2")));
    assertThat(options.allowPrivateTargets()).isFalse();
    assertThat(options.toString()).doesNotContain("secret", "0123456789abcdef");
    assertThat(run.run("serve", "--seed-node", "nonsense")).isEqualTo(ExitCodes.USAGE);
  }

  @Test
  void doctorNamesTheFix(@TempDir Path folder) throws Exception {
    try (var other = new FakeServer()) {
      String port = other.url().substring(other.url().lastIndexOf(':') + 1);
      run.env.put("VIESTI_URL", "http://127.0.0.1:1");
      assertThat(
              run.run(
                  "doctor",
                  "--data-dir",
                  folder.toString(),
                  "--port",
                  port,
                  "--management-port",
                  "0"))
          .isEqualTo(ExitCodes.REFUSED);
      assertThat(run.out())
          .contains("OK    java", "FAIL  --port", port + " is taken by another program", "fix: ");
    }
  }

  @Test
  void doctorReportsADatabaseThatIsAway(@TempDir Path folder) {
    run.env.put("VIESTI_URL", "http://127.0.0.1:1");
    assertThat(
            run.run(
                "doctor",
                "--data-dir",
                folder.toString(),
                "--port",
                "0",
                "--management-port",
                "0",
                "--database-url",
                "jdbc:postgresql://127.0.0.1:1/x"))
        .isEqualTo(ExitCodes.REFUSED);
    assertThat(run.out()).contains("FAIL  database", "not reachable");
  }

  @Test
  void printsTheSchema() {
    assertThat(run.run("migrate", "sql")).isZero();
    assertThat(run.out()).contains("create table", "viesti.schema_version");
  }

  @Test
  void printsItsVersionInJson() throws Exception {
    assertThat(run.run("version", "-o", "json")).isZero();
    assertThat(ClientJson.MAPPER.readTree(run.out()).has("viesti")).isTrue();
  }

  @Test
  void printsVersionHelpAndCompletion() {
    assertThat(run.run("version")).isZero();
    assertThat(run.run("--help")).isZero();
    assertThat(run.run("event", "send", "--help")).isZero();
    assertThat(run.run("completion")).isZero();
    assertThat(run.out())
        .contains("viesti ", "Exit codes:", "VIESTI_DATA_DIR", "--keep-going", "dead-letter");
  }
}
