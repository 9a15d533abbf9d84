package dev.viesti.ops.server;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.viesti.dispatcher.NodeOptions;
import dev.viesti.dispatcher.Viesti;
import dev.viesti.dispatcher.ViestiNode;
import dev.viesti.dispatcher.cloudevents.CloudEvents;
import dev.viesti.ops.api.Api;
import dev.viesti.ops.api.ApiKeys;
import dev.viesti.ops.api.ApiSettings;
import dev.viesti.ops.http.HttpServer;
import dev.viesti.ops.http.PekkoMembers;
import dev.viesti.ops.metrics.Metrics;
import dev.viesti.persistence.schema.SchemaMigrator;
import dev.viesti.protocol.handler.EventHandler;
import java.net.URI;
import java.time.Clock;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.management.javadsl.PekkoManagement;
import org.postgresql.ds.PGSimpleDataSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A running node. It stops, in order, when it is closed, when the JVM is told to stop, and when the
 * cluster removes it: no more requests, requests that are under way, the engine, the database.
 * Thread-safe.
 */
public final class Server implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Server.class);

  /** Binding is immediate or fails; this only keeps a mistake from waiting for ever. */
  private static final Duration BIND_TIME_MAX = Duration.ofSeconds(30);

  private static final Duration READY_POLL = Duration.ofMillis(100);

  private final Started parts;
  private final Viesti viesti;
  private final URI uri;
  private final URI managementUri;
  private final AtomicBoolean closing = new AtomicBoolean();
  private final CountDownLatch closed = new CountDownLatch(1);
  private final Thread hook;

  private Server(Started parts, Viesti viesti, URI uri, URI managementUri) {
    this.parts = parts;
    this.viesti = viesti;
    this.uri = uri;
    this.managementUri = managementUri;
    this.hook = new Thread(this::close, "viesti-stop");
  }

  /** As {@link #start(ServerSettings, Map)}, without handlers. */
  public static Server start(ServerSettings settings) {
    return start(settings, Map.of());
  }

  /**
   * Starts everything and blocks until the ports are open; {@link #awaitReady} waits for more.
   *
   * @param handlers what triggers may name as their target
   * @throws StartException in one sentence: a port is in use, the database does not answer …
   */
  public static Server start(ServerSettings settings, Map<String, EventHandler> handlers) {
    Started parts = new Started();
    try {
      Ports.requireFree(settings);
      DatabaseAddress database = parts.database(settings.storage());
      migrate(database);
      Server server = start(settings, handlers, database, parts);
      LOG.info(
          "node {} serves {}, management at {}",
          settings.nodeName(),
          server.uri,
          server.managementUri);
      return server;
    } catch (RuntimeException failed) {
      parts.close();
      throw failed instanceof StartException said
          ? said
          : new StartException(sentence(failed), failed);
    }
  }

  private static Server start(
      ServerSettings settings,
      Map<String, EventHandler> handlers,
      DatabaseAddress database,
      Started parts) {
    Config reference = ConfigFactory.load();
    Duration drain = reference.getDuration("viesti.server.drain-timeout");
    ApiSettings limits = ApiSettings.from(reference.getConfig("viesti.http"));
    Metrics metrics = parts.keep(new Metrics());
    ViestiNode node =
        ViestiNode.start(
            new NodeOptions(
                database.jdbcUrl(),
                database.user(),
                database.password(),
                NodeConfig.of(settings, drain),
                handlers,
                metrics.registry(),
                Clock.systemUTC()));
    Viesti viesti = parts.keep(node.viesti());
    ActorSystem<?> system = node.system();
    NodeHealth.of(system.classicSystem()).is(viesti::ready);
    Api api =
        new Api(
            new Api.Doors(
                viesti,
                CloudEvents.withSystemIds(),
                new PekkoMembers(system),
                ApiKeys.of(Map.of("admin", settings.adminKey())),
                metrics),
            limits,
            system.executionContext());
    HttpServer.Parts served = new HttpServer.Parts(api, viesti, metrics, limits);
    ServerSettings.Http http = settings.http();
    HttpServer server =
        within("the API", HttpServer.start(system, served, http.host(), http.port()))
            .stopWith(system, drain);
    org.apache.pekko.http.javadsl.model.Uri management =
        within("management", PekkoManagement.get(system).start());
    Server running =
        new Server(
            parts,
            viesti,
            Ports.uri(http.host(), server.address().getPort()),
            Ports.uri(http.managementHost(), management.port()));
    Runtime.getRuntime().addShutdownHook(running.hook);
    running.closeWith(system);
    return running;
  }

  /** The cluster may remove a node; what is left of the server then has no use. */
  private void closeWith(ActorSystem<?> system) {
    system
        .getWhenTerminated()
        .whenCompleteAsync((done, failure) -> close(), task -> Thread.ofVirtual().start(task));
  }

  /** Where the API is. */
  public URI uri() {
    return uri;
  }

  /** Where {@code /ready}, {@code /alive} and {@code /cluster/members} are. */
  public URI managementUri() {
    return managementUri;
  }

  /** The door to the engine, for what runs in this JVM. */
  public Viesti viesti() {
    return viesti;
  }

  /**
   * Waits until the node can accept and settle.
   *
   * @return false when {@code limit} is over, or the server was closed
   */
  public boolean awaitReady(Duration limit) throws InterruptedException {
    long end = System.nanoTime() + limit.toNanos();
    while (System.nanoTime() < end) {
      if (isReady()) {
        return true;
      }
      if (closed.await(READY_POLL.toMillis(), TimeUnit.MILLISECONDS)) {
        return false;
      }
    }
    return false;
  }

  private boolean isReady() throws InterruptedException {
    try {
      return viesti.ready().toCompletableFuture().get(5, TimeUnit.SECONDS);
    } catch (ExecutionException | TimeoutException notYet) {
      return false;
    }
  }

  /** Waits until the server has stopped. */
  public void awaitTermination() throws InterruptedException {
    closed.await();
  }

  /** Stops in order and waits for it. A second call waits for the first. */
  @Override
  public void close() {
    if (closing.compareAndSet(false, true)) {
      try {
        parts.close();
      } finally {
        forgetHook();
        closed.countDown();
      }
      return;
    }
    try {
      closed.await();
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private void forgetHook() {
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException alreadyStopping) {
      LOG.debug("the JVM stops");
    }
  }

  private static void migrate(DatabaseAddress database) {
    PGSimpleDataSource source = new PGSimpleDataSource();
    source.setUrl(database.jdbcUrl());
    source.setUser(database.user());
    source.setPassword(database.password());
    new SchemaMigrator(source).migrate(SchemaMigrator.Mode.AUTO);
  }

  private static <T> T within(String what, CompletionStage<T> stage) {
    try {
      return stage.toCompletableFuture().get(BIND_TIME_MAX.toSeconds(), TimeUnit.SECONDS);
    } catch (ExecutionException failed) {
      throw new StartException(what + " could not be bound: " + sentence(failed), failed);
    } catch (TimeoutException late) {
      throw new StartException(what + " was not bound in time", late);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new StartException("interrupted while starting", interrupted);
    }
  }

  private static String sentence(Throwable failure) {
    Throwable cause = failure;
    while (cause instanceof ExecutionException && cause.getCause() != null) {
      cause = cause.getCause();
    }
    return cause.getMessage() == null ? cause.toString() : cause.getMessage();
  }
}
