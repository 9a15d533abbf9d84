package dev.viesti.dispatcher.plugin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.typesafe.config.ConfigFactory;
import dev.viesti.dispatcher.TestGuest;
import dev.viesti.dispatcher.commit.EffectsLane;
import dev.viesti.dispatcher.execution.Execution.Ended;
import dev.viesti.dispatcher.wasm.InvalidModuleException;
import dev.viesti.dispatcher.wasm.WasmSettings;
import dev.viesti.dispatcher.wasm.endive.EndiveEngine;
import dev.viesti.persistence.effects.Effects;
import dev.viesti.persistence.effects.EntityQuery;
import dev.viesti.persistence.effects.EntityRepository;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.delivery.Delivery;
import dev.viesti.protocol.delivery.Outcome;
import dev.viesti.protocol.event.Event;
import dev.viesti.protocol.event.Payload;
import dev.viesti.protocol.handler.HandlerCall;
import dev.viesti.protocol.plugin.EntityType;
import dev.viesti.protocol.plugin.PluginId;
import dev.viesti.protocol.plugin.PluginLimits;
import dev.viesti.protocol.plugin.Sha256;
import dev.viesti.protocol.trigger.TriggerId;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Queue;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class PluginRuntimeTest {
  private static final AppId APP = Given.SHOP;
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final TriggerId TRIGGER = new TriggerId("t");

  private final ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor();
  private final EndiveEngine engine =
      new EndiveEngine(WasmSettings.from(ConfigFactory.defaultReference()));
  private final Map<String, byte[]> artifacts = new HashMap<>();
  private final LocalStore store = new LocalStore(Clock.fixed(Given.NOON, ZoneOffset.UTC));
  private final Queue<Effects> effects = new ConcurrentLinkedQueue<>();
  private final Queue<Plugins.News> news = new ConcurrentLinkedQueue<>();
  private final AtomicInteger events = new AtomicInteger();
  private final CountDownLatch reading = new CountDownLatch(1);
  private volatile CountDownLatch mayRead = new CountDownLatch(0);
  private volatile @Nullable SQLException away;
  private volatile Effects.@Nullable Result answer;
  private final EffectsLane lane = new EffectsLane(this::commit, app -> {});
  private final PluginRuntime runtime =
      PluginRuntime.create(
          engine,
          new PluginRuntime.Stores(this::artifact, new Stored(), lane),
          new SandboxSettings(8, 2, 6, 1 << 20, 1_000, 10, 16, 5, 3),
          UUID::randomUUID,
          callers,
          Clock.fixed(Given.NOON, ZoneOffset.UTC));

  /** The store, which may be away. */
  private final class Stored implements Reads {
    @Override
    public @Nullable Value kv(AppId app, String collection, String key) throws SQLException {
      throwIfAway();
      reading.countDown();
      try {
        mayRead.await();
      } catch (InterruptedException stop) {
        throw new SQLException(stop);
      }
      return store.kv(app, collection, key);
    }

    @Override
    public List<String> keys(AppId app, String collection, String prefix, String after, int limit) {
      return store.keys(app, collection, prefix, after, limit);
    }

    @Override
    public EntityRepository.@Nullable Entity entity(
        AppId app, PluginId plugin, String entity, UUID id) {
      return store.entity(app, plugin, entity, id);
    }

    @Override
    public EntityRepository.Page query(
        AppId app,
        PluginId plugin,
        EntityType type,
        EntityQuery query,
        EntityRepository.Unwritten unwritten) {
      return store.query(app, plugin, type, query, unwritten);
    }

    @Override
    public long lastNumber(AppId app, PluginId plugin, String rule, String period) {
      return store.lastNumber(app, plugin, rule, period);
    }
  }

  private void throwIfAway() throws SQLException {
    SQLException why = away;
    if (why != null) {
      throw why;
    }
  }

  private List<Effects.Result> commit(List<Effects> group) throws SQLException {
    throwIfAway();
    effects.addAll(group);
    Effects.Result fixed = answer;
    return fixed == null ? store.commit(group) : group.stream().map(any -> fixed).toList();
  }

  private byte[] artifact(String sha256) throws InvalidModuleException {
    byte[] found = artifacts.get(sha256);
    if (found == null) {
      throw new InvalidModuleException("there is no module " + sha256);
    }
    return found;
  }

  @BeforeEach
  void start() {
    lane.start();
  }

  @AfterEach
  void close() {
    lane.close(PATIENCE);
    runtime.close();
    engine.close();
    callers.close();
  }

  private InstalledPlugin installed(String guest, PluginLimits limits) {
    byte[] module = TestGuest.module(guest);
    String sha256 = Sha256.hex(module);
    artifacts.put(sha256, module);
    return new InstalledPlugin(Given.manifest(limits, Given.ALL), sha256, null, true, null);
  }

  private void runs(InstalledPlugin plugin) {
    runtime.configure(APP, List.of(plugin), news::add);
  }

  private void runs(String guest) {
    runs(installed(guest, PluginLimits.DEFAULT));
  }

  private Ended deliver(String type, String data) throws InterruptedException {
    return deliver(type, data, PATIENCE);
  }

  private Ended deliver(String type, String data, Duration timeout) throws InterruptedException {
    Event event =
        Event.of(new UUID(7, events.incrementAndGet()), "test", type, null, Payload.ofJson(data));
    Delivery row = Delivery.fresh(events.get(), event, TRIGGER, null, Given.NOON);
    var call = new HandlerCall(APP, TRIGGER, row.id(), 1, 9, event);
    return runtime.run(Given.PLUGIN, "handle-event", call, row, timeout);
  }

  private static Ended retryable(String reason) {
    return new Ended.WithOutcome(new Outcome.Retryable(reason));
  }

  private Map<String, Payload> kv() {
    return store.kv(APP);
  }

  @Test
  void settlesWithWhatItWrote() throws Exception {
    runs("guest-1");
    assertThat(deliver("count", "1")).isEqualTo(new Ended.Settled());
    assertThat(deliver("count", "1")).isEqualTo(new Ended.Settled());
    assertThat(kv()).containsExactly(Map.entry("counters/total", Payload.ofJson("2")));
    Effects last = effects.stream().toList().getLast();
    assertThat(last.epoch()).isEqualTo(9);
    assertThat(Objects.requireNonNull(last.settles()).seq()).isEqualTo(2);
    assertThat(last.by()).isEqualTo("plugin:orders");
  }

  @Test
  void leavesTheSettlementToOthersWhenThereIsNothingToWrite() throws Exception {
    runs("guest-1");
    assertThat(deliver("nothing", "1")).isEqualTo(new Ended.WithOutcome(Outcome.Succeeded.PLAIN));
    assertThat(effects).isEmpty();
  }

  @Test
  void discardsEverythingUnlessItSucceeds() throws Exception {
    runs(installed("guest-1", new PluginLimits(1_000_000, Duration.ofSeconds(30), 16)));
    assertThat(deliver("fail", "1")).isEqualTo(retryable("no"));
    assertThat(deliver("permanent", "1"))
        .isEqualTo(new Ended.WithOutcome(new Outcome.Permanent("never")));
    assertThat(reason(deliver("trap", "1"))).startsWith("trap: ");
    assertThat(reason(deliver("loop", "1"))).startsWith("fuel: ");
    assertThat(reason(deliver("pointer", "1"))).startsWith("fuel: ");
    assertThat(reason(deliver("grow", "1"))).startsWith("trap: ");
    assertThat(kv()).isEmpty();
    assertThat(effects).isEmpty();
    assertThat(deliver("put", "fine")).isEqualTo(new Ended.Settled());
  }

  private static String reason(Ended ended) {
    return ((Outcome.Retryable) ((Ended.WithOutcome) ended).outcome()).reason();
  }

  @Test
  void endsWhatTakesLongerThanItMay() throws Exception {
    runs(installed("guest-1", new PluginLimits(1_000_000_000, Duration.ofMinutes(1), 16)));
    assertThat(deliver("loop", "1", Duration.ofMillis(100)))
        .isEqualTo(new Ended.WithOutcome(new Outcome.TimedOut(Duration.ofMillis(100))));
    assertThat(deliver("put", "fine")).isEqualTo(new Ended.Settled());
    runs(installed("guest-1", new PluginLimits(1_000_000_000, Duration.ofMillis(70), 16)));
    assertThat(deliver("loop", "1"))
        .isEqualTo(new Ended.WithOutcome(new Outcome.TimedOut(Duration.ofMillis(70))));
  }

  @Test
  void saysWhenANodeIsTooSmallForAPlugin() throws Exception {
    runs(installed("guest-1", new PluginLimits(1_000_000, Duration.ofSeconds(30), 1_024)));
    assertThat(reason(deliver("put", "1")))
        .isEqualTo(
            "memory: it may grow to 1024 pages, and this node gives one app 750:"
                + " see viesti.sandbox.memory");
  }

  @Test
  void isInterruptedWithItsExecution() throws Exception {
    runs(installed("guest-1", new PluginLimits(1_000_000_000, Duration.ofMinutes(1), 16)));
    Callable<Ended> looping = () -> deliver("loop", "1");
    Future<Ended> execution = callers.submit(looping);
    while (metrics().lastInvocationAt() == null && !execution.isDone()) {
      execution.cancel(true);
      Thread.onSpinWait();
    }
    assertThat(deliver("put", "fine")).isEqualTo(new Ended.Settled());
  }

  /** All of them read the same; each has to count. */
  @Test
  void makesCallsAgainWhoseReadsWereOvertaken() throws Exception {
    runs("guest-1");
    List<Future<Ended>> all = new ArrayList<>();
    for (int n = 0; n < 200; n++) {
      Callable<Ended> one = () -> deliver("count", "1");
      all.add(callers.submit(one));
    }
    for (Future<Ended> one : all) {
      assertThat(one.get()).isEqualTo(new Ended.Settled());
    }
    assertThat(kv()).containsExactly(Map.entry("counters/total", Payload.ofJson("200")));
  }

  @Test
  void saysSoWhenItIsOvertakenAgainAndAgain() throws Exception {
    runs("guest-1");
    answer = new Effects.Result.Conflict("kv counters/total");
    assertThat(reason(deliver("count", "1")))
        .isEqualTo("conflict: kv counters/total was changed meanwhile");
    assertThat(effects).hasSize(6);
    assertThat(news).isEmpty();
  }

  @Test
  void saysWhoElseHasTheDelivery() throws Exception {
    runs("guest-1");
    answer = new Effects.Result.Gone();
    assertThat(deliver("count", "1")).isEqualTo(new Ended.Gone());
    answer = new Effects.Result.Fenced();
    assertThat(deliver("count", "1")).isEqualTo(new Ended.Fenced());
    answer = new Effects.Result.Refused("no such text");
    assertThat(deliver("count", "1"))
        .isEqualTo(new Ended.WithOutcome(new Outcome.Permanent("no such text")));
  }

  /** An outage says nothing about the delivery: it loses no attempt. */
  @Test
  void waitsForADatabaseThatIsAway() throws Exception {
    runs("guest-1");
    deliver("nothing", "1");
    away = new SQLException("gone fishing");
    for (String type : List.of("count", "put")) {
      Outcome outcome = ((Ended.WithOutcome) deliver(type, "1")).outcome();
      assertThat(outcome).isInstanceOf(Outcome.Postponed.class);
      assertThat(outcome.toString()).contains("gone fishing");
    }
    away = null;
    assertThat(deliver("count", "1")).isEqualTo(new Ended.Settled());
    assertThat(news).isEmpty();
  }

  @Test
  void callsTheNewVersionAtOnce() throws Exception {
    runs("guest-1");
    deliver("put", "a");
    runs("guest-2");
    deliver("put", "b");
    assertThat(kv())
        .containsEntry("puts/a", Payload.ofJson("1"))
        .containsEntry("puts/b", Payload.ofJson("2"));
    assertThat(metrics().invocations()).isEqualTo(2);
  }

  @Test
  void letsCallsEndInTheVersionThatTheyBeganIn() throws Exception {
    runs("guest-1");
    mayRead = new CountDownLatch(1);
    Callable<Ended> counting = () -> deliver("count", "1");
    Future<Ended> before = callers.submit(counting);
    reading.await();
    runs("guest-2");
    assertThat(deliver("put", "after")).isEqualTo(new Ended.Settled());
    assertThat(kv()).containsExactly(Map.entry("puts/after", Payload.ofJson("2")));
    assertThat(before.isDone()).isFalse();
    mayRead.countDown();
    assertThat(before.get()).isEqualTo(new Ended.Settled());
    assertThat(kv()).containsEntry("counters/total", Payload.ofJson("1"));
  }

  @Test
  void publishesAndNumbersWithTheRest() throws Exception {
    runs("guest-1");
    assertThat(deliver("publish", "{}")).isEqualTo(new Ended.Settled());
    assertThat(deliver("number", "7")).isEqualTo(new Ended.Settled());
    assertThat(deliver("number", "8")).isEqualTo(new Ended.Settled());
    assertThat(store.events()).extracting(Event::type).containsExactly("published");
    assertThat(store.events().getFirst().depth()).isEqualTo(1);
    assertThat(kv())
        .containsEntry("puts/published", Payload.ofJson(store.events().getFirst().id().toString()))
        .containsEntry("numbers/ORD-2026-0001", Payload.ofJson("7"))
        .containsEntry("numbers/ORD-2026-0002", Payload.ofJson("8"));
  }

  @Test
  void initializesAVersionOnce() throws Exception {
    InstalledPlugin plugin = installed("guest-1", PluginLimits.DEFAULT);
    assertThat(runtime.start(APP, 9, plugin, true)).isEqualTo(new CallEnd.Returned(Payload.NONE));
    assertThat(runtime.start(APP, 9, plugin, false)).isEqualTo(new CallEnd.Returned(Payload.NONE));
    assertThat(kv())
        .containsExactly(
            Map.entry("meta/app", Payload.ofJson("shop")),
            Map.entry("meta/inits", Payload.ofJson("2")));
    assertThat(runtime.start(APP, 9, installed("guest-init-fails", PluginLimits.DEFAULT), false))
        .isEqualTo(new CallEnd.Failed("error", "init does not want to"));
  }

  @Test
  void answersThoseWhoInvokeIt() throws Exception {
    runs("guest-1");
    assertThat(invoke("echo", "hello")).isEqualTo(new CallEnd.Returned(Payload.ofJson("hello")));
    assertThat(invoke("add", "x")).isEqualTo(new CallEnd.Returned(Payload.ofJson("1")));
    assertThat(invoke("add", "x")).isEqualTo(new CallEnd.Returned(Payload.ofJson("2")));
    assertThat(invoke("none", ""))
        .isEqualTo(
            new CallEnd.Failed(
                "contract",
                "exports no function 'none' that takes a list of bytes and returns one"));
    assertThat(invoke("cabi_realloc", "")).isInstanceOf(CallEnd.Failed.class);
    runtime.forget(APP);
    assertThat(invoke("echo", "hello")).isInstanceOf(CallEnd.Unavailable.class);
  }

  private CallEnd invoke(String function, String data) throws InterruptedException {
    return runtime.invoke(
        new Plugins.Invocation(
            APP, 9, Given.PLUGIN, function, Payload.ofJson(data), "alice", PATIENCE));
  }

  @Test
  void letsDeliveriesWaitWhileItIsSwitchedOff() throws Exception {
    InstalledPlugin plugin = installed("guest-1", PluginLimits.DEFAULT);
    runs(new InstalledPlugin(plugin.manifest(), plugin.sha256(), null, false, null));
    assertThat(((Ended.WithOutcome) deliver("count", "1")).outcome())
        .isInstanceOf(Outcome.Postponed.class);
    Instant until = Given.NOON.plusSeconds(90);
    runs(new InstalledPlugin(plugin.manifest(), plugin.sha256(), null, true, until));
    assertThat(((Ended.WithOutcome) deliver("count", "1")).outcome())
        .isEqualTo(
            new Outcome.Postponed(
                "plugin 'orders' is in quarantine until %s, since it trapped again and again"
                    .formatted(until),
                Duration.ofSeconds(90)));
    assertThat(runtime.health(APP, Given.PLUGIN)).contains("quarantine");
    // its time is over: the first call that goes well is news
    runs(new InstalledPlugin(plugin.manifest(), plugin.sha256(), null, true, Given.NOON));
    assertThat(deliver("count", "1")).isEqualTo(new Ended.Settled());
    assertThat(news).containsExactly(new Plugins.News.Recovered(Given.PLUGIN));
  }

  @Test
  void saysWhenItTrapsAgainAndAgain() throws Exception {
    runs("guest-1");
    deliver("trap", "1");
    deliver("trap", "1");
    deliver("fail", "1"); // an error is an answer
    deliver("trap", "1");
    assertThat(runtime.health(APP, Given.PLUGIN)).isNull(); // no call that went well
    deliver("trap", "1");
    assertThat(news).isEmpty();
    deliver("trap", "1");
    assertThat(news).hasSize(1);
    assertThat(news.element()).isInstanceOf(Plugins.News.Trapping.class);
    PluginMetrics metrics = metrics();
    assertThat(metrics.errors())
        .containsExactlyInAnyOrderEntriesOf(Map.of("trap", 5L, "error", 1L));
    assertThat(metrics.consecutiveTraps()).isEqualTo(3);
    assertThat(metrics.invocations()).isEqualTo(6);
    assertThat(metrics.fuel()).isPositive();
    assertThat(metrics.peakMemoryBytes()).isEqualTo(65_536);
    assertThat(metrics.lastErrorAt()).isEqualTo(Given.NOON);
  }

  private PluginMetrics metrics() {
    return Objects.requireNonNull(runtime.metrics(APP, Given.PLUGIN));
  }

  @Test
  void checksWhatIsToBeInstalled() throws Exception {
    var manifest = Given.manifest(PluginLimits.DEFAULT, Given.ALL);
    runtime.check(manifest, TestGuest.module("guest-1"));
    assertThatThrownBy(() -> runtime.check(manifest, new byte[] {0, 'a', 's', 'm'}))
        .isInstanceOf(InvalidModuleException.class);
    runs(new InstalledPlugin(manifest, "f".repeat(64), null, true, null));
    assertThat(reason(deliver("count", "1"))).startsWith("module: there is no module");
    assertThat(runtime.health(APP, Given.PLUGIN)).startsWith("module: ");
  }

  @Test
  void isHealthyWhenAnInstanceCanBeMade() throws Exception {
    assertThat(runtime.health(APP, Given.PLUGIN)).contains("not loaded");
    runs("guest-1");
    assertThat(runtime.health(APP, Given.PLUGIN)).isNull();
  }
}
