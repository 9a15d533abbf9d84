package dev.viesti.dispatcher;

import com.typesafe.config.ConfigFactory;
import dev.viesti.persistence.embedded.TestDatabase;
import dev.viesti.persistence.embedded.TestPostgres;
import dev.viesti.persistence.schema.SchemaMigrator;
import dev.viesti.persistence.schema.SchemaMigrator.Mode;
import dev.viesti.protocol.event.Event;
import dev.viesti.protocol.event.Payload;
import dev.viesti.protocol.handler.EventHandler;
import dev.viesti.protocol.trigger.EventPattern;
import dev.viesti.protocol.trigger.OrderBy;
import dev.viesti.protocol.trigger.RetryPolicy;
import dev.viesti.protocol.trigger.RetryStrategy;
import dev.viesti.protocol.trigger.Target;
import dev.viesti.protocol.trigger.Trigger;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Clock;
import java.time.Duration;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/** A node on a database of its own, for tests that go through the door. */
public final class TestNode implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  final ViestiNode node;
  final Viesti viesti;

  private TestNode(ViestiNode node) {
    this.node = node;
    this.viesti = node.viesti();
  }

  /** A database with Viesti's schema in it. */
  static TestDatabase database() throws Exception {
    TestDatabase database = TestPostgres.freshDatabase();
    new SchemaMigrator(database.dataSource()).migrate(Mode.AUTO);
    return database;
  }

  static TestNode start(TestDatabase database, Map<String, EventHandler> handlers, String config) {
    return start(database.url(), database.user(), database.password(), handlers, config);
  }

  static TestNode start(
      TestDatabase database, Map<String, EventHandler> handlers, String config, Clock clock) {
    return started(
        new NodeOptions(
            database.url(),
            database.user(),
            database.password(),
            ConfigFactory.parseString(config),
            handlers,
            new SimpleMeterRegistry(),
            clock));
  }

  static TestNode start(
      String url,
      String user,
      @Nullable String password,
      Map<String, EventHandler> handlers,
      String config) {
    return started(
        new NodeOptions(
            url,
            user,
            password,
            ConfigFactory.parseString(config),
            handlers,
            new SimpleMeterRegistry(),
            Clock.systemUTC()));
  }

  static TestNode startTransactional(
      TestDatabase database, Map<String, TransactionalHandler> handlers) {
    return started(
        new NodeOptions(
                database.url(),
                database.user(),
                database.password(),
                ConfigFactory.empty(),
                Map.of(),
                new SimpleMeterRegistry(),
                Clock.systemUTC())
            .withTransactionalHandlers(handlers));
  }

  /** A node whose plugins only seem to run. */
  static TestNode startWithPlugins(TestDatabase database, FakePlugins plugins, Clock clock) {
    var options =
        new NodeOptions(
            database.url(),
            database.user(),
            database.password(),
            ConfigFactory.empty(),
            Map.of(),
            new SimpleMeterRegistry(),
            clock);
    return started(
        ViestiNode.start(
            options,
            parts ->
                new NodePlugins(
                    plugins, plugins, new NoScripts(), deadline -> parts.reads().close())));
  }

  static TestNode started(NodeOptions options) {
    return started(ViestiNode.start(options));
  }

  private static TestNode started(ViestiNode node) {
    var started = new TestNode(node);
    until("the node is ready", () -> get(started.viesti.ready()));
    return started;
  }

  @Override
  public void close() {
    viesti.close();
  }

  static Event event(String type, @Nullable String subject, String json) {
    return Event.of(UUID.randomUUID(), "shop", type, subject, Payload.ofJson(json));
  }

  /** An event with an id of its sender's. */
  static Event event(String id, String type, @Nullable String subject, String json) {
    return new Event(
        Event.derivedId("shop", id),
        id,
        "shop",
        type,
        subject,
        null,
        Payload.ofJson(json),
        false,
        null,
        0,
        null,
        null);
  }

  static Trigger handler(String name, String type, int maxAttempts) {
    return handler(name, type, maxAttempts, null);
  }

  static Trigger handler(String name, String type, int maxAttempts, @Nullable OrderBy orderBy) {
    return new Trigger(
        new EventPattern("*", type, "*"),
        null,
        new Target.Handler(name),
        new RetryPolicy(
            RetryStrategy.CONSTANT, maxAttempts, Duration.ofMillis(20), Duration.ofMillis(20), 0),
        Duration.ofSeconds(10),
        null,
        orderBy,
        true);
  }

  static <T> T get(CompletionStage<T> stage) {
    try {
      return stage.toCompletableFuture().get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
    } catch (java.util.concurrent.ExecutionException failed) {
      if (failed.getCause() instanceof RefusedException refused) {
        throw refused;
      }
      throw new AssertionError(failed.getCause());
    } catch (InterruptedException | java.util.concurrent.TimeoutException late) {
      throw new AssertionError("no answer in " + PATIENCE, late);
    }
  }

  /** Looks again and again, a few milliseconds apart. */
  static void until(String what, BooleanSupplier holds) {
    until(what, PATIENCE, holds);
  }

  static void until(String what, Duration patience, BooleanSupplier holds) {
    long end = System.nanoTime() + patience.toNanos();
    while (!holds.getAsBoolean()) {
      if (System.nanoTime() > end) {
        throw new AssertionError("not within " + patience + ": " + what);
      }
      LockSupport.parkNanos(2_000_000);
    }
  }
}
