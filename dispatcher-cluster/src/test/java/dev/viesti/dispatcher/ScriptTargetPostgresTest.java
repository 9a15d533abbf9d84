package dev.viesti.dispatcher;

import static dev.viesti.dispatcher.TestNode.event;
import static dev.viesti.dispatcher.TestNode.get;
import static dev.viesti.dispatcher.TestNode.until;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.viesti.persistence.embedded.TestDatabase;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.app.AppSettings;
import dev.viesti.protocol.delivery.Outcome;
import dev.viesti.protocol.event.Event;
import dev.viesti.protocol.event.Payload;
import dev.viesti.protocol.handler.HandlerCall;
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
import java.util.Objects;
import java.util.Queue;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Scripts on a real node: what a call wrote, published and settled is one. */
@Timeout(300)
class ScriptTargetPostgresTest {
  private static final Duration LONG = Duration.ofMinutes(2);
  private static final Queue<HandlerCall> HANDLED = new ConcurrentLinkedQueue<>();

  private static final String COUNT =
      """
      function handleEvent(type, payload) {
        viesti.kv.put('counters/total', (viesti.kv.get('counters/total') ?? 0) + payload);
      }
      """;

  private static TestDatabase database;
  private static TestNode node;

  private final AppId app = new AppId("a-" + UUID.randomUUID());

  @BeforeAll
  static void starts() throws Exception {
    database = TestNode.database();
    node =
        TestNode.start(
            database,
            Map.of(
                "h",
                call -> {
                  HANDLED.add(call);
                  return Outcome.Succeeded.PLAIN;
                }),
            "viesti.script.loading-timeout = 4m");
  }

  @AfterAll
  static void stops() {
    node.close();
  }

  @BeforeEach
  void createsTheApp() {
    get(node.viesti.putApp(app, AppSettings.DEFAULT, null, "me"));
  }

  private void register(String id, String type, Target.Script target) {
    register(id, type, target, Duration.ofSeconds(30));
  }

  /** The first one of the node waits until QuickJS is loaded. */
  private void register(String id, String type, Target.Script target, Duration timeout) {
    var trigger =
        new Trigger(
            EventPattern.of(null, type, null),
            null,
            target,
            new RetryPolicy(
                RetryStrategy.CONSTANT, 3, Duration.ofMillis(20), Duration.ofMillis(20), 0),
            timeout,
            null,
            null,
            true);
    var registered =
        node.viesti.putTrigger(app, new TriggerId(id), trigger, null, "me").toCompletableFuture();
    until("the script is parsed", LONG, registered::isDone);
    get(registered);
  }

  private static Target.Script script(String source, String... permissions) {
    return new Target.Script(source, null, List.of(permissions), null);
  }

  private void publish(int times, String type) {
    List<Event> events = new ArrayList<>();
    for (int n = 0; n < times; n++) {
      events.add(event(type, null, "1"));
    }
    get(node.viesti.publish(app, events));
  }

  private String query(String sql) {
    try {
      return database.queryText(sql.formatted(app));
    } catch (SQLException failed) {
      throw new AssertionError(failed);
    }
  }

  private String total() {
    return query(
        "select coalesce(max(convert_from(value, 'UTF8')), '-') from viesti.kv"
            + " where app_id = '%s' and collection = 'counters' and key = 'total'");
  }

  private void settled() {
    until(
        "everything is settled",
        LONG,
        () -> query("select count(*) from viesti.outbox where app_id = '%s'").equals("0"));
  }

  @Test
  void countsEachEventOnceHoweverManyRunAtOnce() {
    register("counting", "count", script(COUNT, "kv:read:counters", "kv:write:counters"));
    publish(200, "count");
    settled();
    assertThat(total()).isEqualTo("200");
    assertThat(query("select count(*) from viesti.dead_letter where app_id = '%s'")).isEqualTo("0");
  }

  @Test
  void publishesWithTheSettlement() {
    HANDLED.clear();
    get(
        node.viesti.putTrigger(
            app, new TriggerId("seen"), TestNode.handler("h", "seen", 3), null, "me"));
    String source =
        """
        function handleEvent(type, payload) {
          viesti.events.publish('seen', { type, payload }, { subject: 'by-script' });
        }
        """;
    register("telling", "told", script(source, "event:publish:seen"));
    Event cause = event("told", null, "[1]");
    get(node.viesti.publish(app, List.of(cause)));
    until("it was handled", () -> !HANDLED.isEmpty());
    settled();
    Event seen = Objects.requireNonNull(HANDLED.poll()).event();
    assertThat(seen.root()).isEqualTo(cause.id());
    assertThat(seen.source()).isEqualTo("script/telling");
    assertThat(seen.data().utf8()).isEqualTo("{\"type\":\"told\",\"payload\":[1]}");
    assertThat(HANDLED).isEmpty();
  }

  @Test
  void triesAgainWhatThrewAndThenGivesUp() {
    String source =
        """
        function handleEvent() {
          viesti.kv.put('counters/total', 1);
          throw new Error('attempt ' + viesti.context.attempt);
        }
        """;
    register("throwing", "throw", script(source, "kv:write:*"));
    publish(1, "throw");
    settled();
    assertThat(query("select last_error from viesti.dead_letter where app_id = '%s'"))
        .isEqualTo("attempt 3 (line 3, column 18)");
    assertThat(total()).isEqualTo("-");
  }

  @Test
  void refusesWhatCannotBeParsedAndSaysWhere() {
    assertThatThrownBy(() -> register("wrong", "t", script("let a;\nlet x = ;")))
        .isInstanceOfSatisfying(
            RefusedException.class,
            refused ->
                assertThat(refused.refusal())
                    .isEqualTo(
                        new Refusal.Invalid(
                            "/target/script/source",
                            "2:9: SyntaxError: unexpected token in expression: ';'")));
    assertThat(get(node.viesti.listTriggers(app))).isEmpty();
  }

  @Test
  void refusesMoreThanWhatAListOfTriggersCanCarry() {
    String large = "//" + "x".repeat(Target.Script.SOURCE_BYTES_MAX - 2);
    register("one", "t", script(large));
    register("two", "t", script(large));
    register("two", "t", script(large, "log:write"));
    assertThat(get(node.viesti.listTriggers(app))).hasSize(2);
    assertThatThrownBy(() -> register("three", "t", script("1")))
        .isInstanceOf(RefusedException.class)
        .hasMessageContaining("512 KiB together");
  }

  @Test
  void servesOthersWhileOneNeverEnds() {
    var loop =
        new Target.Script("function handleEvent() { for (;;); }", null, null, 1_000_000_000L);
    register("counting", "count", script(COUNT, "kv:read:counters", "kv:write:counters"));
    register("looping", "loop", loop, Duration.ofSeconds(2));
    publish(4, "loop");
    publish(10, "count");
    until("all are counted", LONG, () -> total().equals("10"));
    settled();
    assertThat(query("select count(*) from viesti.dead_letter where app_id = '%s'")).isEqualTo("4");
  }

  @Test
  void answersThoseWhoInvoke() {
    String source = "const add = ({ a, b }) => ({ sum: a + b, by: viesti.context.principal });";
    register("adding", "never", new Target.Script(source, "add", null, null));
    assertThat(
            get(node.viesti.invoke(
                    app, new TriggerId("adding"), Payload.ofJson("{\"a\":1,\"b\":2}"), "me"))
                .utf8())
        .isEqualTo("{\"sum\":3,\"by\":\"me\"}");
    assertThatThrownBy(
            () ->
                get(node.viesti.invoke(app, new TriggerId("adding"), Payload.ofJson("null"), "me")))
        .isInstanceOfSatisfying(
            RefusedException.class,
            refused ->
                assertThat(refused.refusal())
                    .isInstanceOfSatisfying(
                        Refusal.CallFailed.class,
                        failed -> assertThat(failed.kind()).isEqualTo("error")));
  }
}
