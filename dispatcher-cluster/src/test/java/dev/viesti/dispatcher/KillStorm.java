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
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.UnaryOperator;

/**
 * {@code kill -9}, again and again, of a node that has the outbox of {@link #APP}. Each life is a
 * JVM of its own, whose {@code main} calls {@link #live}. More kills: {@code
 * -Dviesti.test.kills=100}; the moments of a run: {@code -Dviesti.test.seed=…}.
 */
final class KillStorm {
  static final AppId APP = new AppId("shop");

  static final int KILLS = Integer.getInteger("viesti.test.kills", 2);

  /** A start of a node takes seconds, and this machine may have other things to do. */
  private static final Duration PATIENCE = Duration.ofMinutes(3);

  private static final int COUNTING_MS_MAX = 1_500;
  private static final int BATCH = 1_000;

  /**
   * Crashes are counted for what may have run at that moment; here none of it is to blame, and none
   * is given up.
   */
  private static final String CONFIG =
      """
      pekko.remote.artery.canonical.port = 0
      viesti.outbox { crashes-max = 20, client-rows-interval = 200 ms }
      viesti.node.sweep-interval = 1 h
      viesti.script.loading-timeout = 3 m
      """;

  /** What happens before a life. */
  interface Before {
    /**
     * @param life from 0
     */
    void life(int life) throws Exception;
  }

  private final TestDatabase database;
  private final Class<?> main;
  private final String heap;
  private final LongSupplier done;

  /**
   * @param main of a life
   * @param heap of a life, as {@code -Xmx} has it
   * @param done grows while a life works
   */
  KillStorm(TestDatabase database, Class<?> main, String heap, LongSupplier done) {
    this.database = database;
    this.main = main;
    this.heap = heap;
    this.done = done;
  }

  /**
   * Lets the last life work until the outbox is empty.
   *
   * @param workMsMax how long each life before works, at most
   */
  void rage(int workMsMax, Before before) throws Exception {
    long seed = Long.getLong("viesti.test.seed", System.nanoTime());
    System.out.println("viesti.test.seed=" + seed);
    var random = new Random(seed);
    var lives = new ArrayDeque<ChildJvm>();
    try {
      lives.add(standby());
      for (int kill = 0; kill < KILLS; kill++) {
        before.life(kill);
        lives.add(standby());
        workAndBeKilled(lives.remove(), random.nextInt(workMsMax));
      }
      ChildJvm last = lives.getFirst();
      last.tell("go");
      await("nothing is left", last, () -> number(database, "count(*) from viesti.outbox") == 0);
    } finally {
      for (ChildJvm life : lives) {
        life.close();
      }
    }
    assertThat(number(database, "count(*) from viesti.dead_letter")).as("given up").isZero();
  }

  /** It starts while another one works, and then waits for its turn: a start takes seconds. */
  private ChildJvm standby() throws Exception {
    return ChildJvm.start(
        main,
        List.of("-Xmx" + heap),
        List.of(database.url(), database.user(), database.password()));
  }

  private void workAndBeKilled(ChildJvm life, int workMs) throws Exception {
    try (life) {
      long before = done.getAsLong();
      life.tell("go");
      await("it works", life, () -> done.getAsLong() > before);
      LockSupport.parkNanos(Duration.ofMillis(workMs).toNanos());
      assertThat(life.isAlive()).as("%s", life.said()).isTrue();
      life.kill();
    }
  }

  private static void await(String what, ChildJvm life, BooleanSupplier holds) {
    try {
      until(what, PATIENCE, holds);
    } catch (AssertionError late) {
      throw new AssertionError(late.getMessage() + "; the node said\n" + life.said(), late);
    }
  }

  /**
   * Over something that counts: events of the type {@code count} in the key {@code total}, and for
   * each of the type {@code publish} one that it publishes, in the key {@code published}.
   *
   * @param main of a life
   * @param install makes the app's node have it; the app is paused
   */
  static void countsEachOnce(Class<?> main, Consumer<Viesti> install, int counted, int published)
      throws Exception {
    TestDatabase database = TestNode.database();
    try (TestNode node = TestNode.start(database, Map.of(), CONFIG)) {
      get(node.viesti.putApp(APP, AppSettings.of(null, 16, true, null), null, "me"));
      install.accept(node.viesti);
      publish(node.viesti, "count", counted);
      publish(node.viesti, "publish", published);
      get(node.viesti.putApp(APP, AppSettings.of(null, 16, false, null), null, "me"));
    }
    new KillStorm(database, main, "384m", () -> counter(database, "total"))
        .rage(COUNTING_MS_MAX, life -> {});
    assertThat(counter(database, "total")).isEqualTo(counted);
    assertThat(counter(database, "published")).isEqualTo(published);
  }

  private static void publish(Viesti viesti, String type, int count) {
    for (int from = 0; from < count; from += BATCH) {
      List<Event> events = new ArrayList<>();
      for (int n = from; n < Math.min(count, from + BATCH); n++) {
        events.add(event(type, null, "1"));
      }
      get(viesti.publish(APP, events));
    }
  }

  /**
   * @param query without its {@code select}
   */
  static long number(TestDatabase database, String query) {
    try {
      return Long.parseLong(database.queryText("select " + query));
    } catch (SQLException failed) {
      throw new AssertionError(failed);
    }
  }

  private static long counter(TestDatabase database, String key) {
    return number(
        database,
        "coalesce(max(convert_from(value, 'UTF8')::bigint), 0) from viesti.kv"
            + " where collection = 'counters' and key = '%s'".formatted(key));
  }

  /**
   * One life of a node: from the line that it reads until it is killed.
   *
   * @param arguments that the JVM was given
   * @param ready does what need not wait for that line
   */
  static void live(String[] arguments, UnaryOperator<NodeOptions> with, Consumer<Viesti> ready)
      throws Exception {
    var options =
        new NodeOptions(
            arguments[0],
            arguments[1],
            arguments[2],
            ConfigFactory.parseString(CONFIG),
            Map.of(),
            new SimpleMeterRegistry(),
            Clock.systemUTC());
    Viesti viesti = ViestiNode.start(with.apply(options)).viesti();
    until("the node is ready", () -> get(viesti.ready()));
    ready.accept(viesti);
    System.in.read();
    get(viesti.getApp(APP)); // nothing else wakes it here
    LockSupport.park(new Object());
  }
}
