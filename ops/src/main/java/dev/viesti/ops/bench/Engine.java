package dev.viesti.ops.bench;

import com.fasterxml.uuid.Generators;
import com.fasterxml.uuid.impl.TimeBasedEpochGenerator;
import com.typesafe.config.ConfigFactory;
import dev.viesti.dispatcher.AppSummary;
import dev.viesti.dispatcher.NodeOptions;
import dev.viesti.dispatcher.PluginUpload;
import dev.viesti.dispatcher.Receipt;
import dev.viesti.dispatcher.Viesti;
import dev.viesti.dispatcher.ViestiNode;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.app.AppSettings;
import dev.viesti.protocol.event.Event;
import dev.viesti.protocol.event.Payload;
import dev.viesti.protocol.plugin.PluginId;
import dev.viesti.protocol.trigger.EventPattern;
import dev.viesti.protocol.trigger.RetryPolicy;
import dev.viesti.protocol.trigger.RetryStrategy;
import dev.viesti.protocol.trigger.Target;
import dev.viesti.protocol.trigger.Trigger;
import dev.viesti.protocol.trigger.TriggerId;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.io.InputStream;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * A node inside this JVM, as a service that embeds Viesti has it, with handlers that do nothing.
 */
final class Engine implements AutoCloseable {
  /** So many executions may run as a node has permits. */
  private static final int CONCURRENCY = 1_000;

  /** The plugin, and the type of the events that it subscribes to. */
  static final String PLUGIN = "kv-put";

  private static final Payload MANIFEST =
      Payload.ofJson(
          """
          {"id": "kv-put", "name": "Writes a value", "version": "1",
           "permissions": ["kv:write:bench", "context:read"],
           "subscribe": [{"type": "kv-put"}]}""");

  private static final Payload DATA =
      Payload.ofJson("{\"text\":\"" + "x".repeat(Events.DATA_BYTES - 11) + "\"}");

  /** The least back-off that a policy can have. */
  private static final RetryPolicy AT_ONCE =
      new RetryPolicy(RetryStrategy.CONSTANT, 5, Duration.ofMillis(1), Duration.ofMillis(1), 0);

  private static final Duration PATIENCE = Duration.ofMinutes(5);

  /** Nothing takes as long as this to settle one delivery. */
  private static final Duration STILL_MAX = Duration.ofMinutes(1);

  /** The resolution of a run's length; looking costs a sum of a few numbers, and no query. */
  private static final Duration LOOK_EVERY = Duration.ofMillis(1);

  private static final Duration LAST_ANSWERS_MAX = Duration.ofSeconds(5);
  private static final int APPS_PAGE = 500;
  private static final int REMOVING = 32;

  private final BenchDatabase database;
  private final ViestiNode node;
  private final EngineHandlers handlers;
  private final MeterRegistry meters;
  private final TimeBasedEpochGenerator ids = Generators.timeBasedEpochGenerator();
  private final Map<String, AppId> apps = new HashMap<>();
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();

  private final AtomicInteger unanswered = new AtomicInteger();
  private volatile boolean closing;

  private Engine(
      BenchDatabase database, ViestiNode node, EngineHandlers handlers, MeterRegistry meters) {
    this.database = database;
    this.node = node;
    this.handlers = handlers;
    this.meters = meters;
  }

  /**
   * Starts a node and waits until it is ready.
   *
   * @param config overrides of {@code viesti.*}, HOCON
   */
  static Engine start(BenchDatabase database, String config) throws Exception {
    var handlers = new EngineHandlers();
    var meters = new SimpleMeterRegistry();
    Bench.GivenDatabase address = database.address();
    ViestiNode node =
        ViestiNode.start(
            new NodeOptions(
                address.jdbcUrl(),
                address.user() == null ? "" : address.user(),
                address.password(),
                ConfigFactory.parseString(
                    config + "\npekko.remote.artery.canonical.port = 0\npekko.loglevel = WARNING"),
                handlers.byName(),
                meters,
                Clock.systemUTC()));
    var engine = new Engine(database, node, handlers, meters);
    boolean ready = false;
    try {
      Wait.until(() -> get(engine.viesti().ready()), LOOK_EVERY, PATIENCE, "the node is not ready");
      ready = true;
      return engine;
    } finally {
      if (!ready) {
        engine.close();
      }
    }
  }

  Viesti viesti() {
    return node.viesti();
  }

  BenchDatabase database() {
    return database;
  }

  EngineHandlers handlers() {
    return handlers;
  }

  /** Where calls may block. */
  ExecutorService threads() {
    return threads;
  }

  /** Publishes; refused once the node is told to stop. */
  CompletionStage<List<Receipt>> publish(AppId app, List<Event> events) {
    unanswered.incrementAndGet();
    if (closing) {
      unanswered.decrementAndGet();
      return CompletableFuture.failedStage(new IllegalStateException("the node stops"));
    }
    return viesti()
        .publish(app, events)
        .whenComplete((receipts, failed) -> unanswered.decrementAndGet());
  }

  /** Publishes as most callers do: they wait, and have chained nothing to the answer. */
  List<Receipt> publishAndWait(AppId app, List<Event> events) throws Exception {
    unanswered.incrementAndGet();
    try {
      if (closing) {
        throw new IllegalStateException("the node stops");
      }
      return viesti()
          .publish(app, events)
          .toCompletableFuture()
          .get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
    } finally {
      unanswered.decrementAndGet();
    }
  }

  /**
   * An app for each workload, with a trigger for each handler: events of their names as type. Its
   * id is in every row and its index entry, so all are of the same length, that of a usual id.
   */
  AppId app(String workload) {
    AppId app =
        apps.computeIfAbsent(
            workload, first -> new AppId(BenchDatabase.PREFIX + (char) ('a' + apps.size())));
    pause(app, false);
    trigger(app, EngineHandlers.NOOP, null);
    trigger(app, EngineHandlers.ONCE, AT_ONCE);
    return app;
  }

  void pause(AppId app, boolean paused) {
    get(viesti().putApp(app, AppSettings.of(null, CONCURRENCY, paused, null), null, "bench"));
  }

  /** A trigger that runs events of type {@code handler} with the handler of that name. */
  void trigger(AppId app, String handler, @Nullable RetryPolicy retry) {
    Trigger trigger =
        Trigger.of(
            new EventPattern("*", handler, "*"),
            null,
            new Target.Handler(handler),
            retry,
            null,
            null,
            null,
            null);
    get(viesti().putTrigger(app, new TriggerId(handler), trigger, null, "bench"));
  }

  /** Installs the plugin of {@code kv-put.c}, unless it is there. */
  void plugin(AppId app) throws IOException {
    try (InputStream module = Engine.class.getResourceAsStream(PLUGIN + ".wasm")) {
      var upload =
          new PluginUpload(
              Payload.of(Objects.requireNonNull(module).readAllBytes()),
              PluginUpload.ManifestText.guess(MANIFEST),
              null);
      get(viesti().putPlugin(app, new PluginId(PLUGIN), upload, null, "bench"));
    }
  }

  /** An event of 200 bytes without an id of its sender's. */
  Event event(String type) {
    return Event.of(ids.generate(), "bench", type, null, DATA);
  }

  /** Apps whose owner is in memory. */
  int ownedApps() {
    return (int) meters.get("viesti.outbox.owned").gauge().value();
  }

  /** Deliveries settled since the start of the node, as its metric tells: once it is durable. */
  long settled() {
    return ended("settled");
  }

  private long ended(String how) {
    Counter counter = meters.find("viesti.deliveries.ended").tag("how", how).counter();
    return counter == null ? 0 : (long) counter.count();
  }

  /**
   * Waits until so many deliveries are settled.
   *
   * @throws TimeoutException when none was for a minute
   */
  void awaitSettled(long total) throws Exception {
    long last = -1;
    long since = System.nanoTime();
    for (long now = settled(); now < total; now = settled()) {
      if (now > last) {
        last = now;
        since = System.nanoTime();
      } else if (System.nanoTime() - since > STILL_MAX.toNanos()) {
        throw new TimeoutException(
            "%,d of %,d deliveries are settled, and none for %d s; %,d are dead letters"
                .formatted(now, total, STILL_MAX.toSeconds(), ended("dead_lettered")));
      }
      Wait.last(LOOK_EVERY);
    }
  }

  /** Removes every app that was made for measuring, with all that waits there. */
  void removeApps() throws Exception {
    database.execute("delete from viesti.outbox where app_id = '%s'".formatted(Limit.APP));
    AppId after = null;
    while (true) {
      List<AppSummary> page = get(viesti().listApps(after, APPS_PAGE));
      if (page.isEmpty()) {
        return;
      }
      after = page.getLast().id();
      for (int at = 0; at < page.size(); at += REMOVING) {
        List<Future<?>> removing = new ArrayList<>();
        for (AppSummary app : page.subList(at, Math.min(at + REMOVING, page.size()))) {
          if (app.id().value().startsWith(BenchDatabase.PREFIX)) {
            removing.add(threads.submit(() -> get(viesti().deleteApp(app.id(), true, "bench"))));
          }
        }
        for (Future<?> one : removing) {
          one.get();
        }
      }
    }
  }

  static <T> T get(CompletionStage<T> stage) {
    return stage.toCompletableFuture().orTimeout(PATIENCE.toSeconds(), TimeUnit.SECONDS).join();
  }

  /**
   * Stops the node in order; its database runs on. The load ends first: calls that come while the
   * node hands its apps over would wait for another node, and the node for them.
   */
  @Override
  public void close() {
    closing = true;
    try {
      Wait.until(() -> unanswered.get() == 0, LOOK_EVERY, LAST_ANSWERS_MAX, "calls are unanswered");
    } catch (TimeoutException late) {
      // they are refused as the node stops
    } catch (Exception interrupted) {
      Thread.currentThread().interrupt();
    }
    threads.shutdownNow();
    viesti().close();
  }
}
