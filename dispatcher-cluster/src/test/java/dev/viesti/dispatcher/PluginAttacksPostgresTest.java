package dev.viesti.dispatcher;

import static dev.viesti.dispatcher.TestNode.event;
import static dev.viesti.dispatcher.TestNode.get;
import static dev.viesti.dispatcher.TestNode.until;
import static dev.viesti.dispatcher.wasm.ModuleWriter.FUNCREF;
import static dev.viesti.dispatcher.wasm.ModuleWriter.I32;
import static dev.viesti.dispatcher.wasm.ModuleWriter.I64;
import static dev.viesti.dispatcher.wasm.ModuleWriter.bytes;
import static dev.viesti.dispatcher.wasm.ModuleWriter.i32;
import static dev.viesti.dispatcher.wasm.ModuleWriter.locals;
import static dev.viesti.dispatcher.wasm.ModuleWriter.repeat;
import static dev.viesti.dispatcher.wasm.ModuleWriter.unsigned;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.viesti.dispatcher.PluginUpload.ManifestText;
import dev.viesti.dispatcher.wasm.ModuleWriter;
import dev.viesti.persistence.embedded.TestDatabase;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.app.AppSettings;
import dev.viesti.protocol.delivery.Outcome;
import dev.viesti.protocol.event.Payload;
import dev.viesti.protocol.plugin.PluginId;
import dev.viesti.protocol.trigger.EventPattern;
import dev.viesti.protocol.trigger.RetryPolicy;
import dev.viesti.protocol.trigger.RetryStrategy;
import dev.viesti.protocol.trigger.Target;
import dev.viesti.protocol.trigger.Trigger;
import dev.viesti.protocol.trigger.TriggerId;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What a plugin may try against its node, while that node serves another app: the other one's
 * events are handled all the time, and every delivery of the hostile one ends.
 */
@Timeout(600)
class PluginAttacksPostgresTest {
  private static final AppId NEIGHBOUR = new AppId("neighbour");
  private static final PluginId PLUGIN = new PluginId("hostile");
  private static final int VOID = 0x40;

  /** As many as the app may have under way, and some that wait. */
  private static final int DELIVERIES = 8;

  /** Far more than it should be, on a machine that has other builds to do. */
  private static final Duration NEIGHBOUR_WAITS_MAX = Duration.ofSeconds(4);

  private static final Semaphore HANDLED = new Semaphore(0);
  private static final AtomicLong LONGEST = new AtomicLong();
  private static final AtomicReference<@Nullable Throwable> TROUBLE = new AtomicReference<>();
  private static TestDatabase database;
  private static TestNode node;
  private static Thread neighbour;
  private static volatile boolean over;

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
                  HANDLED.release();
                  return Outcome.Succeeded.PLAIN;
                }),
            "");
    get(node.viesti.putApp(NEIGHBOUR, AppSettings.DEFAULT, null, "me"));
    get(
        node.viesti.putTrigger(
            NEIGHBOUR, new TriggerId("t"), TestNode.handler("h", "*", 3), null, "me"));
    serve();
    LONGEST.set(0);
    neighbour = Thread.ofPlatform().daemon().start(PluginAttacksPostgresTest::neighbour);
  }

  private static void serve() throws InterruptedException {
    long begun = System.nanoTime();
    get(node.viesti.publish(NEIGHBOUR, List.of(event("e", null, "1"))));
    assertThat(HANDLED.tryAcquire(30, TimeUnit.SECONDS)).isTrue();
    LONGEST.accumulateAndGet(System.nanoTime() - begun, Math::max);
  }

  private static void neighbour() {
    try {
      while (!over) {
        serve();
        LockSupport.parkNanos(5_000_000);
      }
    } catch (InterruptedException | RuntimeException | AssertionError trouble) {
      TROUBLE.set(trouble);
    }
  }

  @AfterAll
  static void stops() throws Exception {
    over = true;
    neighbour.join();
    node.close();
    assertThat(TROUBLE.get()).isNull();
  }

  // ---- modules that keep the contract

  /** A plugin whose handle-event is this code. */
  private static byte[] handling(byte[] code) {
    return handling(new ModuleWriter().memory(1), bytes(0), code);
  }

  private static byte[] handling(ModuleWriter writer, byte[] locals, byte[] code) {
    int type = writer.type(new int[] {I32, I32, I32, I32}, I32);
    int realloc = writer.function(type, i32(1_024));
    int handle = writer.function(type, locals, code);
    return writer
        .export("memory", 2, 0)
        .export("cabi_realloc", 0, realloc)
        .export("handle-event", 0, handle)
        .write();
  }

  private static byte[] loop(byte[] body) {
    return handling(bytes(0x03, VOID, body, 0x0b, i32(0)));
  }

  private static final byte[] ARGUMENTS = bytes(0x20, 0, 0x20, 1, 0x20, 2, 0x20, 3);

  static Stream<Arguments> attacks() {
    return Stream.of(
        Arguments.of("loop br", loop(bytes(0x0c, 0))),
        Arguments.of("loop br_if", loop(bytes(i32(1), 0x0d, 0))),
        Arguments.of("loop br_table", loop(bytes(i32(0), 0x0e, 1, 0, 0))),
        Arguments.of(
            "loop memory.fill", loop(bytes(i32(0), i32(7), i32(65_536), 0xfc, 11, 0, 0x0c, 0))),
        Arguments.of(
            "loop in a function too large to compile",
            handling(
                bytes(
                    repeat(60_000, bytes(i32(1_000_000), 0x1a)),
                    0x03,
                    VOID,
                    0x0c,
                    0,
                    0x0b,
                    i32(0)))),
        Arguments.of("recursion", handling(bytes(ARGUMENTS, 0x10, 1))),
        Arguments.of(
            "recursion with locals",
            handling(new ModuleWriter().memory(1), locals(900, I64), bytes(ARGUMENTS, 0x10, 1))),
        Arguments.of(
            "recursion through a table",
            handling(
                new ModuleWriter().memory(1).table(2).elements(1, 1),
                bytes(0),
                bytes(ARGUMENTS, i32(1), 0x11, 0, 0))),
        Arguments.of("memory.grow", loop(bytes(i32(64), 0x40, 0, 0x1a, 0x0c, 0))),
        Arguments.of(
            "table.grow",
            handling(
                new ModuleWriter().memory(1).table(1),
                bytes(0),
                bytes(
                    0x03,
                    VOID,
                    0xd0,
                    FUNCREF,
                    i32(1_000_000_000),
                    0xfc,
                    15,
                    0,
                    0x1a,
                    0xd0,
                    FUNCREF,
                    i32(9_000_000),
                    0xfc,
                    15,
                    0,
                    0x1a,
                    0x0c,
                    0,
                    0x0b,
                    i32(0)))),
        Arguments.of("unreachable", handling(bytes(0x00))),
        Arguments.of("division by zero", handling(bytes(i32(1), i32(0), 0x6d))),
        Arguments.of("out of bounds", handling(bytes(i32(-1), 0x28, 2, 0))),
        Arguments.of("a result outside of its memory", handling(i32(-4))),
        Arguments.of("a result that is not aligned", handling(i32(3))),
        Arguments.of(
            "a memory as large as it may be",
            handling(
                bytes(
                    i32(1_023),
                    0x40,
                    0,
                    0x1a,
                    0x03,
                    VOID,
                    i32(0),
                    i32(7),
                    i32(64 << 20),
                    0xfc,
                    11,
                    0,
                    0x0c,
                    0,
                    0x0b,
                    i32(0)))),
        Arguments.of("its host's log", flood()));
  }

  /** Writes to the log, again and again. */
  private static byte[] flood() {
    ModuleWriter writer = new ModuleWriter().memory(1);
    int log = writer.type(new int[] {I32, I32, I32, I32});
    int write = writer.importFunction("viesti:plugin/log@1.0.0", "write", log);
    return handling(
        writer,
        bytes(0),
        bytes(
            0x03,
            VOID,
            i32(0),
            i32(0),
            i32(10),
            i32(64),
            0x10,
            unsigned(write),
            0x0c,
            0,
            0x0b,
            i32(0)));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("attacks")
  void endsEachAttackWhileOthersAreServed(String name, byte[] module) throws Exception {
    get(node.viesti.putApp(app, AppSettings.DEFAULT, null, "me"));
    get(node.viesti.putPlugin(app, PLUGIN, upload(module), null, "me"));
    get(
        node.viesti.putTrigger(
            app,
            new TriggerId("t"),
            new Trigger(
                EventPattern.ANY,
                null,
                new Target.Plugin(PLUGIN.value(), null),
                new RetryPolicy(
                    RetryStrategy.CONSTANT, 1, Duration.ofMillis(1), Duration.ofMillis(1), 0),
                Duration.ofSeconds(1),
                null,
                null,
                true),
            null,
            "me"));
    LONGEST.set(0);
    var events = new dev.viesti.protocol.event.Event[DELIVERIES];
    Arrays.setAll(events, n -> event("e", null, "1"));
    get(node.viesti.publish(app, List.of(events)));
    until(
        "its deliveries end, or wait while it is in quarantine",
        Duration.ofMinutes(1),
        () -> ended() >= 5 && (ended() == DELIVERIES || quarantined()));
    serve();
    assertThat(TROUBLE.get()).isNull();
    assertThat(Duration.ofNanos(LONGEST.get())).isLessThan(NEIGHBOUR_WAITS_MAX);
    until("it is deleted", this::isDeleted);
  }

  /** An owner that is only starting asks to be asked again. */
  private boolean isDeleted() {
    try {
      get(node.viesti.deleteApp(app, true, "me"));
      return true;
    } catch (RefusedException starting) {
      return !(starting.refusal() instanceof Refusal.Unavailable);
    }
  }

  private boolean quarantined() {
    return get(node.viesti.getPlugin(app, PLUGIN)).status() == PluginView.Status.QUARANTINED;
  }

  private long ended() {
    try {
      return Long.parseLong(
          database.queryText(
              "select count(*) from viesti.dead_letter where app_id = '%s'".formatted(app)));
    } catch (SQLException failed) {
      throw new AssertionError(failed);
    }
  }

  private static PluginUpload upload(byte[] module) {
    return new PluginUpload(
        Payload.of(module),
        ManifestText.guess(
            Payload.ofJson(
                """
                {"id": "hostile", "name": "Hostile", "version": "1", "permissions": ["log:write"],
                 "limits": {"fuel": 200000000, "timeout": "1s", "memoryPages": 1024}}""")),
        null);
  }

  // ---- modules that never become plugins

  static Stream<Arguments> refusals() {
    byte[] fine = handling(i32(0));
    var starting = new ModuleWriter().memory(1);
    starting.start(starting.run("run", bytes(0x03, VOID, 0x0c, 0, 0x0b)));
    var many = new ModuleWriter().memory(1);
    int empty = many.type(new int[] {});
    for (int n = 0; n < 20_000; n++) {
      many.function(empty, bytes(0x01));
    }
    return Stream.of(
        Arguments.of("garbage", "no module at all".getBytes(StandardCharsets.UTF_8)),
        Arguments.of("truncated", Arrays.copyOf(fine, fine.length - 3)),
        Arguments.of("a start function without an end", handling(starting, bytes(0), i32(0))),
        Arguments.of(
            "a memory that begins with 4 GiB",
            handling(new ModuleWriter().memory(65_536), bytes(0), i32(0))),
        Arguments.of(
            "a table of ten million",
            handling(new ModuleWriter().memory(1).table(10_000_000), bytes(0), i32(0))),
        Arguments.of(
            "four thousand million locals",
            handling(new ModuleWriter().memory(1), locals(0xffff_ffffL, I64), i32(0))),
        Arguments.of(
            "49,000 locals", handling(new ModuleWriter().memory(1), locals(49_000, I64), i32(0))),
        Arguments.of(
            "20,000 blocks in one another",
            handling(
                bytes(repeat(20_000, bytes(0x02, VOID)), repeat(20_000, bytes(0x0b)), i32(0)))),
        Arguments.of("20,000 functions", handling(many, bytes(0), i32(0))),
        Arguments.of("a file system", wasi()));
  }

  private static byte[] wasi() {
    ModuleWriter writer = new ModuleWriter().memory(1);
    int type = writer.type(new int[] {I32, I32, I32, I32}, I32);
    writer.importFunction("wasi_snapshot_preview1", "fd_write", type);
    return handling(writer, bytes(0), i32(0));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("refusals")
  void refusesWhatMustNotRunWhileOthersAreServed(String name, byte[] module) throws Exception {
    get(node.viesti.putApp(app, AppSettings.DEFAULT, null, "me"));
    LONGEST.set(0);
    RefusedException refused =
        catchThrowableOfType(
            RefusedException.class,
            () -> get(node.viesti.putPlugin(app, PLUGIN, upload(module), null, "me")));
    assertThat(refused).as(name).isNotNull();
    assertThat(refused.refusal().detail()).isNotBlank();
    serve();
    assertThat(TROUBLE.get()).isNull();
    assertThat(Duration.ofNanos(LONGEST.get())).isLessThan(NEIGHBOUR_WAITS_MAX);
    until("it is deleted", this::isDeleted);
  }
}
