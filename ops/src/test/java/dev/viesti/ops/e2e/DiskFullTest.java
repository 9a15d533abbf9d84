package dev.viesti.ops.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.viesti.ops.server.Server;
import dev.viesti.ops.server.ServerSettings;
import dev.viesti.persistence.embedded.EmbeddedPostgres;
import dev.viesti.persistence.embedded.TestDatabase;
import dev.viesti.persistence.embedded.TestPostgres;
import dev.viesti.protocol.delivery.Outcome;
import dev.viesti.protocol.handler.EventHandler;
import dev.viesti.protocol.handler.HandlerCall;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The disk that the outbox lies on is full. Nothing is lost, nothing is given up, and it goes on by
 * itself as soon as there is room. On a real filesystem where this user may mount one; everywhere
 * with a server that says so.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(240)
final class DiskFullTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final int STORED = 200;

  /** More than any page has left. */
  private static final int BIG_BYTES = 20_000;

  enum Disk {
    MOUNTED,
    PRETENDED;

    String word() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  private final Random random = new Random(1);
  private final Queue<HandlerCall> calls = new ConcurrentLinkedQueue<>();
  private final Map<String, EventHandler> handlers =
      Map.of(
          "works",
          call -> {
            calls.add(call);
            return Outcome.Succeeded.PLAIN;
          },
          "second-time",
          call -> {
            calls.add(call);
            return call.attempt() == 1 ? new Outcome.Retryable("first") : Outcome.Succeeded.PLAIN;
          });
  private EmbeddedPostgres postgres;
  private TestDatabase database;
  private Server server;
  private Caller caller;
  private SmallDisk.Mounted mounted;

  @BeforeAll
  void start() throws Exception {
    Path data = TestPostgres.freshDirectory().resolve("data");
    postgres = EmbeddedPostgres.start(data, TestPostgres.settings());
    database = new TestDatabase(postgres.jdbcUrl(), postgres.user(), postgres.password());
    var settings =
        new ServerSettings(
            new ServerSettings.Http("127.0.0.1", 0, "127.0.0.1", 0),
            new ServerSettings.Storage(
                Path.of("."), postgres.jdbcUrl(), postgres.user(), postgres.password()),
            ServerSettings.Peers.none(),
            Caller.KEY,
            true,
            "disk-full");
    server = Server.start(settings, handlers);
    assertThat(server.awaitReady(PATIENCE)).isTrue();
    caller = new Caller(server.uri());
    mounted = SmallDisk.Mounted.mount(data.resolve("cluster"), database);
  }

  @AfterAll
  void stop() {
    server.close();
    postgres.close();
  }

  private SmallDisk disk(Disk kind) {
    return switch (kind) {
      case PRETENDED -> new SmallDisk.Pretended(database);
      case MOUNTED -> {
        assumeTrue(
            mounted.why().isEmpty(),
            () -> "no filesystem of its own, so only the pretended one: " + mounted.why());
        yield mounted;
      }
    };
  }

  @ParameterizedTest
  @EnumSource
  void refusesWithoutLosingAnythingAndGoesOnWhenThereIsRoom(Disk kind) throws Exception {
    String app = "full-" + kind.word();
    try (SmallDisk disk = disk(kind)) {
      make(app, "works", true);
      Set<String> accepted = new HashSet<>(store(app, STORED));
      disk.fillUp();
      for (int n = 0; n < 5; n++) {
        assertRefused(caller.publish(app, big("refused-" + n)));
      }
      assertThat(rows(app)).isEqualTo(STORED);

      // what is there is done all the same: to remove a row takes no room
      make(app, "works", false);
      awaitEmpty(app);
      assertThat(eventsOf(app)).containsExactlyInAnyOrderElementsOf(accepted);
      assertRefused(caller.publish(app, big("refused-0")));

      disk.makeRoom();
      for (int n = 0; n < 5; n++) {
        accepted.add("refused-" + n);
        Caller.Answer again = caller.publish(app, big("refused-" + n));
        assertThat(again.status()).as(again.body().toString()).isEqualTo(202);
        assertThat(again.body().at("/events/0/duplicate").asBoolean()).isFalse();
      }
      awaitEmpty(app);
      assertThat(eventsOf(app)).containsExactlyInAnyOrderElementsOf(accepted);
      assertThat(caller.unresolved(app)).isZero();
    }
  }

  /** The rows that go make the room that the other ones wait for: so they must go first. */
  @ParameterizedTest
  @EnumSource
  void rowsThatNeedRoomDoNotHoldUpThoseThatMakeSome(Disk kind) throws Exception {
    String retried = "retried-" + kind.word();
    String gone = "gone-" + kind.word();
    try (SmallDisk disk = disk(kind)) {
      make(retried, "second-time", true);
      make(gone, "works", true);
      List<String> events = store(retried, STORED);
      List<String> others = store(gone, STORED);
      disk.fillUp();
      make(retried, "second-time", false);
      Await.until("the first attempts", PATIENCE, () -> eventsOf(retried).size() == STORED);
      make(gone, "works", false);
      awaitEmpty(gone);
      assertThat(eventsOf(gone)).containsExactlyInAnyOrderElementsOf(others);
      assertThat(rows(retried)).isEqualTo(STORED);
      assertThat(eventsOf(retried)).containsExactlyInAnyOrderElementsOf(events);

      disk.makeRoom();
      awaitEmpty(retried);
      events.addAll(List.copyOf(events));
      assertThat(eventsOf(retried)).as("twice each").containsExactlyInAnyOrderElementsOf(events);
      assertThat(caller.unresolved(retried)).isZero();
    }
  }

  private void make(String app, String handler, boolean paused) throws Exception {
    caller.app(app, "{\"concurrency\":8,\"paused\":" + paused + "}");
    caller.trigger(
        app,
        "t",
        """
        {"target":{"handler":{"name":"%s"}},
         "retry":{"strategy":"constant","maxAttempts":3,"base":"2s"}}"""
            .formatted(handler));
  }

  private List<String> store(String app, int count) throws Exception {
    List<String> ids = new ArrayList<>();
    for (int n = 0; n < count; n++) {
      ids.add("stored-" + n);
      assertThat(caller.publish(app, Caller.event("stored-" + n, "small")).status()).isEqualTo(202);
    }
    return ids;
  }

  /** Nothing that can be compressed. */
  private String big(String id) {
    byte[] data = new byte[BIG_BYTES];
    random.nextBytes(data);
    return """
    {"specversion":"1.0","id":"%s","source":"e2e","type":"big","data":"%s"}"""
        .formatted(id, Base64.getEncoder().encodeToString(data));
  }

  private static void assertRefused(Caller.Answer answer) {
    assertThat(answer.status()).as(answer.body().toString()).isEqualTo(503);
    assertThat(answer.headers().firstValue("Content-Type").orElse(""))
        .startsWith("application/problem+json");
    assertThat(answer.headers().firstValueAsLong("Retry-After").orElse(0)).isPositive();
    assertThat(answer.body().path("status").asInt()).isEqualTo(503);
    assertThat(answer.body().path("detail").asText()).contains("No space left on device");
  }

  private List<String> eventsOf(String app) {
    return calls.stream()
        .filter(call -> call.app().value().equals(app))
        .map(call -> call.event().cloudEventId())
        .toList();
  }

  private long rows(String app) throws Exception {
    return Long.parseLong(
        database.queryText("select count(*) from viesti.outbox where app_id = '" + app + "'"));
  }

  private void awaitEmpty(String app) throws Exception {
    Await.until("the outbox of " + app + " is empty", PATIENCE, () -> rows(app) == 0);
  }
}
