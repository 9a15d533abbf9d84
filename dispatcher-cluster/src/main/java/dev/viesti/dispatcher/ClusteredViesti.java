package dev.viesti.dispatcher;

import dev.viesti.dispatcher.app.App;
import dev.viesti.dispatcher.app.OutboxRequest;
import dev.viesti.dispatcher.app.PluginRequest;
import dev.viesti.dispatcher.cluster.Outcomes;
import dev.viesti.dispatcher.outbox.Statements;
import dev.viesti.dispatcher.plugin.PluginMetrics;
import dev.viesti.dispatcher.plugin.Plugins;
import dev.viesti.dispatcher.plugin.Scripts;
import dev.viesti.dispatcher.wire.Answer;
import dev.viesti.persistence.app.AppDirectory;
import dev.viesti.persistence.deadletter.DeadLetterRepository;
import dev.viesti.persistence.effects.KvRepository;
import dev.viesti.persistence.outbox.ClientRowRepository;
import dev.viesti.persistence.outbox.DeliveryRepository;
import dev.viesti.persistence.plugin.ArtifactRepository;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.app.AppSettings;
import dev.viesti.protocol.deadletter.DeadLetter;
import dev.viesti.protocol.deadletter.Resolution;
import dev.viesti.protocol.delivery.DeliveryId;
import dev.viesti.protocol.event.Event;
import dev.viesti.protocol.event.Payload;
import dev.viesti.protocol.plugin.PluginId;
import dev.viesti.protocol.trigger.Target;
import dev.viesti.protocol.trigger.Trigger;
import dev.viesti.protocol.trigger.TriggerId;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The door of a cluster's node: changes go to the app that is asked for, wherever it lives; lists
 * are read from the shared database right here.
 */
final class ClusteredViesti implements Viesti {
  /** Events of one message between nodes: well below the largest frame, 1 MiB. */
  private static final int CHUNK_BYTES = 256 << 10;

  private static final Duration DELETE_PATIENCE = Duration.ofMinutes(3);

  private final AppCalls calls;
  private final DeliveryCalls deliveries;
  private final DeadLetterCalls deadLetters;
  private final PluginCalls plugins;
  private final ScriptCheck scripts;
  private final KvCalls values;
  private final AppDirectory directory;
  private final Outcomes outcomes;
  private final BooleanSupplier ready;
  private final Runnable stop;

  ClusteredViesti(
      AppCalls calls,
      Reading reading,
      Plugins plugins,
      Scripts scripts,
      Outcomes outcomes,
      Clock clock,
      BooleanSupplier ready,
      Runnable stop) {
    this.calls = calls;
    this.deliveries = new DeliveryCalls(calls, reading.deliveries(), reading.clientRows(), clock);
    this.deadLetters = new DeadLetterCalls(calls, reading.deadLetters());
    this.plugins = new PluginCalls(calls, plugins, reading.artifacts());
    this.values = new KvCalls(calls, reading.values());
    this.scripts = new ScriptCheck(calls, scripts);
    this.directory = reading.directory();
    this.outcomes = outcomes;
    this.ready = ready;
    this.stop = stop;
  }

  /** What is read and written without asking an app. */
  record Reading(
      DeliveryRepository deliveries,
      ClientRowRepository clientRows,
      DeadLetterRepository deadLetters,
      AppDirectory directory,
      ArtifactRepository artifacts,
      KvRepository values) {}

  // ---- apps and triggers

  @Override
  public CompletionStage<AppView> putApp(
      AppId app, AppSettings settings, @Nullable Long expectedRevision, String principal) {
    return calls
        .ask(
            app,
            Answer.App.class,
            replyTo -> new App.PutApp(settings, expectedRevision, principal, replyTo))
        .thenApply(Answer.App::app);
  }

  @Override
  public CompletionStage<AppView> getApp(AppId app) {
    return calls.ask(app, Answer.App.class, App.GetApp::new).thenApply(Answer.App::app);
  }

  @Override
  public CompletionStage<List<AppSummary>> listApps(@Nullable AppId after, int limit) {
    return calls.read(
        () ->
            directory.list(after, limit).stream()
                .map(
                    line ->
                        new AppSummary(
                            line.app(),
                            line.displayName(),
                            line.paused(),
                            line.createdAt(),
                            line.updatedAt()))
                .toList());
  }

  @Override
  public CompletionStage<Void> deleteApp(AppId app, boolean cancelDeliveries, String principal) {
    return calls
        .ask(
            app,
            Answer.Done.class,
            DELETE_PATIENCE,
            replyTo -> new App.DeleteApp(cancelDeliveries, principal, replyTo))
        .thenApply(done -> null);
  }

  @Override
  public CompletionStage<TriggerView> putTrigger(
      AppId app, TriggerId id, Trigger trigger, @Nullable Long expectedRevision, String principal) {
    return (trigger.target() instanceof Target.Script script
            ? getApp(app).thenCompose(known -> scripts.require(app, script))
            : CompletableFuture.completedFuture(trigger))
        .thenCompose(
            fine ->
                calls.ask(
                    app,
                    Answer.OneTrigger.class,
                    replyTo ->
                        new App.PutTrigger(id, trigger, expectedRevision, principal, replyTo)))
        .thenApply(Answer.OneTrigger::trigger);
  }

  @Override
  public CompletionStage<TriggerView> getTrigger(AppId app, TriggerId id) {
    return calls
        .ask(app, Answer.OneTrigger.class, replyTo -> new App.GetTrigger(id, replyTo))
        .thenApply(Answer.OneTrigger::trigger);
  }

  @Override
  public CompletionStage<List<TriggerView>> listTriggers(AppId app) {
    return calls
        .ask(app, Answer.Triggers.class, App.ListTriggers::new)
        .thenApply(Answer.Triggers::triggers);
  }

  @Override
  public CompletionStage<Void> deleteTrigger(AppId app, TriggerId id, String principal) {
    return calls
        .ask(app, Answer.Done.class, replyTo -> new App.DeleteTrigger(id, principal, replyTo))
        .thenApply(done -> null);
  }

  // ---- plugins and values

  @Override
  public CompletionStage<PluginView> putPlugin(
      AppId app,
      PluginId id,
      PluginUpload upload,
      @Nullable Long expectedRevision,
      String principal) {
    return getApp(app)
        .thenCompose(known -> plugins.put(app, id, upload, expectedRevision, principal));
  }

  @Override
  public CompletionStage<PluginView> getPlugin(AppId app, PluginId id) {
    return plugins.one(app, replyTo -> new PluginRequest.GetPlugin(id, replyTo));
  }

  @Override
  public CompletionStage<List<PluginSummary>> listPlugins(AppId app) {
    return plugins.list(app);
  }

  @Override
  public CompletionStage<PluginView> enablePlugin(AppId app, PluginId id, String principal) {
    return plugins.one(app, replyTo -> new PluginRequest.EnablePlugin(id, principal, replyTo));
  }

  @Override
  public CompletionStage<PluginView> disablePlugin(AppId app, PluginId id, String principal) {
    return plugins.one(app, replyTo -> new PluginRequest.DisablePlugin(id, principal, replyTo));
  }

  @Override
  public CompletionStage<PluginView> rollbackPlugin(AppId app, PluginId id, String principal) {
    return plugins.one(app, replyTo -> new PluginRequest.RollBackPlugin(id, principal, replyTo));
  }

  @Override
  public CompletionStage<PluginView> configurePlugin(
      AppId app,
      PluginId id,
      @Nullable String config,
      @Nullable Long expectedRevision,
      String principal) {
    return plugins.one(
        app,
        replyTo ->
            new PluginRequest.ConfigurePlugin(id, config, expectedRevision, principal, replyTo));
  }

  @Override
  public CompletionStage<Void> deletePlugin(
      AppId app, PluginId id, boolean purge, String principal) {
    return plugins.delete(app, id, purge, principal);
  }

  @Override
  public CompletionStage<PluginHealth> pluginHealth(AppId app, PluginId id) {
    return plugins.health(app, id);
  }

  @Override
  public CompletionStage<PluginMetrics> pluginMetrics(AppId app, PluginId id) {
    return plugins.metrics(app, id);
  }

  @Override
  public CompletionStage<Payload> invoke(
      AppId app, TriggerId trigger, Payload payload, String principal) {
    return plugins.invoke(app, trigger, payload, principal);
  }

  @Override
  public CompletionStage<KvValue> getValue(AppId app, String collection, String key) {
    return getApp(app).thenCompose(known -> values.get(app, collection, key));
  }

  @Override
  public CompletionStage<Long> putValue(
      AppId app, String collection, String key, Payload value, @Nullable Long expectedVersion) {
    return getApp(app)
        .thenCompose(known -> values.put(app, collection, key, value, expectedVersion));
  }

  @Override
  public CompletionStage<Void> deleteValue(
      AppId app, String collection, String key, @Nullable Long expectedVersion) {
    return getApp(app).thenCompose(known -> values.delete(app, collection, key, expectedVersion));
  }

  @Override
  public CompletionStage<List<KvKey>> listValues(
      AppId app, String collection, String prefix, @Nullable String after, int limit) {
    return getApp(app).thenCompose(known -> values.list(app, collection, prefix, after, limit));
  }

  // ---- events

  /** Chunks keep their order: the messages of one sender to one app do. */
  @Override
  public CompletionStage<List<Receipt>> publish(AppId app, List<Event> events) {
    if (events.size() == 1) {
      return calls.publish(app, events);
    }
    List<CompletableFuture<List<Receipt>>> parts = new ArrayList<>();
    List<Event> chunk = new ArrayList<>();
    int bytes = 0;
    for (Event event : events) {
      if (!chunk.isEmpty() && bytes + event.weight() > CHUNK_BYTES) {
        parts.add(calls.publish(app, chunk));
        chunk = new ArrayList<>();
        bytes = 0;
      }
      chunk.add(event);
      bytes += event.weight();
    }
    if (!chunk.isEmpty()) {
      parts.add(calls.publish(app, chunk));
    }
    return CompletableFuture.allOf(parts.toArray(CompletableFuture[]::new))
        .thenApply(done -> parts.stream().flatMap(part -> part.join().stream()).toList());
  }

  // ---- deliveries

  @Override
  public CompletionStage<List<DeliveryView>> listDeliveries(
      AppId app, @Nullable TriggerId trigger, @Nullable DeliveryPosition after, int limit) {
    return getApp(app).thenCompose(known -> deliveries.list(app, trigger, after, limit));
  }

  @Override
  public CompletionStage<DeliveryView> getDelivery(AppId app, DeliveryId id) {
    return getApp(app).thenCompose(known -> deliveries.get(app, id));
  }

  @Override
  public CompletionStage<DeliveryView> retryDelivery(AppId app, DeliveryId id, String principal) {
    return getApp(app)
        .thenCompose(known -> deliveries.find(app, id))
        .thenCompose(
            row ->
                calls.ask(
                    app,
                    Answer.OneDelivery.class,
                    replyTo -> new OutboxRequest.RetryDelivery(row, replyTo)))
        .thenApply(Answer.OneDelivery::delivery);
  }

  @Override
  public CompletionStage<Void> cancelDelivery(AppId app, DeliveryId id, String principal) {
    return getApp(app)
        .thenCompose(known -> deliveries.find(app, id))
        .thenCompose(
            row ->
                calls.ask(
                    app,
                    Answer.Done.class,
                    replyTo -> new OutboxRequest.CancelDelivery(row, replyTo)))
        .thenApply(done -> null);
  }

  @Override
  public CompletionStage<Void> completeDelivery(
      AppId app, DeliveryId id, Completion completion, String principal) {
    return calls
        .ask(
            app,
            Answer.Done.class,
            replyTo -> new OutboxRequest.CompleteDelivery(id, completion, replyTo))
        .thenApply(done -> null);
  }

  // ---- dead letters

  @Override
  public CompletionStage<List<DeadLetter>> listDeadLetters(
      AppId app, DeadLetterQuery query, @Nullable UUID after, int limit) {
    return getApp(app).thenCompose(known -> deadLetters.list(app, query, after, limit));
  }

  @Override
  public CompletionStage<DeadLetter> getDeadLetter(AppId app, UUID id) {
    return deadLetters.get(app, id);
  }

  @Override
  public CompletionStage<Long> countDeadLetters(AppId app, DeadLetterQuery query) {
    return getApp(app).thenCompose(known -> deadLetters.count(app, query));
  }

  @Override
  public CompletionStage<DeliveryId> replayDeadLetter(AppId app, UUID id, String principal) {
    return deadLetters.replay(app, id);
  }

  @Override
  public CompletionStage<Integer> replayDeadLetters(
      AppId app, DeadLetterQuery query, int limit, String principal) {
    return getApp(app).thenCompose(known -> deadLetters.replay(app, query, limit));
  }

  @Override
  public CompletionStage<DeadLetter> resolveDeadLetter(
      AppId app, UUID id, Resolution resolution, @Nullable String note, String principal) {
    return deadLetters.resolve(app, id, resolution, note);
  }

  // ---- the node

  @Override
  public AutoCloseable subscribe(Consumer<OutcomeNotice> listener) {
    return outcomes.subscribe(listener);
  }

  @Override
  public CompletionStage<Boolean> ready() {
    return Statements.on(calls.executor(), ready::getAsBoolean);
  }

  @Override
  public void close() {
    stop.run();
  }
}
