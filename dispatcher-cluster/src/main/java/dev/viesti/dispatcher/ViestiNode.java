package dev.viesti.dispatcher;

import com.fasterxml.uuid.Generators;
import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.viesti.dispatcher.app.App;
import dev.viesti.dispatcher.app.AppParts;
import dev.viesti.dispatcher.app.LocalApps;
import dev.viesti.dispatcher.app.PluginParts;
import dev.viesti.dispatcher.app.PluginSettings;
import dev.viesti.dispatcher.cluster.Outcomes;
import dev.viesti.dispatcher.cluster.Sweep;
import dev.viesti.dispatcher.commit.OutboxWriter;
import dev.viesti.dispatcher.commit.SeqBlocks;
import dev.viesti.dispatcher.commit.Settler;
import dev.viesti.dispatcher.commit.TransactionalHandlers;
import dev.viesti.dispatcher.execution.Gate;
import dev.viesti.dispatcher.metrics.Telemetry;
import dev.viesti.dispatcher.outbox.OutboxSettings;
import dev.viesti.dispatcher.outbox.Owners;
import dev.viesti.dispatcher.target.Targets;
import dev.viesti.dispatcher.target.handler.HandlerTarget;
import dev.viesti.dispatcher.target.webhook.WebhookSettings;
import dev.viesti.dispatcher.wake.WakeListener;
import dev.viesti.persistence.Database;
import dev.viesti.persistence.app.AppDirectory;
import dev.viesti.persistence.deadletter.DeadLetterRepository;
import dev.viesti.persistence.effects.ForgetRepository;
import dev.viesti.persistence.effects.KvRepository;
import dev.viesti.persistence.outbox.ClientRowRepository;
import dev.viesti.persistence.outbox.DeliveryRepository;
import dev.viesti.persistence.outbox.EffectTransactions;
import dev.viesti.persistence.outbox.HousekeepingRepository;
import dev.viesti.persistence.outbox.OutboxRepository;
import dev.viesti.persistence.outbox.OwnerRepository;
import dev.viesti.persistence.plugin.ArtifactRepository;
import dev.viesti.persistence.plugin.ModuleUseRepository;
import dev.viesti.persistence.wake.WakeUps;
import dev.viesti.protocol.app.AppId;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.random.RandomGenerator;
import org.apache.pekko.Done;
import org.apache.pekko.actor.CoordinatedShutdown;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Props;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.cluster.MemberStatus;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding;
import org.apache.pekko.cluster.sharding.typed.javadsl.Entity;
import org.apache.pekko.cluster.typed.Cluster;
import org.apache.pekko.cluster.typed.Join;

/**
 * One node: puts the parts together, in the order in which they need each other, and takes them
 * down in the opposite one. This is the only place that knows them all.
 */
public final class ViestiNode {
  /** How long the lanes may take to commit what waits when the node stops. */
  private static final Duration LANES_DEADLINE = Duration.ofSeconds(10);

  private final ActorSystem<Void> system;
  private final Viesti viesti;

  private ViestiNode(ActorSystem<Void> system, Viesti viesti) {
    this.system = system;
    this.viesti = viesti;
  }

  /**
   * Starts a node and lets it join its cluster, or form one. Returns before it is a member; {@link
   * Viesti#ready} says when it is. A database that is away is not an error here.
   *
   * @throws IllegalArgumentException when a setting is out of its bounds
   */
  public static ViestiNode start(NodeOptions options) {
    return start(options, NodePlugins::create);
  }

  /**
   * @param plugins makes what runs plugins
   */
  static ViestiNode start(NodeOptions options, Function<NodePlugins.Parts, NodePlugins> plugins) {
    Config config = config(options);
    NodeSettings settings = NodeSettings.from(config);
    OutboxSettings outboxSettings = OutboxSettings.from(config);
    PluginSettings pluginSettings = PluginSettings.from(config);
    WebhookSettings webhookSettings = WebhookSettings.from(config.getConfig("viesti.webhook"));
    Database database =
        Database.open(
            options.jdbcUrl(),
            options.dbUser(),
            options.dbPassword(),
            settings.connections(),
            settings.connectionPatience());
    Database effects =
        Database.openPlain(
            options.jdbcUrl(),
            options.dbUser(),
            options.dbPassword(),
            settings.transactions(),
            settings.connectionPatience());
    ActorSystem<Void> system = ActorSystem.create(Behaviors.empty(), "viesti", config);
    join(system, config);

    var hotPath = new OutboxRepository(database);
    var tables =
        new Owners.Tables(
            new OwnerRepository(database),
            new DeliveryRepository(database),
            new ClientRowRepository(database),
            new DeadLetterRepository(database),
            new HousekeepingRepository(database));
    var directory = new AppDirectory(database);
    var artifacts = new ArtifactRepository(database);
    var seqs = new SeqBlocks(tables.owners());
    var writer =
        new OutboxWriter(
            hotPath,
            tables.deadLetters(),
            tables.clientRows(),
            seqs,
            settings.writerGroupBytesMax(),
            settings.writerQueueBytesMax(),
            settings.writerGather());
    var settler = new Settler(hotPath, settings.settlerPause());
    ExecutorService blocking = Executors.newVirtualThreadPerTaskExecutor();
    var uuids = Generators.timeBasedEpochGenerator();
    var telemetry = new Telemetry(options.meters(), options.clock());
    var locals = new LocalApps(telemetry);
    Database reads =
        Database.openForPlugins(
            options.jdbcUrl(),
            options.dbUser(),
            options.dbPassword(),
            settings.pluginReads(),
            settings.connectionPatience());
    NodePlugins nodePlugins =
        plugins.apply(
            new NodePlugins.Parts(
                config,
                database,
                reads,
                locals::published,
                uuids::generate,
                blocking,
                options.clock()));
    var targets =
        new Targets(
            webhookSettings,
            new HandlerTarget(options.handlers()),
            new TransactionalHandlers(
                options.transactionalHandlers(), new EffectTransactions(effects)),
            nodePlugins.runner(),
            nodePlugins.scripts()::run,
            options.clock());
    var outcomes = new Outcomes(system);
    ScheduledExecutorService alarms = alarms();
    var patience = new Patience(settings.askTimeout(), System::nanoTime, blocking);
    patience.start(alarms);
    var owners =
        new Owners(
            Sweep.nodeName(Cluster.get(system).selfMember()),
            outboxSettings,
            tables,
            new Owners.Commits(writer, settler, seqs),
            new Gate(settings.permits()),
            targets,
            telemetry,
            new Owners.Notices(outcomes::wanted, outcomes::show),
            options.clock(),
            System::nanoTime,
            RandomGenerator.getDefault(),
            uuids::generate,
            alarms,
            blocking);
    var parts =
        new AppParts(
            owners,
            directory,
            locals,
            settings.triggersMax(),
            new SecureRandom(),
            new PluginParts(
                nodePlugins.runtime(),
                nodePlugins.scripts(),
                pluginSettings,
                new ForgetRepository(database),
                new ModuleUseRepository(database)));
    writer.start();
    settler.start();

    ClusterSharding sharding = ClusterSharding.get(system);
    sharding.init(
        Entity.of(
                App.KEY,
                entity -> App.create(new AppId(entity.getEntityId()), entity.getShard(), parts))
            .withStopMessage(new App.Stop()));
    CoordinatedShutdown shutdown = CoordinatedShutdown.get(system);
    BooleanSupplier stopping = () -> shutdown.getShutdownReason().isPresent();
    Consumer<AppId> wake =
        app -> {
          // sharding that stops would keep the message, and wait until its time is up
          if (!stopping.getAsBoolean()) {
            sharding.entityRefFor(App.KEY, app.value()).tell(new App.Wake());
          }
        };
    ActorRef<Sweep.Command> sweep =
        system.systemActorOf(
            Sweep.create(
                new Sweep.Parts(
                    tables.housekeeping(),
                    settings.sweepInterval(),
                    settings.idempotencyRetention(),
                    artifacts,
                    settings.moduleRetention(),
                    options.clock(),
                    blocking,
                    wake)),
            "viesti-sweep",
            Props.empty());

    var listener =
        WakeListener.start(
            new WakeListener.Parts(
                () -> WakeUps.listen(options.jdbcUrl(), options.dbUser(), options.dbPassword()),
                () -> Sweep.isOnDuty(Cluster.get(system)),
                wake,
                () -> sweep.tell(Sweep.lookNow())));

    // it takes a moment, while the apps are stopped
    shutdown.addTask(
        CoordinatedShutdown.PhaseBeforeServiceUnbind(),
        "viesti-wake",
        () -> {
          listener.stop();
          return CompletableFuture.completedFuture(Done.done());
        });
    shutdown.addTask(
        CoordinatedShutdown.PhaseBeforeActorSystemTerminate(),
        "viesti-lanes",
        () ->
            CompletableFuture.supplyAsync(
                () -> {
                  listener.close();
                  writer.close(LANES_DEADLINE);
                  nodePlugins.close().accept(LANES_DEADLINE);
                  settler.close(LANES_DEADLINE);
                  alarms.shutdownNow();
                  patience.close();
                  targets.close();
                  database.close();
                  return Done.done();
                },
                blocking));
    var calls = new AppCalls(sharding, locals, settings.askTimeout(), patience, blocking, stopping);
    return new ViestiNode(
        system,
        new ClusteredViesti(
            calls,
            new ClusteredViesti.Reading(
                tables.deliveries(),
                tables.clientRows(),
                tables.deadLetters(),
                directory,
                artifacts,
                new KvRepository(database)),
            nodePlugins.runtime(),
            nodePlugins.scripts(),
            outcomes,
            options.clock(),
            () -> ready(system, database),
            () -> stop(system)));
  }

  /** The door to it. Closing the door stops the node. */
  public Viesti viesti() {
    return viesti;
  }

  /** For what runs beside Viesti in the same actor system: the server's HTTP, its management. */
  public ActorSystem<?> system() {
    return system;
  }

  /** One thread: what it runs only posts. A timer that is not needed any more leaves at once. */
  private static ScheduledExecutorService alarms() {
    var alarms =
        new ScheduledThreadPoolExecutor(
            1, Thread.ofPlatform().name("viesti-alarms").daemon().factory());
    alarms.setRemoveOnCancelPolicy(true);
    return alarms;
  }

  private static boolean ready(ActorSystem<?> system, Database database) {
    return Cluster.get(system).selfMember().status().equals(MemberStatus.up())
        && database.answers();
  }

  private static void stop(ActorSystem<?> system) {
    try {
      CoordinatedShutdown.get(system)
          .runAll(CoordinatedShutdown.actorSystemTerminateReason())
          .toCompletableFuture()
          .join();
    } catch (CompletionException failed) {
      throw new IllegalStateException("the node did not stop in order", failed.getCause());
    }
  }

  private static Config config(NodeOptions options) {
    Map<String, Object> journal = new HashMap<>();
    String db = "pekko-persistence-jdbc.shared-databases.slick.db.";
    journal.put(db + "url", options.jdbcUrl());
    journal.put(db + "user", options.dbUser());
    journal.put(db + "password", options.dbPassword() == null ? "" : options.dbPassword());
    return options
        .config()
        .withFallback(ConfigFactory.parseMap(journal))
        .withFallback(ConfigFactory.parseResources("viesti-pekko.conf"))
        .withFallback(ConfigFactory.defaultReferenceUnresolved())
        .resolve();
  }

  private static void join(ActorSystem<?> system, Config config) {
    if (config.getStringList("pekko.cluster.seed-nodes").isEmpty()) {
      Cluster cluster = Cluster.get(system);
      cluster.manager().tell(Join.create(cluster.selfMember().address()));
    }
  }
}
