package dev.viesti.dispatcher;

import static dev.viesti.dispatcher.KillStorm.APP;
import static dev.viesti.dispatcher.TestNode.event;
import static dev.viesti.dispatcher.TestNode.get;
import static org.assertj.core.api.Assertions.assertThat;

import dev.viesti.persistence.embedded.TestDatabase;
import dev.viesti.protocol.app.AppSettings;
import dev.viesti.protocol.event.Event;
import dev.viesti.protocol.plugin.PluginId;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * A {@link KillStorm} over a node whose plugin counts and publishes. Each event reads the same
 * counter, adds one and writes it: one effect lost or doubled is a wrong sum.
 */
@Timeout(3_600)
final class PluginKillStormPostgresTest {
  private static final PluginId PLUGIN = new PluginId("orders");
  private static final int COUNTED = 10_000;

  /** Each of them publishes one more, which is counted. */
  private static final int PUBLISHED = 500;

  private static final int WORK_MS_MAX = 1_500;

  @Test
  void countsEachEventOnceHoweverOftenItsNodeIsKilled() throws Exception {
    TestDatabase database = TestNode.database();
    publish(database);
    new KillStorm(
            database,
            PluginKillStormPostgresTest.class,
            "384m",
            () -> KillStorm.counter(database, "total"))
        .rage(WORK_MS_MAX, life -> {});
    assertThat(KillStorm.counter(database, "total")).isEqualTo(COUNTED);
    assertThat(KillStorm.counter(database, "published")).isEqualTo(PUBLISHED);
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

  public static void main(String[] args) throws Exception {
    KillStorm.live(args, options -> options, viesti -> {});
  }
}
