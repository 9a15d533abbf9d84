package dev.viesti.dispatcher;

import static dev.viesti.dispatcher.KillStorm.APP;
import static dev.viesti.dispatcher.TestNode.event;
import static dev.viesti.dispatcher.TestNode.get;
import static dev.viesti.dispatcher.TestNode.until;
import static org.assertj.core.api.Assertions.assertThat;

import dev.viesti.persistence.embedded.TestDatabase;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.app.AppSettings;
import dev.viesti.protocol.event.Event;
import dev.viesti.protocol.trigger.EventPattern;
import dev.viesti.protocol.trigger.RetryPolicy;
import dev.viesti.protocol.trigger.RetryStrategy;
import dev.viesti.protocol.trigger.Target;
import dev.viesti.protocol.trigger.Trigger;
import dev.viesti.protocol.trigger.TriggerId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The {@link KillStorm} of {@link PluginKillStormPostgresTest}, over a script. */
@Timeout(3_600)
final class ScriptKillStormPostgresTest {
  /** Fewer than of a plugin: a life that has just begun counts some sixty in a second. */
  private static final int COUNTED = 400;

  /** Each of them publishes one more, which is counted. */
  private static final int PUBLISHED = 50;

  private static final int WORK_MS_MAX = 1_500;

  /** QuickJS is loaded once for each node, in seconds. */
  private static final Duration LOADING = Duration.ofMinutes(3);

  private static final String SOURCE =
      """
      function handleEvent(type, payload) {
        if (type === 'publish') {
          viesti.events.publish('published', payload);
        } else {
          const key = 'counters/' + (type === 'published' ? 'published' : 'total');
          viesti.kv.put(key, (viesti.kv.get(key) ?? 0) + payload);
        }
      }
      """;

  @Test
  void countsEachEventOnceHoweverOftenItsNodeIsKilled() throws Exception {
    TestDatabase database = TestNode.database();
    publish(database);
    new KillStorm(
            database,
            ScriptKillStormPostgresTest.class,
            "384m",
            () -> KillStorm.counter(database, "total"))
        .rage(WORK_MS_MAX, life -> {});
    assertThat(KillStorm.counter(database, "total")).isEqualTo(COUNTED);
    assertThat(KillStorm.counter(database, "published")).isEqualTo(PUBLISHED);
  }

  private static void publish(TestDatabase database) throws Exception {
    try (TestNode node =
        TestNode.start(database, Map.of(), "viesti.script.loading-timeout = 3 m")) {
      get(node.viesti.putApp(APP, AppSettings.of(null, 16, true, null), null, "me"));
      register(node.viesti, APP);
      get(node.viesti.publish(APP, events("count", COUNTED)));
      get(node.viesti.publish(APP, events("publish", PUBLISHED)));
      get(node.viesti.putApp(APP, AppSettings.of(null, 16, false, null), null, "me"));
    }
  }

  private static void register(Viesti viesti, AppId app) {
    var trigger =
        new Trigger(
            EventPattern.ANY,
            null,
            new Target.Script(
                SOURCE, null, List.of("kv:read:*", "kv:write:*", "event:publish:*"), null),
            new RetryPolicy(
                RetryStrategy.CONSTANT, 100, Duration.ofMillis(20), Duration.ofMillis(20), 0),
            Duration.ofSeconds(30),
            null,
            null,
            true);
    var registered =
        viesti
            .putTrigger(app, new TriggerId("counting"), trigger, null, "me")
            .toCompletableFuture();
    until("the script is parsed", LOADING, registered::isDone);
    get(registered);
  }

  private static List<Event> events(String type, int count) {
    List<Event> events = new ArrayList<>();
    for (int n = 0; n < count; n++) {
      events.add(event(type, null, "1"));
    }
    return events;
  }

  public static void main(String[] args) throws Exception {
    KillStorm.live(args, options -> options, ScriptKillStormPostgresTest::loadsQuickJs);
  }

  /** A script of another app does. */
  private static void loadsQuickJs(Viesti viesti) {
    var other = new AppId("a-" + UUID.randomUUID());
    get(viesti.putApp(other, AppSettings.DEFAULT, null, "me"));
    register(viesti, other);
  }
}
