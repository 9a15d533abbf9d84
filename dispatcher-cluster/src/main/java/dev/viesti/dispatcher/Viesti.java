package dev.viesti.dispatcher;

import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.app.AppSettings;
import dev.viesti.protocol.deadletter.DeadLetter;
import dev.viesti.protocol.deadletter.Resolution;
import dev.viesti.protocol.delivery.DeliveryId;
import dev.viesti.protocol.event.Event;
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

  /** All triggers of the app, by id; an app has at most {@code viesti.node.triggers-max}. */
  CompletionStage<List<TriggerView>> listTriggers(AppId app);

  /** Removes a trigger; what it has waiting is dead-lettered when its turn comes. */
  CompletionStage<Void> deleteTrigger(AppId app, TriggerId id, String principal);

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
