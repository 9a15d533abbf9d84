package dev.viesti.dispatcher;

import static dev.viesti.dispatcher.KillStorm.APP;
import static dev.viesti.dispatcher.TestNode.event;
import static dev.viesti.dispatcher.TestNode.get;
import static dev.viesti.dispatcher.TestNode.handler;
import static org.assertj.core.api.Assertions.assertThat;

import dev.viesti.client.ViestiClient;
import dev.viesti.persistence.embedded.TestDatabase;
import dev.viesti.protocol.app.AppSettings;
import dev.viesti.protocol.delivery.Outcome;
import dev.viesti.protocol.event.Event;
import dev.viesti.protocol.handler.HandlerCall;
import dev.viesti.protocol.trigger.TriggerId;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * A {@link KillStorm} over a node whose handler writes in the transaction that settles. Nothing in
 * the table of effects keeps one from being there twice.
 */
@Timeout(3_600)
final class KillStormPostgresTest {
  /** Published before the first life. */
  private static final int PUBLISHED = 2_000;

  /** Written by a service of its own before each life; every second one matches twice. */
  private static final int APPENDED = 400;

  private static final int WORK_MS_MAX = 700;

  @Test
  void takesEffectOnceForEachEventHoweverOftenItsNodeIsKilled() throws Exception {
    TestDatabase database = TestNode.database();
    database.execute(
        "create table effect (event_id uuid not null, trigger_id text not null, attempt int)");
    publish(database);
    new KillStorm(database, KillStormPostgresTest.class, "256m", () -> count(database, "effect"))
        .rage(WORK_MS_MAX, life -> append(database, life));
    int expected = PUBLISHED + KillStorm.KILLS * (APPENDED / 2 + APPENDED / 2 * 2);
    System.out.printf(
        "%d kills; %d of %d effects came of a later attempt than the first%n",
        KillStorm.KILLS, count(database, "effect where attempt > 1"), expected);
    assertThat(count(database, "(select distinct event_id, trigger_id from effect) as once"))
        .as("deliveries that took effect")
        .isEqualTo(expected);
    assertThat(count(database, "effect")).as("effects").isEqualTo(expected);
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

  private static long count(TestDatabase database, String from) {
    return KillStorm.number(database, "count(*) from " + from);
  }

  public static void main(String[] args) throws Exception {
    KillStorm.live(
        args,
        options -> options.withTransactionalHandlers(Map.of("h", KillStormPostgresTest::effect)),
        viesti -> {});
  }
}
