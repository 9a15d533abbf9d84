package dev.viesti.ops.bench;

import com.fasterxml.uuid.Generators;
import com.fasterxml.uuid.impl.TimeBasedEpochGenerator;
import com.typesafe.config.ConfigFactory;
import com.zaxxer.hikari.util.DriverDataSource;
import dev.viesti.dispatcher.NodeOptions;
import dev.viesti.dispatcher.Viesti;
import dev.viesti.dispatcher.ViestiNode;
import dev.viesti.persistence.embedded.EmbeddedPostgres;
import dev.viesti.persistence.schema.SchemaMigrator;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.app.AppSettings;
import dev.viesti.protocol.delivery.Outcome;
import dev.viesti.protocol.event.Event;
import dev.viesti.protocol.event.Payload;
import dev.viesti.protocol.handler.EventHandler;
import dev.viesti.protocol.handler.HandlerCall;
import dev.viesti.protocol.trigger.EventPattern;
import dev.viesti.protocol.trigger.RetryPolicy;
import dev.viesti.protocol.trigger.RetryStrategy;
import dev.viesti.protocol.trigger.Target;
import dev.viesti.protocol.trigger.Trigger;
import dev.viesti.protocol.trigger.TriggerId;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Clock;
import java.time.Duration;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * A node inside this JVM, as a service that embeds Viesti has it, with handlers that do nothing, on
 * a PostgreSQL of its own or a given one.
 */
final class Engine implements AutoCloseable {
  /** Of events that are run by a handler that does nothing. */
  static final String NOOP = "noop";

  /** Of events whose first attempt fails. */
  static final String ONCE = "once";

  /** So many executions may run as a node has permits. */
  static final AppSettings SETTINGS = AppSettings.of(null, 1_000, null, null);

  private static final Payload DATA =
      Payload.ofJson("{\"text\":\"" + "x".repeat(Events.DATA_BYTES - 11) + "\"}");

  /** The least back-off that a policy can have. */
  private static final RetryPolicy AT_ONCE =
      new RetryPolicy(RetryStrategy.CONSTANT, 5, Duration.ofMillis(1), Duration.ofMillis(1), 0);

  private static final Duration PATIENCE = Duration.ofMinutes(5);
  private static final Duration LOOK_EVERY = Duration.ofMillis(2);

  private final @Nullable EmbeddedPostgres postgres;
  private final DataSource database;
  private final Connection connection;
  private final ViestiNode node;
  private final TimeBasedEpochGenerator ids = Generators.timeBasedEpochGenerator();
  private final AtomicLong succeeded;
  private final Map<UUID, Long> sent;
  private final Latencies starts;
  private final MeterRegistry meters;
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();

  private Engine(Builder from, ViestiNode node, Connection connection) {
    this.postgres = from.postgres;
    this.database = from.database;
    this.connection = connection;
    this.node = node;
    this.succeeded = from.succeeded;
    this.sent = from.sent;
    this.starts = from.starts;
    this.meters = from.meters;
  }

  /** What has to be there before the node is. */
  private static final class Builder {
    final @Nullable EmbeddedPostgres postgres;
    final DataSource database;
    final AtomicLong succeeded = new AtomicLong();
    final Map<UUID, Long> sent = new ConcurrentHashMap<>();
    final Set<UUID> failed = ConcurrentHashMap.newKeySet();
    final Latencies starts = new Latencies();
    final MeterRegistry meters = new SimpleMeterRegistry();

    Builder(@Nullable EmbeddedPostgres postgres, DataSource database) {
      this.postgres = postgres;
      this.database = database;
    }

    Map<String, EventHandler> handlers() {
      return Map.of(NOOP, this::run, ONCE, this::failOnce);
    }

    private Outcome run(HandlerCall call) {
      if (!sent.isEmpty()) {
        Long at = sent.remove(call.event().id());
        if (at != null) {
          starts.add(System.nanoTime() - at);
        }
      }
      succeeded.incrementAndGet();
      return Outcome.Succeeded.PLAIN;
    }

    private Outcome failOnce(HandlerCall call) {
      if (failed.add(call.event().id())) {
        return new Outcome.Retryable("the first attempt fails");
      }
      failed.remove(call.event().id());
      succeeded.incrementAndGet();
      return Outcome.Succeeded.PLAIN;
    }
  }

  /**
   * Starts PostgreSQL, if none is given, and a node; creates the schema.
   *
   * @param config overrides of {@code viesti.*}, HOCON
   */
  static Engine start(Workload.Setting setting, String config) throws Exception {
    Bench.GivenDatabase used = setting.database();
    EmbeddedPostgres postgres = null;
    if (used == null) {
      postgres = EmbeddedPostgres.start(setting.directory().resolve("data"));
      used = new Bench.GivenDatabase(postgres.jdbcUrl(), postgres.user(), postgres.password());
    }
    var builder = new Builder(postgres, dataSource(used));
    try {
      new SchemaMigrator(builder.database).migrate(SchemaMigrator.Mode.AUTO);
      ViestiNode node =
          ViestiNode.start(
              new NodeOptions(
                  used.jdbcUrl(),
                  used.user() == null ? "" : used.user(),
                  used.password(),
                  ConfigFactory.parseString(
                      config
                          + "\npekko.remote.artery.canonical.port = 0\npekko.loglevel = WARNING"),
                  builder.handlers(),
                  builder.meters,
                  Clock.systemUTC()));
      var engine = new Engine(builder, node, builder.database.getConnection());
      Wait.until(() -> get(engine.viesti().ready()), LOOK_EVERY, PATIENCE, "the node is not ready");
      return engine;
    } catch (Exception | Error failed) {
      if (postgres != null) {
        postgres.close();
      }
      throw failed;
    }
  }

  private static DataSource dataSource(Bench.GivenDatabase given) {
    return new DriverDataSource(
        given.jdbcUrl(), "org.postgresql.Driver", new Properties(), given.user(), given.password());
  }

  Viesti viesti() {
    return node.viesti();
  }

  /** Plain connections to the same PostgreSQL. */
  DataSource database() {
    return database;
  }

  /** An app with a trigger for each handler: events of type {@link #NOOP} and {@link #ONCE}. */
  AppId app(String name) {
    AppId app = new AppId("bench-" + name);
    pause(app, false);
    trigger(app, NOOP, null);
    trigger(app, ONCE, AT_ONCE);
    return app;
  }

  void pause(AppId app, boolean paused) {
    get(
        viesti()
            .putApp(
                app, AppSettings.of(null, SETTINGS.concurrency(), paused, null), null, "bench"));
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

  /** An event of 200 bytes without an id of its sender's. */
  Event event(String type) {
    return Event.of(ids.generate(), "bench", type, null, DATA);
  }

  /** From now until the handler starts: see {@link #starts}. */
  void sent(Event event) {
    sent.put(event.id(), System.nanoTime());
  }

  /** Takes the times from {@link #sent} to the start of the handler. */
  Latencies starts() {
    return starts.take();
  }

  /** Executions that have succeeded since the start. */
  long succeeded() {
    return succeeded.get();
  }

  /** Apps whose owner is in memory. */
  int ownedApps() {
    return (int) meters.get("viesti.outbox.owned").gauge().value();
  }

  /** Where calls may block. */
  ExecutorService threads() {
    return threads;
  }

  /** Waits until so many executions have succeeded and nothing is left in the table. */
  void awaitSettled(long total) throws Exception {
    Wait.until(() -> succeeded.get() >= total, LOOK_EVERY, PATIENCE, "not all events are run");
    Wait.until(this::isEmpty, LOOK_EVERY, PATIENCE, "not all events are settled");
  }

  private boolean isEmpty() throws SQLException {
    return query("select case when exists (select from viesti.outbox) then 1 else 0 end") == 0;
  }

  /** So that the pages that are written whole after a checkpoint are the same in each run. */
  void checkpoint() throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute("checkpoint");
    }
  }

  NodeProbe.Reading read() throws SQLException {
    return new NodeProbe.Reading(
        System.nanoTime(),
        query("select pg_current_wal_insert_lsn() - '0/0'::pg_lsn"),
        Duration.ZERO,
        postgres == null
            ? Duration.ZERO
            : NodeProbe.tree(postgres.pid())
                .map(NodeProbe::cpu)
                .reduce(Duration.ZERO, Duration::plus),
        NodeProbe.cpu(ProcessHandle.current()),
        NodeProbe.machineCpu());
  }

  private long query(String sql) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(sql)) {
      row.next();
      return row.getLong(1);
    }
  }

  static <T> T get(CompletionStage<T> stage) {
    return stage.toCompletableFuture().orTimeout(PATIENCE.toSeconds(), TimeUnit.SECONDS).join();
  }

  @Override
  public void close() throws SQLException {
    threads.close();
    connection.close();
    viesti().close();
    if (postgres != null) {
      postgres.close();
    }
  }
}
