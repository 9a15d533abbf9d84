package dev.viesti.dispatcher;

import static dev.viesti.dispatcher.KillStorm.APP;
import static dev.viesti.dispatcher.TestNode.get;
import static dev.viesti.dispatcher.TestNode.until;

import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.app.AppSettings;
import dev.viesti.protocol.trigger.EventPattern;
import dev.viesti.protocol.trigger.RetryPolicy;
import dev.viesti.protocol.trigger.RetryStrategy;
import dev.viesti.protocol.trigger.Target;
import dev.viesti.protocol.trigger.Trigger;
import dev.viesti.protocol.trigger.TriggerId;
import java.time.Duration;
import java.util.List;
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
    KillStorm.countsEachOnce(
        ScriptKillStormPostgresTest.class, viesti -> register(viesti, APP), COUNTED, PUBLISHED);
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
