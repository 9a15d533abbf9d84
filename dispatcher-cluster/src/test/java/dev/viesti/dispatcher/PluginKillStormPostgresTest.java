package dev.viesti.dispatcher;

import static dev.viesti.dispatcher.TestNode.event;
import static dev.viesti.dispatcher.TestNode.get;
import static dev.viesti.dispatcher.TestNode.until;
import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.ConfigFactory;
import dev.viesti.persistence.embedded.TestDatabase;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.app.AppSettings;
import dev.viesti.protocol.event.Event;
import dev.viesti.protocol.plugin.PluginId;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * {@code kill -9}, again and again, of a node whose plugin counts and publishes. Each event reads
 * the same counter, adds one and writes it: one effect lost or doubled is a wrong sum. More kills:
 * {@code -Dviesti.test.kills=100}; the moments of a run: {@code -Dviesti.test.seed=…}.
 */
@Timeout(3_600)
final class PluginKillStormPostgresTest {
  private static final AppId APP = new AppId("shop");
  private static final PluginId PLUGIN = new PluginId("orders");
  private static final int KILLS = Integer.getInteger("viesti.test.kills", 2);

  /** A start of a node takes seconds, and this machine may have other things to do. */
  private static final Duration PATIENCE = Duration.ofMinutes(3);

  private static final int COUNTED = 10_000;

  /** Each of them publishes one more, which is counted. */
  private static final int PUBLISHED = 500;

  /** How long a life does work, at most. */
  private static final int WORK_MS_MAX = 1_500;

  private static final String CONFIG =
      """
      pekko.remote.artery.canonical.port = 0
      viesti.outbox { crashes-max = 20, client-rows-interval = 200 ms }
      viesti.node.sweep-interval = 1 h
      """;

  @Test
  void countsEachEventOnceHoweverOftenItsNodeIsKilled() throws Exception {
    long seed = Long.getLong("viesti.test.seed", System.nanoTime());
    System.out.println("viesti.test.seed=" + seed);
    var random = new Random(seed);
    TestDatabase database = TestNode.database();
    publish(database);
    var lives = new ArrayDeque<ChildJvm>();
    try {
      lives.add(standby(database));
      for (int kill = 0; kill < KILLS; kill++) {
        lives.add(standby(database));
        workAndBeKilled(database, lives.remove(), random.nextInt(WORK_MS_MAX));
      }
      ChildJvm last = lives.getFirst();
      last.tell("go");
      await(
          "nothing is left",
          last,
          () -> number(database, "select count(*) from viesti.outbox") == 0);
    } finally {
      for (ChildJvm life : lives) {
        life.close();
      }
    }
    assertThat(number(database, "select count(*) from viesti.dead_letter")).as("given up").isZero();
    assertThat(counter(database, "total")).isEqualTo(COUNTED);
    assertThat(counter(database, "published")).isEqualTo(PUBLISHED);
  }

  private static void workAndBeKilled(TestDatabase database, ChildJvm life, int workMs)
      throws Exception {
    try (life) {
      long before = counter(database, "total");
      life.tell("go");
      await("it works", life, () -> counter(database, "total") > before);
      LockSupport.parkNanos(Duration.ofMillis(workMs).toNanos());
      assertThat(life.isAlive()).as("%s", life.said()).isTrue();
      life.kill();
    }
  }

  private static ChildJvm standby(TestDatabase database) throws Exception {
    return ChildJvm.start(
        PluginKillStormPostgresTest.class,
        List.of("-Xmx384m"),
        List.of(database.url(), database.user(), database.password()));
  }

  private static void publish(TestDatabase database) throws Exception {
    try (TestNode node = TestNode.start(database, Map.of(), "")) {
      get(node.viesti.putApp(APP, AppSettings.of(null, 16, true, null), null, "me"));
      get(node.viesti.putPlugin(APP, PLUGIN, TestGuest.upload(PLUGIN, "guest-1", "*"), null, "me"));
      for (int n = 0; n < COUNTED; n += 1_000) {
        get(node.viesti.publish(APP, events("count", 1_000)));
      }
      get(node.viesti.publish(APP, events("publish", PUBLISHED)));
      get(node.viesti.putApp(APP, AppSettings.of(null, 16, false, null), null, "me"));
    }
  }

  private static List<Event> events(String type, int count) {
    List<Event> events = new ArrayList<>();
    for (int n = 0; n < count; n++) {
      events.add(event(type, null, "1"));
    }
    return events;
  }

  private static long counter(TestDatabase database, String key) {
    return number(
        database,
        "select coalesce(max(convert_from(value, 'UTF8')::bigint), 0) from viesti.kv"
            + " where collection = 'counters' and key = '%s'".formatted(key));
  }

  private static void await(String what, ChildJvm life, BooleanSupplier holds) {
    try {
      until(what, PATIENCE, holds);
    } catch (AssertionError late) {
      throw new AssertionError(late.getMessage() + "; the node said\n" + life.said(), late);
    }
  }

  private static long number(TestDatabase database, String sql) {
    try {
      return Long.parseLong(database.queryText(sql));
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
            Clock.systemUTC());
    Viesti viesti = ViestiNode.start(options).viesti();
    until("the node is ready", () -> get(viesti.ready()));
    System.in.read();
    get(viesti.getApp(APP)); // nothing else wakes it here
    LockSupport.park(new Object());
  }
}
