package dev.viesti.ops.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.viesti.persistence.embedded.TestDatabase;
import dev.viesti.persistence.embedded.TestPostgres;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Two JVMs, one database. */
@Timeout(240)
class TwoNodesTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  /** Heartbeats that fail, the split-brain resolver's stable-after, shards that move. */
  private static final Duration TAKEOVER_TIME_MAX = Duration.ofSeconds(30);

  /** {@code viesti.node.ask-timeout}, and what a busy machine adds. */
  private static final Duration REFUSAL_TIME_MAX = Duration.ofSeconds(10).plusSeconds(3);

  private static final Duration STOP_TIME_MAX = Duration.ofSeconds(8);

  private static final List<String> APPS =
      IntStream.range(0, 20).mapToObj(number -> "shared-" + number).toList();

  @RegisterExtension private final Nodes nodes = new Nodes();

  private final TestDatabase database = TestPostgres.freshDatabase();
  private volatile List<URI> addresses = List.of();
  private int firstPort;
  private int secondPort;

  @Test
  void takesOverFromANodeThatIsKilledAndLosesNothingWhenOneStops() throws Exception {
    firstPort = NodeProcess.freePort();
    secondPort = NodeProcess.freePort();
    NodeProcess first = start("first", firstPort).ready();
    NodeProcess second = start("second", secondPort).ready();
    awaitMembers(first, 2);
    awaitMembers(second, 2);
    try (var receiver = new Receiver()) {
      for (String app : APPS) {
        first.caller().app(app, "{}");
        first.caller().trigger(app, "all", Caller.webhook("{}", receiver.url("works"), 5, ""));
      }
      survivesAKill(first, second, receiver);
      NodeProcess third = start("first-again", firstPort).ready();
      awaitMembers(third, 2);
      survivesAStop(third, second, receiver);
      assertThat(receiver.unsigned()).isEmpty();
    }
  }

  /** The node that formed the cluster is killed: the worse case for those who stay. */
  private void survivesAKill(NodeProcess killed, NodeProcess survivor, Receiver receiver)
      throws Exception {
    addresses = List.of(killed.api(), survivor.api());
    try (var senders = senders("kill")) {
      Await.until("load", PATIENCE, () -> senders.count() > 400);
      assertThat(ownersAt(firstPort)).as("apps of the first node").isGreaterThan(2);
      assertThat(ownersAt(secondPort)).as("apps of the second node").isGreaterThan(2);

      killed.kill();
      long died = System.nanoTime();
      addresses = List.of(survivor.api());
      Await.until("all apps have moved", PATIENCE, () -> ownersAt(secondPort) == APPS.size());
      Duration takeover = Duration.ofNanos(System.nanoTime() - died);
      int before = senders.count();
      Await.until("load", PATIENCE, () -> senders.count() > before + 200);
      senders.close();
      awaitEmptyOutbox();
      senders.assertNothingLost(receiver, survivor.caller());
      System.out.printf(
          "takeover after %,d ms; %s; %,d delivered twice%n",
          takeover.toMillis(), senders, receiver.repeated().size());
      assertThat(takeover).isLessThan(TAKEOVER_TIME_MAX);
      awaitMembers(survivor, 1);
    }
  }

  /** The node that has nearly all apps, and the coordinator of the shards, is told to stop. */
  private void survivesAStop(NodeProcess stays, NodeProcess stopped, Receiver receiver)
      throws Exception {
    // slow enough that executions are under way when the node is told to stop
    receiver.answers(
        "works",
        request -> {
          Await.pause(Duration.ofMillis(200));
          return 204;
        });
    int repeatedBefore = receiver.repeated().size();
    addresses = List.of(stays.api(), stopped.api());
    try (var senders = senders("stop")) {
      Await.until("load", PATIENCE, () -> senders.count() > 400);
      assertThat(ownersAt(secondPort)).as("apps that must move").isGreaterThan(2);
      addresses = List.of(stays.api());
      long told = System.nanoTime();
      assertThat(stopped.stop(Duration.ofSeconds(45))).as("128 + SIGTERM").isEqualTo(143);
      Duration took = Duration.ofNanos(System.nanoTime() - told);
      int before = senders.count();
      Await.until("load", PATIENCE, () -> senders.count() > before + 200);
      senders.close();
      awaitEmptyOutbox();
      senders.assertNothingLost(receiver, stays.caller());
      System.out.printf(
          "stopped in %,d ms; %s; %,d delivered twice%n",
          took.toMillis(), senders, receiver.repeated().size() - repeatedBefore);
      assertThat(receiver.repeated().size() - repeatedBefore)
          .as("deliveries that a stop in order made run again")
          .isZero();
      // far below what it takes to notice that a node has died
      assertThat(took).isLessThan(STOP_TIME_MAX);
      // sharding drops what the leaving node had buffered for shards: such a call gets its 503 late
      assertThat(senders.slowestRefusal()).isLessThan(REFUSAL_TIME_MAX);
    }
  }

  private NodeProcess start(String name, int clusterPort) throws Exception {
    String seeds = "127.0.0.1:" + firstPort + ",127.0.0.1:" + secondPort;
    List<String> options =
        List.of("--cluster-port", Integer.toString(clusterPort), "--seed-node", seeds);
    return nodes.add(NodeProcess.serve(name, database, options));
  }

  private Senders senders(String name) {
    return new Senders(new Senders.Plan(name, APPS, 8, Duration.ofMillis(5)), () -> addresses);
  }

  private long ownersAt(int clusterPort) throws Exception {
    return Long.parseLong(
        database.queryText(
            "select count(*) from viesti.outbox_owner where node like '%:" + clusterPort + "%'"));
  }

  /** Both what the API says and what Pekko Management says. */
  private static void awaitMembers(NodeProcess node, int count) throws Exception {
    Await.until(
        count + " members",
        PATIENCE,
        () -> {
          List<String> api = new ArrayList<>();
          for (JsonNode member : node.caller().get("/v1/cluster").body().path("members")) {
            api.add(member.path("status").asText());
          }
          List<String> management = new ArrayList<>();
          for (JsonNode member :
              new Caller(node.management()).get("/cluster/members").body().path("members")) {
            management.add(member.path("status").asText());
          }
          return api.size() == count
              && management.size() == count
              && api.stream().allMatch("up"::equals)
              && management.stream().allMatch("Up"::equals);
        });
  }

  private void awaitEmptyOutbox() throws Exception {
    Await.until(
        "the outbox is empty",
        PATIENCE,
        () -> database.queryText("select count(*) from viesti.outbox").equals("0"));
  }
}
