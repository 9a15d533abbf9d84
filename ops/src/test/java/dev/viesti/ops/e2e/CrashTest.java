package dev.viesti.ops.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.viesti.persistence.embedded.TestDatabase;
import dev.viesti.persistence.embedded.TestPostgres;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** {@code kill -9} at any moment, then a restart. */
@Timeout(240)
class CrashTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final int KILLS = 3;
  private static final List<String> APPS = List.of("crash-1", "crash-2", "crash-3", "crash-4");

  @RegisterExtension private final Nodes nodes = new Nodes();

  private volatile List<URI> addresses = List.of();

  @Test
  void losesNothingThatWasAcceptedWhenTheNodeIsKilledAgainAndAgain() throws Exception {
    long seed = Long.getLong("viesti.test.seed", System.nanoTime());
    System.out.println("viesti.test.seed=" + seed);
    var random = new Random(seed);
    TestDatabase database = TestPostgres.freshDatabase();
    try (var receiver = new Receiver();
        var senders = senders("crash")) {
      NodeProcess node = start(database, 0);
      register(node.caller(), receiver);
      for (int kill = 1; kill <= KILLS; kill++) {
        int before = senders.count();
        addresses = List.of(node.api());
        Await.until("events are accepted", PATIENCE, () -> senders.count() > before + 50);
        Await.pause(Duration.ofMillis(random.nextInt(1_000)));
        node.kill();
        addresses = List.of();
        node = start(database, kill);
      }
      addresses = List.of(node.api());
      int before = senders.count();
      Await.until("events are accepted", PATIENCE, () -> senders.count() > before + 50);
      senders.close();
      assertAllSettled(database, node, receiver, senders);
    }
  }

  private void assertAllSettled(
      TestDatabase database, NodeProcess node, Receiver receiver, Senders senders)
      throws Exception {
    Duration took =
        Await.until(
            "the outbox is empty",
            PATIENCE,
            () -> database.queryText("select count(*) from viesti.outbox").equals("0"));
    int deadLetters = senders.assertNothingLost(receiver, node.caller());
    assertThat(deadLetters).as("events of the app whose endpoint refuses").isPositive();
    assertThat(receiver.unsigned()).isEmpty();
    System.out.printf(
        "%s; settled %,d ms after the last kill's restart; %,d dead letters, %,d delivered twice%n",
        senders, took.toMillis(), deadLetters, receiver.repeated().size());
  }

  @Test
  void findsItsOwnDatabaseAgainAfterItWasKilled() throws Exception {
    Path data = TestPostgres.freshDirectory().resolve("data");
    try (var receiver = new Receiver();
        var senders = senders("dev")) {
      NodeProcess killed = nodes.add(NodeProcess.dev("dev-0", data)).ready();
      register(killed.caller(), receiver);
      addresses = List.of(killed.api());
      Await.until("events are accepted", PATIENCE, () -> senders.count() > 200);
      killed.kill();
      addresses = List.of();

      NodeProcess node = nodes.add(NodeProcess.dev("dev-1", data)).ready();
      assertThat(node.said()).contains("PostgreSQL adopted");
      addresses = List.of(node.api());
      int before = senders.count();
      Await.until("events are accepted", PATIENCE, () -> senders.count() > before + 50);
      senders.close();
      for (String app : APPS) {
        Await.until(app + " is settled", PATIENCE, () -> !node.caller().hasDeliveries(app));
      }
      senders.assertNothingLost(receiver, node.caller());
      assertThat(node.stop(Duration.ofSeconds(30))).as("128 + SIGTERM").isEqualTo(143);
      assertThat(Files.exists(data.resolve("cluster/postmaster.pid"))).isFalse();
      System.out.printf("%s; %,d delivered twice%n", senders, receiver.repeated().size());
    }
  }

  private Senders senders(String name) {
    return new Senders(new Senders.Plan(name, APPS, 4, Duration.ofMillis(3)), () -> addresses);
  }

  private NodeProcess start(TestDatabase database, int number) throws Exception {
    return nodes.add(NodeProcess.serve("crash-" + number, database, List.of())).ready();
  }

  /** The last app's endpoint refuses everything, so that there are retries and dead letters. */
  private static void register(Caller caller, Receiver receiver) throws Exception {
    receiver.answers("refuses", request -> 400);
    for (String app : APPS) {
      caller.app(app, "{}");
      String path = app.equals(APPS.getLast()) ? "refuses" : "works";
      caller.trigger(app, "all", Caller.webhook("{}", receiver.url(path), 2, ""));
    }
  }
}
