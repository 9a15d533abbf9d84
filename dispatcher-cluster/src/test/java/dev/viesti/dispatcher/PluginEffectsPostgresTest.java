package dev.viesti.dispatcher;

import static dev.viesti.dispatcher.TestNode.event;
import static dev.viesti.dispatcher.TestNode.get;
import static dev.viesti.dispatcher.TestNode.until;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.viesti.dispatcher.PluginView.Status;
import dev.viesti.persistence.embedded.TestDatabase;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.app.AppSettings;
import dev.viesti.protocol.delivery.Outcome;
import dev.viesti.protocol.event.Event;
import dev.viesti.protocol.event.Payload;
import dev.viesti.protocol.handler.HandlerCall;
import dev.viesti.protocol.plugin.PluginId;
import dev.viesti.protocol.trigger.EventPattern;
import dev.viesti.protocol.trigger.RetryPolicy;
import dev.viesti.protocol.trigger.RetryStrategy;
import dev.viesti.protocol.trigger.Target;
import dev.viesti.protocol.trigger.Trigger;
import dev.viesti.protocol.trigger.TriggerId;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Queue;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Real modules on a real node: what a call wrote, published and settled is one. */
@Timeout(300)
class PluginEffectsPostgresTest {
  private static final PluginId PLUGIN = new PluginId("orders");
  private static final Queue<HandlerCall> HANDLED = new ConcurrentLinkedQueue<>();
  private static TestDatabase database;
  private static TestNode node;

  private final AppId app = new AppId("a-" + UUID.randomUUID());

  @BeforeAll
  static void starts() throws Exception {
    database = TestNode.database();
    node = start();
  }

  private static TestNode start() {
    return TestNode.start(
        database,
        Map.of(
            "h",
            call -> {
              HANDLED.add(call);
              return Outcome.Succeeded.PLAIN;
            }),
        "");
  }

  @AfterAll
  static void stops() {
    node.close();
  }

  @BeforeEach
  void createsTheApp() {
    get(node.viesti.putApp(app, AppSettings.DEFAULT, null, "me"));
    PluginView installed =
        get(
            node.viesti.putPlugin(
                app, PLUGIN, TestGuest.upload(PLUGIN, "guest-1", "*"), null, "me"));
    assertThat(installed.status()).isEqualTo(Status.RUNNING);
  }

  private void publish(String... types) {
    List<Event> events = new ArrayList<>();
    for (String type : types) {
      events.add(event(type, null, "1"));
    }
    get(node.viesti.publish(app, events));
  }

  private String kv(String collection, String key) {
    try {
      return database.queryText(
          "select coalesce(max(convert_from(value, 'UTF8')), '-') from viesti.kv where app_id = '"
              + "%s' and collection = '%s' and key = '%s'".formatted(app, collection, key));
    } catch (SQLException failed) {
      throw new AssertionError(failed);
    }
  }

  private long count(String table) {
    try {
      return Long.parseLong(
          database.queryText(
              "select count(*) from viesti.%s where app_id = '%s'".formatted(table, app)));
    } catch (SQLException failed) {
      throw new AssertionError(failed);
    }
  }

  private void settled() {
    until("everything is settled", () -> count("outbox") == 0);
  }

  @Test
  void initializesOnceAndTellsOfTheApp() {
    assertThat(kv("meta", "inits")).isEqualTo("1");
    assertThat(kv("meta", "app")).isEqualTo(app.value());
    get(node.viesti.putPlugin(app, PLUGIN, TestGuest.upload(PLUGIN, "guest-2", "*"), null, "me"));
    assertThat(kv("meta", "inits")).isEqualTo("2");
  }

  @Test
  void countsEachEventOnceHoweverManyRunAtOnce() {
    String[] types = new String[300];
    Arrays.fill(types, "count");
    publish(types);
    settled();
    assertThat(kv("counters", "total")).isEqualTo("300");
    assertThat(count("dead_letter")).isZero();
  }

  @Test
  void settlesWhatHasNoEffectLikeAnythingElse() {
    publish("nothing", "nothing");
    settled();
    assertThat(count("dead_letter")).isZero();
  }

  @Test
  void givesUpAtOnceWhatIsPermanent() throws Exception {
    publish("permanent");
    settled();
    assertThat(
            database.queryText(
                "select last_error from viesti.dead_letter where app_id = '%s'".formatted(app)))
        .isEqualTo("never");
  }

  /** What is published is an event like any other, of the same root, one step further. */
  @Test
  void publishesWithTheSettlement() {
    HANDLED.clear();
    TriggerId id = new TriggerId("published");
    get(node.viesti.putTrigger(app, id, TestNode.handler("h", "published", 3), null, "me"));
    Event cause = event("publish", null, "{\"a\":1}");
    get(node.viesti.publish(app, List.of(cause)));
    until("it was handled", () -> !HANDLED.isEmpty());
    settled();
    Event published = Objects.requireNonNull(HANDLED.poll()).event();
    assertThat(published.root()).isEqualTo(cause.id());
    assertThat(published.depth()).isEqualTo(1);
    assertThat(published.source()).isEqualTo("plugin/orders");
    assertThat(published.subject()).isEqualTo("by-guest");
    assertThat(published.data().utf8()).isEqualTo("{\"a\":1}");
    assertThat(kv("puts", "published")).isEqualTo(published.id().toString());
    assertThat(kv("counters", "published")).isEqualTo("1");
    assertThat(HANDLED).isEmpty();
  }

  @Test
  void discardsEverythingOfAnAttemptThatFails() {
    RetryPolicy twice =
        new RetryPolicy(RetryStrategy.CONSTANT, 2, Duration.ofMillis(20), Duration.ofMillis(20), 0);
    for (String type : List.of("fail", "trap", "loop")) {
      get(
          node.viesti.putTrigger(
              app,
              new TriggerId("on-" + type),
              new Trigger(
                  EventPattern.of("shop", "x-" + type, null),
                  null,
                  new Target.Plugin("orders", null),
                  twice,
                  Duration.ofSeconds(10),
                  null,
                  null,
                  true),
              null,
              "me"));
    }
    get(
        node.viesti.putPlugin(
            app, PLUGIN, TestGuest.upload(PLUGIN, "guest-2", "none"), null, "me"));
    publish("x-fail", "x-trap", "x-loop");
    settled();
    assertThat(count("dead_letter")).isEqualTo(3);
    assertThat(count("kv")).isEqualTo(2); // of init and on-app-created
  }

  /** The epoch is taken away as by an owner elsewhere, and given again by a renewal. */
  @Test
  void takesNoEffectTwiceWhenItsOwnerChanges() throws Exception {
    for (int round = 0; round < 5; round++) {
      List<Event> events = new ArrayList<>();
      for (int n = 0; n < 20; n++) {
        events.add(event(round + "-" + n, "count", null, "1"));
      }
      until("they are accepted", () -> isAccepted(events));
      database.execute(
          "update viesti.outbox_owner set epoch = epoch + 1 where app_id = '%s'".formatted(app));
    }
    until("all are counted", () -> kv("counters", "total").equals("100"));
    settled();
    assertThat(kv("counters", "total")).isEqualTo("100");
  }

  /** An owner that has lost its epoch refuses; with ids of their own, events can be repeated. */
  private boolean isAccepted(List<Event> events) {
    try {
      get(node.viesti.publish(app, events));
      return true;
    } catch (RefusedException moving) {
      return false;
    }
  }

  @Test
  void runsOnAfterARestartOfItsNode() throws Exception {
    publish("count");
    settled();
    node.close();
    node = start();
    publish("count");
    settled();
    assertThat(kv("counters", "total")).isEqualTo("2");
    assertThat(kv("meta", "inits")).isEqualTo("1");
    assertThat(get(node.viesti.pluginHealth(app, PLUGIN)).healthy()).isTrue();
  }

  @Test
  void keepsTheVersionThatRunsWhenInitFails() {
    assertThatThrownBy(
            () ->
                get(
                    node.viesti.putPlugin(
                        app,
                        PLUGIN,
                        TestGuest.upload(PLUGIN, "guest-init-fails", "*"),
                        null,
                        "me")))
        .isInstanceOf(RefusedException.class)
        .hasMessageContaining("init does not want to");
    get(node.viesti.publish(app, List.of(event("put", null, "1"))));
    settled();
    assertThat(kv("puts", "1")).isEqualTo("1");
    PluginView view = get(node.viesti.getPlugin(app, PLUGIN));
    assertThat(view.status()).isEqualTo(Status.RUNNING);
    get(node.viesti.putPlugin(app, PLUGIN, TestGuest.upload(PLUGIN, "guest-2", "*"), null, "me"));
    get(node.viesti.publish(app, List.of(event("put", null, "1"))));
    settled();
    assertThat(kv("puts", "1")).isEqualTo("2");
    get(node.viesti.rollbackPlugin(app, PLUGIN, "me"));
    get(node.viesti.publish(app, List.of(event("put", null, "1"))));
    settled();
    assertThat(kv("puts", "1")).isEqualTo("1");
  }

  @Test
  void answersThoseWhoInvoke() {
    get(
        node.viesti.putTrigger(
            app,
            new TriggerId("add"),
            new Trigger(
                EventPattern.of(null, "never", null),
                null,
                new Target.Plugin("orders", "add"),
                null,
                Duration.ofSeconds(10),
                null,
                null,
                true),
            null,
            "me"));
    for (int n = 1; n <= 3; n++) {
      assertThat(
              get(node.viesti.invoke(app, new TriggerId("add"), Payload.ofJson("x"), "me")).utf8())
          .isEqualTo(Integer.toString(n));
    }
    assertThat(kv("counters", "x")).isEqualTo("3");
  }
}
