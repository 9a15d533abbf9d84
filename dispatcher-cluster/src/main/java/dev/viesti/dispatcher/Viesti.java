package dev.viesti.dispatcher;

import dev.viesti.dispatcher.plugin.PluginMetrics;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.app.AppSettings;
import dev.viesti.protocol.deadletter.DeadLetter;
import dev.viesti.protocol.deadletter.Resolution;
import dev.viesti.protocol.delivery.DeliveryId;
import dev.viesti.protocol.event.Event;
import dev.viesti.protocol.event.Payload;
import dev.viesti.protocol.plugin.PluginId;
import dev.viesti.protocol.trigger.Trigger;
import dev.viesti.protocol.trigger.TriggerId;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A running Viesti node, seen from inside its JVM. Thread-safe; nothing here blocks.
 *
 * <p>Every stage fails with {@link RefusedException} when Viesti will not do what was asked
 * (unknown app, database away, over a limit …): the refusal says which, and nothing has been
 * changed. A refusal {@link Refusal.Unavailable} of {@link #publish} leaves open whether the events
 * were kept; repeat it with the same event ids to be sure. Any other failure is a bug.
 *
 * <p>{@code principal} is who asks; changes of apps and triggers carry it into the journal. {@code
 * expectedRevision} makes a change conditional: null means "whatever is there", 0 means "only if
 * there is none".
 */
public interface Viesti extends AutoCloseable {
  /** Creates the app or replaces its settings. */
  CompletionStage<AppView> putApp(
      AppId app, AppSettings settings, @Nullable Long expectedRevision, String principal);

  CompletionStage<AppView> getApp(AppId app);

  /** Apps by id, after {@code after}; may miss an app for an instant after its creation. */
  CompletionStage<List<AppSummary>> listApps(@Nullable AppId after, int limit);

  /**
   * Removes the app with its triggers and dead letters.
   *
   * @param cancelDeliveries when false, an app with deliveries that wait or run is refused with
   *     {@link Refusal.Conflict}; when true they are cancelled
   */
  CompletionStage<Void> deleteApp(AppId app, boolean cancelDeliveries, String principal);

  /**
   * Registers or replaces a trigger. A webhook without a secret keeps the one it had, or gets a new
   * one; the answer shows it.
   */
  CompletionStage<TriggerView> putTrigger(
      AppId app, TriggerId id, Trigger trigger, @Nullable Long expectedRevision, String principal);

  CompletionStage<TriggerView> getTrigger(AppId app, TriggerId id);

  /**
   * All registered triggers of the app, by id, without those that its plugins bring along; an app
   * has at most {@code viesti.node.triggers-max}.
   */
  CompletionStage<List<TriggerView>> listTriggers(AppId app);

  /** Removes a trigger; what it has waiting is dead-lettered when its turn comes. */
  CompletionStage<Void> deleteTrigger(AppId app, TriggerId id, String principal);

  // ---- plugins

  /**
   * Installs a plugin or upgrades it; completes when the new version has been initialized and has
   * taken over. Refused with {@link Refusal.Malformed} when manifest or configuration are not
   * valid, with {@link Refusal.Invalid} when the module is not, with {@link Refusal.CallFailed}
   * when {@code init} failed: then the version before runs on. After {@link Refusal.Unavailable} it
   * may still take over. What is installed already is not installed again.
   */
  CompletionStage<PluginView> putPlugin(
      AppId app,
      PluginId id,
      PluginUpload upload,
      @Nullable Long expectedRevision,
      String principal);

  CompletionStage<PluginView> getPlugin(AppId app, PluginId id);

  /** All plugins of the app, by id; an app has at most {@code viesti.plugin.plugins-max}. */
  CompletionStage<List<PluginSummary>> listPlugins(AppId app);

  /** Lets it run again; also ends a quarantine before its time. */
  CompletionStage<PluginView> enablePlugin(AppId app, PluginId id, String principal);

  /** Nothing of it runs from now on, and its own trigger matches nothing; what waits stays. */
  CompletionStage<PluginView> disablePlugin(AppId app, PluginId id, String principal);

  /** Lets the version before take over again, with its configuration, without {@code init}. */
  CompletionStage<PluginView> rollbackPlugin(AppId app, PluginId id, String principal);

  /**
   * Replaces the configuration; calls that begin later see it.
   *
   * @param config a JSON object as text; null takes it away
   */
  CompletionStage<PluginView> configurePlugin(
      AppId app,
      PluginId id,
      @Nullable String config,
      @Nullable Long expectedRevision,
      String principal);

  /**
   * Uninstalls a plugin; what its own trigger has waiting is dead-lettered when its turn comes.
   * Refused with {@link Refusal.Conflict} while other triggers run it.
   *
   * @param purge whether its entities and numbers are forgotten: also of one that was uninstalled
   *     before. Values stay, they are the app's
   */
  CompletionStage<Void> deletePlugin(AppId app, PluginId id, boolean purge, String principal);

  /** Has the app's owner make an instance of the current version, and throw it away. */
  CompletionStage<PluginHealth> pluginHealth(AppId app, PluginId id);

  /** What became of its calls since the app came to the node where it is now. */
  CompletionStage<PluginMetrics> pluginMetrics(AppId app, PluginId id);

  /**
   * Runs the plugin of a trigger now, without a delivery, and answers what its function returns;
   * its effects are durable then. Fails with {@link Refusal.CallFailed} when it has had none. After
   * {@link Refusal.Unavailable} it may have had them.
   *
   * @param payload at most 256 KiB
   */
  CompletionStage<Payload> invoke(AppId app, TriggerId trigger, Payload payload, String principal);

  // ---- values

  CompletionStage<KvValue> getValue(AppId app, String collection, String key);

  /**
   * Puts a value that the app's plugins can read.
   *
   * @param value at most 1 MiB
   * @param expectedVersion of the value that it replaces, 0: of none; null: whatever is there
   * @return its version
   */
  CompletionStage<Long> putValue(
      AppId app, String collection, String key, Payload value, @Nullable Long expectedVersion);

  CompletionStage<Void> deleteValue(
      AppId app, String collection, String key, @Nullable Long expectedVersion);

  /**
   * Keys that begin with {@code prefix}, in the order of their UTF-8 bytes.
   *
   * @param after the last key of the page before
   * @param limit 1 to 1,000
   */
  CompletionStage<List<KvKey>> listValues(
      AppId app, String collection, String prefix, @Nullable String after, int limit);

  // ---- events

  /**
   * Accepts events: when the stage completes, every match is durable. Answers one receipt per
   * event, in order. Calls of one thread that do not wait for each other are accepted in their
   * order while the app's owner stays where it is; not where it is just starting or moving. What is
   * chained to the stage runs on a virtual thread and may block.
   */
  CompletionStage<List<Receipt>> publish(AppId app, List<Event> events);

  /** Deliveries that wait or run, in the order in which they become due. */
  CompletionStage<List<DeliveryView>> listDeliveries(
      AppId app, @Nullable TriggerId trigger, @Nullable DeliveryPosition after, int limit);

  /**
   * One delivery that waits or runs. It is looked up by scanning the app's outbox: meant for
   * people, not for polling.
   */
  CompletionStage<DeliveryView> getDelivery(AppId app, DeliveryId id);

  /** Makes a waiting delivery due now. Refused with {@link Refusal.Conflict} while it runs. */
  CompletionStage<DeliveryView> retryDelivery(AppId app, DeliveryId id, String principal);

  /** Removes a delivery; one that runs is interrupted, and its effects outside are not undone. */
  CompletionStage<Void> cancelDelivery(AppId app, DeliveryId id, String principal);

  /**
   * Tells the outcome of a delivery whose target answered that it is deferred; completes once that
   * is durable. May come before the target has answered, on the node that runs it. Refused with
   * {@link Refusal.NotFound} when no such delivery is deferred (it was told before, or its deadline
   * is over), and with {@link Refusal.Conflict} while another outcome is being settled.
   */
  CompletionStage<Void> completeDelivery(
      AppId app, DeliveryId id, Completion completion, String principal);

  /**
   * Dead letters, newest first.
   *
   * @param after the id of the last one of the page before
   */
  CompletionStage<List<DeadLetter>> listDeadLetters(
      AppId app, DeadLetterQuery query, @Nullable UUID after, int limit);

  CompletionStage<DeadLetter> getDeadLetter(AppId app, UUID id);

  /** How many fit; counts at most 100,000. */
  CompletionStage<Long> countDeadLetters(AppId app, DeadLetterQuery query);

  /**
   * Puts an unresolved dead letter back into the outbox as a fresh delivery and resolves it as
   * {@link Resolution#REPLAYED}. Refused with {@link Refusal.Conflict} when it is resolved already.
   */
  CompletionStage<DeliveryId> replayDeadLetter(AppId app, UUID id, String principal);

  /** Replays unresolved dead letters that fit, oldest first, and answers how many it were. */
  CompletionStage<Integer> replayDeadLetters(
      AppId app, DeadLetterQuery query, int limit, String principal);

  /**
   * Marks a dead letter as dealt with. Refused with {@link Refusal.Conflict} when it is already.
   */
  CompletionStage<DeadLetter> resolveDeadLetter(
      AppId app, UUID id, Resolution resolution, @Nullable String note, String principal);

  /**
   * Calls {@code listener} after each attempt that ends on any node, once its outcome is durable.
   * For showing, not for counting: notices are dropped rather than queued when a listener or a node
   * is slow. The listener must not block.
   *
   * @return closes the subscription
   */
  AutoCloseable subscribe(Consumer<OutcomeNotice> listener);

  /** Whether this node can accept and settle: a member of the cluster, with its database there. */
  CompletionStage<Boolean> ready();

  /** Stops taking work, lets running executions end, settles, leaves the cluster. Waits for it. */
  @Override
  void close();
}
