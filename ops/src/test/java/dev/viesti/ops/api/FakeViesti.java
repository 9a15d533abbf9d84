package dev.viesti.ops.api;

import dev.viesti.dispatcher.AppSummary;
import dev.viesti.dispatcher.AppView;
import dev.viesti.dispatcher.Completion;
import dev.viesti.dispatcher.DeadLetterQuery;
import dev.viesti.dispatcher.DeliveryPosition;
import dev.viesti.dispatcher.DeliveryView;
import dev.viesti.dispatcher.OutcomeNotice;
import dev.viesti.dispatcher.Receipt;
import dev.viesti.dispatcher.Refusal;
import dev.viesti.dispatcher.RefusedException;
import dev.viesti.dispatcher.TriggerView;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.app.AppSettings;
import dev.viesti.protocol.deadletter.DeadLetter;
import dev.viesti.protocol.deadletter.Resolution;
import dev.viesti.protocol.delivery.Delivery;
import dev.viesti.protocol.delivery.DeliveryId;
import dev.viesti.protocol.event.Event;
import dev.viesti.protocol.event.Payload;
import dev.viesti.protocol.trigger.Trigger;
import dev.viesti.protocol.trigger.TriggerId;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Apps and triggers in memory; deliveries and dead letters as a test puts them there. With {@code
 * failure} everything fails, with {@code silent} publishing never answers.
 */
public final class FakeViesti extends FakePluginDoor {
  public static final Instant THEN = Instant.parse("2026-01-02T03:04:05.678901Z");

  public final List<Event> published = new CopyOnWriteArrayList<>();
  public final List<DeliveryView> deliveries = new CopyOnWriteArrayList<>();
  public final List<DeadLetter> deadLetters = new CopyOnWriteArrayList<>();
  public final List<Consumer<OutcomeNotice>> listeners = new CopyOnWriteArrayList<>();
  public volatile boolean silent;

  private final Map<AppId, AppView> apps = new ConcurrentSkipListMap<>();
  private final Map<String, TriggerView> triggers = new ConcurrentSkipListMap<>();

  public DeliveryView delivery(TriggerId trigger, long seq, @Nullable Instant dueAt) {
    Event event =
        Event.of(new UUID(7, seq), "shop", "order.paid", "o/1", Payload.ofJson("{\"n\":1.50}"));
    Delivery row =
        new Delivery(
            dueAt, seq, event, trigger, "o/1", 1, THEN, THEN, "refused", "[{\"n\":1}]", null);
    DeliveryView view =
        new DeliveryView(
            row, dueAt == null ? DeliveryView.State.WAITING : DeliveryView.State.SCHEDULED);
    deliveries.add(view);
    return view;
  }

  public DeadLetter deadLetter(TriggerId trigger, long number) {
    Delivery row = delivery(trigger, number, null).delivery();
    deliveries.removeLast();
    DeadLetter letter =
        new DeadLetter(
            new UUID(9, number),
            row.id(),
            row.event(),
            trigger,
            null,
            20,
            THEN,
            THEN,
            THEN,
            "HTTP 500",
            null,
            THEN,
            null,
            null,
            null);
    deadLetters.add(letter);
    return letter;
  }

  public OutcomeNotice notice(String app, int attempt) {
    return new OutcomeNotice(
        new AppId(app),
        new TriggerId("t"),
        new DeliveryId(new UUID(1, 2)),
        "e-1",
        "order.paid",
        attempt,
        "succeeded",
        "settled",
        null,
        null,
        THEN,
        THEN);
  }

  @Override
  public CompletionStage<AppView> putApp(
      AppId app, AppSettings settings, @Nullable Long expected, String principal) {
    return does(
        () -> {
          lastPrincipal.set(principal);
          AppView before = apps.get(app);
          long revision = before == null ? 0 : before.revision();
          require(expected, revision);
          AppView after =
              new AppView(
                  app, settings, revision + 1, before == null ? THEN : before.createdAt(), THEN);
          apps.put(app, after);
          return after;
        });
  }

  @Override
  public CompletionStage<AppView> getApp(AppId app) {
    return does(() -> existing(app));
  }

  @Override
  public CompletionStage<List<AppSummary>> listApps(@Nullable AppId after, int limit) {
    return does(
        () ->
            apps.values().stream()
                .filter(app -> after == null || app.id().compareTo(after) > 0)
                .limit(limit)
                .map(
                    app ->
                        new AppSummary(
                            app.id(),
                            app.settings().displayName(),
                            app.settings().paused(),
                            app.createdAt(),
                            app.updatedAt()))
                .toList());
  }

  @Override
  public CompletionStage<Void> deleteApp(AppId app, boolean cancelDeliveries, String principal) {
    return does(
        () -> {
          existing(app);
          if (!deliveries.isEmpty() && !cancelDeliveries) {
            throw new RefusedException(new Refusal.Conflict("the app has deliveries"));
          }
          apps.remove(app);
          return nothing();
        });
  }

  @Override
  public CompletionStage<TriggerView> putTrigger(
      AppId app, TriggerId id, Trigger trigger, @Nullable Long expected, String principal) {
    return does(
        () -> {
          existing(app);
          TriggerView before = triggers.get(app + "/" + id);
          long revision = before == null ? 0 : before.revision();
          require(expected, revision);
          TriggerView after = new TriggerView(id, trigger, revision + 1, THEN, THEN, null);
          triggers.put(app + "/" + id, after);
          return after;
        });
  }

  @Override
  public CompletionStage<TriggerView> getTrigger(AppId app, TriggerId id) {
    return does(() -> existing(app, id));
  }

  @Override
  public CompletionStage<List<TriggerView>> listTriggers(AppId app) {
    return does(
        () -> {
          existing(app);
          return triggers.entrySet().stream()
              .filter(entry -> entry.getKey().startsWith(app + "/"))
              .map(Map.Entry::getValue)
              .sorted(Comparator.comparing(TriggerView::id))
              .toList();
        });
  }

  @Override
  public CompletionStage<Void> deleteTrigger(AppId app, TriggerId id, String principal) {
    return does(
        () -> {
          existing(app, id);
          triggers.remove(app + "/" + id);
          return nothing();
        });
  }

  @Override
  public CompletionStage<List<Receipt>> publish(AppId app, List<Event> events) {
    if (silent) {
      return new CompletableFuture<>();
    }
    return does(
        () -> {
          existing(app);
          published.addAll(events);
          return events.stream()
              .map(event -> new Receipt(event.cloudEventId(), triggers.size(), false))
              .toList();
        });
  }

  @Override
  public CompletionStage<List<DeliveryView>> listDeliveries(
      AppId app, @Nullable TriggerId trigger, @Nullable DeliveryPosition after, int limit) {
    return does(
        () ->
            deliveries.stream()
                .filter(view -> trigger == null || view.delivery().trigger().equals(trigger))
                .filter(view -> after == null || isAfter(view.delivery(), after))
                .limit(limit)
                .toList());
  }

  private static boolean isAfter(Delivery row, DeliveryPosition after) {
    Instant due = Objects.requireNonNullElse(row.dueAt(), Instant.MIN);
    Instant last = Objects.requireNonNullElse(after.dueAt(), Instant.MIN);
    return due.isAfter(last) || (due.equals(last) && row.seq() > after.seq());
  }

  @Override
  public CompletionStage<DeliveryView> getDelivery(AppId app, DeliveryId id) {
    return does(() -> existing(id));
  }

  @Override
  public CompletionStage<DeliveryView> retryDelivery(AppId app, DeliveryId id, String principal) {
    return does(() -> existing(id));
  }

  @Override
  public CompletionStage<Void> cancelDelivery(AppId app, DeliveryId id, String principal) {
    return does(
        () -> {
          deliveries.remove(existing(id));
          return nothing();
        });
  }

  @Override
  public CompletionStage<Void> completeDelivery(
      AppId app, DeliveryId id, Completion completion, String principal) {
    return does(
        () -> {
          deliveries.remove(existing(id));
          return nothing();
        });
  }

  @Override
  public CompletionStage<List<DeadLetter>> listDeadLetters(
      AppId app, DeadLetterQuery query, @Nullable UUID after, int limit) {
    return does(() -> fitting(query, after).stream().limit(limit).toList());
  }

  private List<DeadLetter> fitting(DeadLetterQuery query, @Nullable UUID after) {
    return deadLetters.stream()
        .filter(letter -> query.trigger() == null || letter.trigger().equals(query.trigger()))
        .filter(
            letter -> query.resolved() == null || query.resolved() == (letter.resolvedAt() != null))
        .filter(letter -> after == null || letter.id().compareTo(after) < 0)
        .sorted(Comparator.comparing(DeadLetter::id).reversed())
        .toList();
  }

  @Override
  public CompletionStage<DeadLetter> getDeadLetter(AppId app, UUID id) {
    return does(() -> existing(id));
  }

  @Override
  public CompletionStage<Long> countDeadLetters(AppId app, DeadLetterQuery query) {
    return does(() -> (long) fitting(query, null).size());
  }

  @Override
  public CompletionStage<DeliveryId> replayDeadLetter(AppId app, UUID id, String principal) {
    return resolveDeadLetter(app, id, Resolution.REPLAYED, null, principal)
        .thenApply(DeadLetter::delivery);
  }

  @Override
  public CompletionStage<Integer> replayDeadLetters(
      AppId app, DeadLetterQuery query, int limit, String principal) {
    return does(() -> Math.min(limit, fitting(query, null).size()));
  }

  @Override
  public CompletionStage<DeadLetter> resolveDeadLetter(
      AppId app, UUID id, Resolution resolution, @Nullable String note, String principal) {
    return does(
        () -> {
          DeadLetter old = existing(id);
          if (old.resolvedAt() != null) {
            throw new RefusedException(new Refusal.Conflict("it is resolved already"));
          }
          DeadLetter resolved =
              new DeadLetter(
                  old.id(),
                  old.delivery(),
                  old.event(),
                  old.trigger(),
                  old.orderingKey(),
                  old.attempts(),
                  old.acceptedAt(),
                  old.firstAttemptAt(),
                  old.lastAttemptAt(),
                  old.lastError(),
                  old.attemptLog(),
                  old.createdAt(),
                  THEN,
                  resolution,
                  note);
          deadLetters.set(deadLetters.indexOf(old), resolved);
          return resolved;
        });
  }

  @Override
  public AutoCloseable subscribe(Consumer<OutcomeNotice> listener) {
    listeners.add(listener);
    return () -> listeners.remove(listener);
  }

  public void tell(OutcomeNotice notice) {
    new ArrayList<>(listeners).forEach(listener -> listener.accept(notice));
  }

  @Override
  public CompletionStage<Boolean> ready() {
    return does(() -> true);
  }

  @Override
  public void close() {}

  @Override
  AppView existing(AppId app) {
    AppView view = apps.get(app);
    if (view == null) {
      throw new RefusedException(new Refusal.NotFound("there is no app " + app));
    }
    return view;
  }

  private TriggerView existing(AppId app, TriggerId id) {
    existing(app);
    return Optional.ofNullable(triggers.get(app + "/" + id))
        .orElseThrow(() -> new RefusedException(new Refusal.NotFound("there is no trigger " + id)));
  }

  private DeliveryView existing(DeliveryId id) {
    return deliveries.stream()
        .filter(view -> view.delivery().id().equals(id))
        .findFirst()
        .orElseThrow(() -> new RefusedException(new Refusal.NotFound("no such delivery")));
  }

  private DeadLetter existing(UUID id) {
    return deadLetters.stream()
        .filter(letter -> letter.id().equals(id))
        .findFirst()
        .orElseThrow(() -> new RefusedException(new Refusal.NotFound("no such dead letter")));
  }
}
