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
import dev.viesti.protocol.trigger.TriggerId;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** A delivery that ends the JVM that runs it, in JVMs of their own that are started again. */
final class PoisonPostgresTest {
  private static final AppId APP = new AppId("shop");
  private static final int INNOCENT = 300;

  private static final int BACKLOG = 600;

  /** It takes seconds; this machine may have other things to do. */
  private static final Duration LIFE_MAX = Duration.ofSeconds(90);

  /** Two that nobody could know of, one that is marked too late, three that count, two spare. */
  private static final int BACKLOG_LIVES_MAX = 8;

  /** 1 or 2 that nobody could know of, one for each attempt that counts, and the last good one. */
  private static final int LIVES_MAX = 7;

  @Test
  void isGivenUpThoughItHaltsTheProcessAtOnce() throws Exception {
    outlives(0);
  }

  @Test
  void isGivenUpThoughItHaltsTheProcessAfterAWhile() throws Exception {
    outlives(2_500);
  }

  /** In each life there are more of the owner's own rows than are marked after a first crash. */
  @Test
  void isGivenUpThoughAServiceWroteItAndABacklogIsBeforeIt() throws Exception {
    TestDatabase database = TestNode.database();
    try (TestNode node =
        TestNode.start(database, Map.of("h", call -> Outcome.Succeeded.PLAIN), "")) {
      get(node.viesti.putApp(APP, AppSettings.of(null, 16, true, null), null, "me"));
      get(node.viesti.putTrigger(APP, new TriggerId("t"), handler("h", "*", 9), null, "me"));
      get(node.viesti.publish(APP, innocents()));
    }
    database.execute("create table ran (delivery uuid not null)");
    try (var connection = database.connect()) {
      ViestiClient.of(APP.value())
          .append(connection, dev.viesti.client.Event.of("/shop", "poison").json("1").build());
    }
    int lives = 0;
    while (live(database, 0, BACKLOG) != 0) {
      lives++;
      assertThat(lives).as("JVMs that it ended").isLessThan(BACKLOG_LIVES_MAX);
    }
    assertThat(
            database.queryText(
                "select string_agg(type || ': ' || last_error, ',') from viesti.dead_letter"))
        .startsWith("poison: the node went away while the attempt ran");
  }

  private static List<Event> innocents() {
    List<Event> events = new ArrayList<>();
    for (int n = 0; n < BACKLOG; n++) {
      events.add(event("innocent", null, "1"));
    }
    return events;
  }

  private static void outlives(int poisonMs) throws Exception {
    TestDatabase database = TestNode.database();
    try (TestNode node =
        TestNode.start(database, Map.of("h", call -> Outcome.Succeeded.PLAIN), "")) {
      get(node.viesti.putApp(APP, AppSettings.of(null, 16, true, null), null, "me"));
      get(node.viesti.putTrigger(APP, new TriggerId("t"), handler("h", "*", 9), null, "me"));
      List<Event> events = new ArrayList<>();
      for (int n = 0; n < INNOCENT; n++) {
        events.add(event(n == INNOCENT / 2 ? "poison" : "innocent", null, "1"));
      }
      get(node.viesti.publish(APP, events));
    }
    database.execute("create table ran (delivery uuid not null)");
    int lives = 0;
    while (live(database, poisonMs, 0) != 0) {
      lives++;
      assertThat(lives).as("JVMs that it ended").isLessThan(LIVES_MAX);
    }
    assertThat(
            database.queryText(
                "select string_agg(type || ': ' || last_error, ',') from viesti.dead_letter"))
        .startsWith("poison: the node went away while the attempt ran");
    assertThat(database.queryText("select count(distinct delivery) from ran"))
        .isEqualTo(Integer.toString(INNOCENT - 1));
  }

  private static int live(TestDatabase database, int poisonMs, int backlog) throws Exception {
    List<String> arguments =
        List.of(
            database.url(),
            database.user(),
            database.password(),
            Integer.toString(poisonMs),
            Integer.toString(backlog));
    try (ChildJvm life = ChildJvm.start(PoisonPostgresTest.class, List.of("-Xmx256m"), arguments)) {
      return life.await(LIFE_MAX);
    }
  }

  private static boolean isGivenUp(TestDatabase database) throws Exception {
    return !database.queryText("select count(*) from viesti.dead_letter").equals("0");
  }

  /** One life of a node: until it halts, or nothing is left to do. */
  public static void main(String[] args) throws Exception {
    int poisonMs = Integer.parseInt(args[3]);
    int backlog = Integer.parseInt(args[4]);
    var database = new TestDatabase(args[0], args[1], args[2]);
    var options =
        new NodeOptions(
            args[0],
            args[1],
            args[2],
            ConfigFactory.parseString(
                "pekko.remote.artery.canonical.port = 0\nviesti.outbox.crashes-max = 2"),
            Map.of(
                "h",
                call -> {
                  if (call.event().type().equals("poison")) {
                    if (poisonMs > 0) {
                      TimeUnit.MILLISECONDS.sleep(poisonMs);
                    }
                    Runtime.getRuntime().halt(1);
                  }
                  if (backlog == 0) {
                    database.execute("insert into ran values ('" + call.delivery() + "')");
                  } else {
                    TimeUnit.MILLISECONDS.sleep(10);
                  }
                  return Outcome.Succeeded.PLAIN;
                }),
            new SimpleMeterRegistry(),
            Clock.systemUTC());
    Viesti viesti = ViestiNode.start(options).viesti();
    until("the node is ready", () -> get(viesti.ready()));
    get(viesti.putApp(APP, AppSettings.of(null, 16, false, null), null, "me"));
    if (backlog > 0
        && !isGivenUp(database)) { // they come up behind the poison, before it next time
      get(viesti.publish(APP, innocents()));
    }
    until("nothing is left", () -> get(viesti.listDeliveries(APP, null, null, 1)).isEmpty());
    viesti.close();
    System.exit(0);
  }
}
