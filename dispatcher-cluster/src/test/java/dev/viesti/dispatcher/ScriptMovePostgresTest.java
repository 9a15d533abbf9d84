package dev.viesti.dispatcher;

import static dev.viesti.dispatcher.TestNode.event;
import static dev.viesti.dispatcher.TestNode.get;
import static dev.viesti.dispatcher.TestNode.until;
import static org.assertj.core.api.Assertions.assertThat;

import dev.viesti.dispatcher.cluster.Sweep;
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
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.pekko.cluster.Member;
import org.apache.pekko.cluster.typed.Cluster;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Two nodes of one cluster: a script goes on where its app goes. */
@Timeout(300)
class ScriptMovePostgresTest {
  private static final AppId APP = new AppId("shop");
  private static final int BATCH = 500;

  /** QuickJS is loaded once for each node, in seconds. */
  private static final Duration LOADING = Duration.ofMinutes(2);

  private static final String CONFIG =
      "viesti.script.loading-timeout = 4 m\nviesti.node.sweep-interval = 1 s\n";

  private static final String COUNT =
      """
      function handleEvent(type, payload) {
        viesti.kv.put('counters/total', (viesti.kv.get('counters/total') ?? 0) + payload);
      }
      """;

  @Test
  void goesOnOnTheNodeThatIsLeft() throws Exception {
    TestDatabase database = TestNode.database();
    TestNode first = TestNode.start(database, Map.of(), CONFIG);
    try {
      get(first.viesti.putApp(APP, AppSettings.DEFAULT, null, "me"));
      register(first);
      String here = Sweep.nodeName(member(first));
      until("the first node has it", () -> owner(database).equals(here));
      String seeds = "pekko.cluster.seed-nodes = [\"%s\"]".formatted(member(first).address());
      try (TestNode second = TestNode.start(database, Map.of(), CONFIG + seeds)) {
        publish(first);
        until("it counts", LOADING, () -> total(database) > 0);
        first.close();
        publish(second);
        until("all are counted", LOADING, () -> total(database) >= 2 * BATCH);
        until("all is settled", () -> query(database, "count(*) from viesti.outbox").equals("0"));
        assertThat(total(database)).isEqualTo(2 * BATCH);
        assertThat(query(database, "count(*) from viesti.dead_letter")).isEqualTo("0");
        assertThat(owner(database)).isEqualTo(Sweep.nodeName(member(second)));
      }
    } finally {
      first.close();
    }
  }

  private static Member member(TestNode node) {
    return Cluster.get(node.node.system()).selfMember();
  }

  private static void register(TestNode node) {
    var trigger =
        new Trigger(
            EventPattern.ANY,
            null,
            new Target.Script(COUNT, null, List.of("kv:read:counters", "kv:write:counters"), null),
            new RetryPolicy(
                RetryStrategy.CONSTANT, 10, Duration.ofMillis(20), Duration.ofMillis(20), 0),
            Duration.ofSeconds(30),
            null,
            null,
            true);
    var registered =
        node.viesti
            .putTrigger(APP, new TriggerId("counting"), trigger, null, "me")
            .toCompletableFuture();
    until("the script is parsed", LOADING, registered::isDone);
    get(registered);
  }

  private static void publish(TestNode node) {
    List<Event> events = new ArrayList<>();
    for (int n = 0; n < BATCH; n++) {
      events.add(event("count", null, "1"));
    }
    get(node.viesti.publish(APP, events));
  }

  private static String owner(TestDatabase database) {
    return query(database, "coalesce(max(node), '') from viesti.outbox_owner");
  }

  private static long total(TestDatabase database) {
    return Long.parseLong(
        query(
            database,
            "coalesce(max(convert_from(value, 'UTF8')), '0') from viesti.kv where key = 'total'"));
  }

  /**
   * @param query without its {@code select}
   */
  private static String query(TestDatabase database, String query) {
    try {
      return database.queryText("select " + query);
    } catch (SQLException failed) {
      throw new AssertionError(failed);
    }
  }
}
