package dev.viesti.dispatcher;

import static dev.viesti.dispatcher.TestNode.event;
import static dev.viesti.dispatcher.TestNode.get;
import static dev.viesti.dispatcher.TestNode.handler;
import static dev.viesti.dispatcher.TestNode.until;
import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.ConfigFactory;
import dev.viesti.client.ViestiClient;
import dev.viesti.persistence.embedded.TestDatabase;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.app.AppSettings;
import dev.viesti.protocol.delivery.Outcome;
import dev.viesti.protocol.event.Event;
import dev.viesti.protocol.handler.HandlerCall;
import dev.viesti.protocol.trigger.TriggerId;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * {@code kill -9}, again and again, of a node whose handler writes in the transaction that settles.
 * Nothing in the table of effects keeps one from being there twice. More kills: {@code
 * -Dviesti.test.kills=100}; the moments of a run: {@code -Dviesti.test.seed=…}.
 */
@Timeout(3_600)
final class KillStormPostgresTest {
  private static final AppId APP = new AppId("shop");
  private static final int KILLS = Integer.getInteger("viesti.test.kills", 2);

  /** A start of a node takes seconds, and this machine may have other things to do. */
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  /** Published before the first life. */
  private static final int PUBLISHED = 2_000;

  /** Written by a service of its own before each life; every second one matches twice. */
  private static final int APPENDED = 400;

  /** How long a life does work, at most. */
  private static final int WORK_MS_MAX = 700;

  /**
   * Crashes are counted for what may have run at that moment; here none of it is to blame, and none
   * is given up.
   */
  private static final String CONFIG =
      """
      pekko.remote.artery.canonical.port = 0
      viesti.outbox { crashes-max = 20, client-rows-interval = 200 ms }
      viesti.node.sweep-interval = 1 h
      """;

  @Test
  void takesEffectOnceForEachEventHoweverOftenItsNodeIsKilled() throws Exception {
    long seed = Long.getLong("viesti.test.seed", System.nanoTime());
    System.out.println("viesti.test.seed=" + seed);
    var random = new Random(seed);
    TestDatabase database = TestNode.database();
    database.execute(
        "create table effect (event_id uuid not null, trigger_id text not null, attempt int)");
    publish(database);
    int expected = PUBLISHED;
    var lives = new ArrayDeque<ChildJvm>();
    try {
      lives.add(standby(database));
      for (int kill = 0; kill < KILLS; kill++) {
        append(database, kill);
        expected += APPENDED / 2 + APPENDED / 2 * 2;
        lives.add(standby(database));
        workAndBeKilled(database, lives.remove(), random.nextInt(WORK_MS_MAX));
      }
      ChildJvm last = lives.getFirst();
      last.tell("go");
      await("nothing is left", last, () -> count(database, "viesti.outbox") == 0);
    } finally {
      for (ChildJvm life : lives) {
        life.close();
      }
    }
    System.out.printf(
        "%d kills; %d of %d effects came of a later attempt than the first%n",
        KILLS, count(database, "effect where attempt > 1"), expected);
    assertThat(count(database, "(select distinct event_id, trigger_id from effect) as once"))
        .as("deliveries that took effect")
        .isEqualTo(expected);
    assertThat(effects(database)).as("effects").isEqualTo(expected);
    assertThat(count(database, "viesti.dead_letter")).as("given up").isZero();
  }

  private static void workAndBeKilled(TestDatabase database, ChildJvm life, int workMs)
      throws Exception {
    try (life) {
      long before = effects(database);
      life.tell("go");
      await("it works", life, () -> effects(database) > before);
      LockSupport.parkNanos(Duration.ofMillis(workMs).toNanos());
      assertThat(life.isAlive()).as("%s", life.said()).isTrue();
      life.kill();
    }
  }

  /** It starts while another one works, and then waits for its turn: a start takes seconds. */
  private static ChildJvm standby(TestDatabase database) throws Exception {
    return ChildJvm.start(
        KillStormPostgresTest.class,
        List.of("-Xmx256m"),
        List.of(database.url(), database.user(), database.password()));
  }

  private static void publish(TestDatabase database) {
    try (TestNode node =
        TestNode.startTransactional(database, Map.of("h", KillStormPostgresTest::effect))) {
      get(node.viesti.putApp(APP, AppSettings.of(null, 16, true, null), null, "me"));
      put(node.viesti, "plain", "plain");
      put(node.viesti, "one-of-two", "two");
      put(node.viesti, "other-of-two", "two");
      List<Event> events = new ArrayList<>();
      for (int n = 0; n < PUBLISHED; n++) {
        events.add(event("plain", null, "1"));
      }
      get(node.viesti.publish(APP, events));
      get(node.viesti.putApp(APP, AppSettings.of(null, 16, false, null), null, "me"));
    }
  }

  private static void put(Viesti viesti, String id, String type) {
    get(viesti.putTrigger(APP, new TriggerId(id), handler("h", type, 100), null, "me"));
  }

  private static void append(TestDatabase database, int life) throws SQLException {
    List<dev.viesti.client.Event> events = new ArrayList<>();
    for (int n = 0; n < APPENDED; n++) {
      String type = n % 2 == 0 ? "plain" : "two";
      String id = life + "-" + n;
      events.add(dev.viesti.client.Event.of("/shop", type).id(id).json("1").build());
    }
    try (Connection connection = database.connect()) {
      ViestiClient.of("shop").append(connection, events);
    }
  }

  /** Its row is there for a while before it is committed: kills meet every state. */
  private static Outcome effect(HandlerCall call, Connection connection) throws SQLException {
    try (var statement = connection.prepareStatement("insert into effect values (?, ?, ?)")) {
      statement.setObject(1, call.event().id());
      statement.setString(2, call.trigger().value());
      statement.setInt(3, call.attempt());
      statement.executeUpdate();
    }
    try (var statement = connection.createStatement()) {
      statement.execute("select pg_sleep(0.005)");
    }
    return Outcome.Succeeded.PLAIN;
  }

  private static long effects(TestDatabase database) {
    return count(database, "effect");
  }

  private static void await(String what, ChildJvm life, java.util.function.BooleanSupplier holds) {
    try {
      until(what, PATIENCE, holds);
    } catch (AssertionError late) {
      throw new AssertionError(late.getMessage() + "; the node said\n" + life.said(), late);
    }
  }

  private static long count(TestDatabase database, String from) {
    try {
      return Long.parseLong(database.queryText("select count(*) from " + from));
    } catch (SQLException failed) {
      throw new AssertionError(failed);
    }
  }

  /** One life of a node: from the line that it reads until it is killed. */
  public static void main(String[] args) throws Exception {
    var options =
        new NodeOptions(
                args[0],
                args[1],
                args[2],
                ConfigFactory.parseString(CONFIG),
                Map.of(),
                new SimpleMeterRegistry(),
                Clock.systemUTC())
            .withTransactionalHandlers(Map.of("h", KillStormPostgresTest::effect));
    Viesti viesti = ViestiNode.start(options).viesti();
    until("the node is ready", () -> get(viesti.ready()));
    System.in.read();
    get(viesti.getApp(APP)); // nothing else wakes it here
    LockSupport.park(new Object());
  }
}
