package dev.viesti.ops.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.viesti.ops.server.Server;
import dev.viesti.ops.server.ServerSettings;
import dev.viesti.persistence.embedded.EmbeddedPostgres;
import dev.viesti.persistence.embedded.TestDatabase;
import dev.viesti.persistence.embedded.TestPostgres;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a node depends on goes away and comes back; the node stays. */
@Timeout(240)
class OutageTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  /** {@code viesti.node.ask-timeout}, and what a busy machine adds. */
  private static final Duration REFUSAL_TIME_MAX = Duration.ofSeconds(10).plusSeconds(3);

  private static final Duration RECOVERY_TIME_MAX = Duration.ofSeconds(10);
  private static final List<String> APPS = List.of("outage-1", "outage-2", "outage-3");

  // not the shared server of this JVM: it is stopped here
  private final EmbeddedPostgres postgres =
      EmbeddedPostgres.start(
          TestPostgres.freshDirectory().resolve("data"), TestPostgres.settings());
  private final TestDatabase database =
      new TestDatabase(postgres.jdbcUrl(), postgres.user(), postgres.password());
  private final Server server =
      Server.start(
          new ServerSettings(
              new ServerSettings.Http("127.0.0.1", 0, "127.0.0.1", 0),
              new ServerSettings.Storage(
                  Path.of("."), postgres.jdbcUrl(), postgres.user(), postgres.password()),
              ServerSettings.Peers.none(),
              Caller.KEY,
              true,
              "outage"));
  private final Caller caller = new Caller(server.uri());
  private volatile List<URI> addresses = List.of();

  @BeforeEach
  void awaitReady() throws Exception {
    assertThat(server.awaitReady(PATIENCE)).isTrue();
  }

  @AfterEach
  void close() {
    server.close();
    postgres.close();
  }

  @Test
  void refusesWhileTheDatabaseIsAwayAndGoesOnByItselfWhenItIsBack() throws Exception {
    Set<String> running = ConcurrentHashMap.newKeySet();
    try (var receiver = new Receiver();
        var senders =
            new Senders(
                new Senders.Plan("outage", APPS, 6, Duration.ofMillis(3)), () -> addresses)) {
      // slow enough that there are always executions under way
      receiver.answers(
          "slow",
          request -> {
            running.add(request.delivery());
            Await.pause(Duration.ofMillis(300));
            running.remove(request.delivery());
            return 204;
          });
      for (String app : APPS) {
        caller.app(app, "{}");
        caller.trigger(app, "all", Caller.webhook("{}", receiver.url("slow"), 5, ""));
      }
      addresses = List.of(server.uri());
      Await.until("load", PATIENCE, () -> senders.count() > 300);

      postgres.stopHard();
      Set<String> interrupted = Set.copyOf(running);
      long refusedBefore = senders.refused();
      Await.until("refusals", PATIENCE, () -> senders.refused() > refusedBefore);
      Caller.Answer refusal = caller.publish(APPS.getFirst(), Caller.event("away", "load"));
      assertThat(refusal.status()).isEqualTo(503);
      assertThat(refusal.headers().firstValue("Retry-After")).isPresent();
      Await.pause(Duration.ofSeconds(4));
      assertThat(new Caller(server.managementUri()).get("/ready").status()).isNotEqualTo(200);
      assertThat(new Caller(server.managementUri()).get("/alive").status()).isEqualTo(200);

      postgres.startAgain();
      long back = System.nanoTime();
      Duration recovery =
          Await.until(
              "events are accepted again", PATIENCE, () -> senders.lastAcceptedAtNanos() > back);
      int before = senders.count();
      Await.until("load", PATIENCE, () -> senders.count() > before + 100);
      senders.close();
      awaitEmptyOutbox();

      System.out.printf(
          "%s; accepting %,d ms after the database was back; %d attempts were under way when it"
              + " went, %d deliveries succeeded twice%n",
          senders, recovery.toMillis(), interrupted.size(), receiver.repeated().size());
      senders.assertNothingLost(receiver, caller);
      assertThat(interrupted).isNotEmpty();
      // The node remembers what it has done until it is durable, so nothing is run again. It would
      // be after a crash of the node, for what had ended but was not settled.
      assertThat(receiver.repeated()).isEmpty();
      assertThat(senders.slowestRefusal()).isLessThan(REFUSAL_TIME_MAX);
      assertThat(recovery).isLessThan(RECOVERY_TIME_MAX);
      assertThat(new Caller(server.managementUri()).get("/ready").status()).isEqualTo(200);
    }
  }

  @Test
  void keepsAnEndpointThatHangsFromDisturbingAnotherApp() throws Exception {
    var hang = new CountDownLatch(1);
    try (var hanging = new Receiver();
        var receiver = new Receiver()) {
      hanging.answers(
          "hangs",
          request -> {
            try {
              hang.await();
            } catch (InterruptedException closed) {
              Thread.currentThread().interrupt();
            }
            return 204;
          });
      caller.app("hangs", "{}");
      caller.trigger("hangs", "all", Caller.webhook("{}", hanging.url("hangs"), 2, ""));
      caller.app("works", "{}");
      caller.trigger("works", "all", Caller.webhook("{}", receiver.url("works"), 2, ""));
      for (int i = 0; i < 300; i++) {
        assertThat(caller.publish("hangs", Caller.event("h-" + i, "load")).status()).isEqualTo(202);
      }
      int events = 200;
      long slowest = 0;
      for (int i = 0; i < events; i++) {
        long sent = System.nanoTime();
        assertThat(caller.publish("works", Caller.event("w-" + i, "load")).status()).isEqualTo(202);
        String event = "works/w-" + i;
        Await.until(event, Duration.ofSeconds(5), () -> receiver.delivered().contains(event));
        slowest = Math.max(slowest, System.nanoTime() - sent);
      }
      System.out.printf(
          "beside an endpoint that hangs: slowest of %d deliveries %,d ms%n",
          events, Duration.ofNanos(slowest).toMillis());
      hang.countDown();
      awaitEmptyOutbox();
      assertThat(hanging.delivered()).hasSize(300);
      assertThat(receiver.repeated()).isEmpty();
    }
  }

  private void awaitEmptyOutbox() throws Exception {
    Await.until(
        "the outbox is empty",
        PATIENCE,
        () -> database.queryText("select count(*) from viesti.outbox").equals("0"));
  }
}
