package dev.viesti.dispatcher;

import dev.viesti.dispatcher.app.OutboxRequest;
import dev.viesti.dispatcher.wire.Answer;
import dev.viesti.persistence.outbox.ClientRow;
import dev.viesti.persistence.outbox.ClientRowRepository;
import dev.viesti.persistence.outbox.DeliveryRepository;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.delivery.Delivery;
import dev.viesti.protocol.delivery.DeliveryId;
import dev.viesti.protocol.trigger.TriggerId;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * Deliveries are read right here; only their owner knows which of them run, and which rows of
 * clients are deliveries: those run where they are, and the table does not say of which trigger.
 */
final class DeliveryCalls {
  private static final Duration GLANCE = Duration.ofSeconds(2);

  private final AppCalls calls;
  private final DeliveryRepository deliveries;
  private final ClientRowRepository clientRows;
  private final Clock clock;

  DeliveryCalls(
      AppCalls calls, DeliveryRepository deliveries, ClientRowRepository clientRows, Clock clock) {
    this.calls = calls;
    this.deliveries = deliveries;
    this.clientRows = clientRows;
    this.clock = clock;
  }

  /** Clients' rows come last: they have no due time before all others of them have. */
  CompletionStage<List<DeliveryView>> list(
      AppId app, @Nullable TriggerId trigger, @Nullable DeliveryPosition after, int limit) {
    return running(app)
        .thenCompose(
            running ->
                rows(app, trigger, after, limit)
                    .thenApply(rows -> rows.stream().map(row -> view(row, running)).toList()));
  }

  private CompletionStage<List<Delivery>> rows(
      AppId app, @Nullable TriggerId trigger, @Nullable DeliveryPosition after, int limit) {
    Instant due = after == null ? null : after.dueAt();
    long seq = after == null ? Long.MIN_VALUE : after.seq();
    if (Delivery.UNROUTED.equals(due)) {
      return unrouted(app, trigger, seq, limit);
    }
    return calls
        .read(() -> deliveries.list(app, trigger, due, seq, limit))
        .thenCompose(
            rows -> {
              if (rows.size() == limit) {
                return CompletableFuture.completedFuture(rows);
              }
              return unrouted(app, trigger, Long.MIN_VALUE, limit - rows.size())
                  .thenApply(
                      more -> {
                        List<Delivery> all = new ArrayList<>(rows);
                        all.addAll(more);
                        return all;
                      });
            });
  }

  private CompletionStage<List<Delivery>> unrouted(
      AppId app, @Nullable TriggerId trigger, long afterSeq, int limit) {
    return calls
        .ask(
            app,
            Answer.ClientRows.class,
            GLANCE,
            replyTo -> new OutboxRequest.ListClientRows(trigger, afterSeq, limit, replyTo))
        .exceptionally(silent -> new Answer.ClientRows(List.of(), List.of()))
        .thenCompose(known -> read(app, known));
  }

  private CompletionStage<List<Delivery>> read(AppId app, Answer.ClientRows known) {
    if (known.seqs().isEmpty()) {
      return CompletableFuture.completedFuture(List.of());
    }
    return calls
        .read(() -> clientRows.find(app, known.seqs()))
        .thenApply(rows -> rows.stream().map(row -> delivery(row, known)).toList());
  }

  private static Delivery delivery(ClientRow row, Answer.ClientRows known) {
    return row.asItIs(known.triggers().get(known.seqs().indexOf(row.seq())));
  }

  CompletionStage<DeliveryView> get(AppId app, DeliveryId id) {
    return running(app).thenCompose(running -> find(app, id).thenApply(row -> view(row, running)));
  }

  CompletionStage<Delivery> find(AppId app, DeliveryId id) {
    return calls
        .read(() -> new Found(deliveries.find(app, id)))
        .thenCompose(
            found ->
                found.row() != null
                    ? CompletableFuture.completedFuture(List.of(found.row()))
                    : findUnrouted(app, id))
        .thenApply(
            rows -> {
              if (rows.isEmpty()) {
                throw RefusedException.notFound(
                    "app '%s' has no delivery '%s' that waits or runs: it has ended, or never was"
                        .formatted(app, id));
              }
              return rows.getFirst();
            });
  }

  private record Found(@Nullable Delivery row) {}

  private CompletionStage<List<Delivery>> findUnrouted(AppId app, DeliveryId id) {
    return calls
        .ask(
            app,
            Answer.ClientRows.class,
            GLANCE,
            replyTo -> new OutboxRequest.FindClientRow(id, replyTo))
        .exceptionally(silent -> new Answer.ClientRows(List.of(), List.of()))
        .thenCompose(known -> read(app, known));
  }

  /** Numbers of the rows that run; none when the owner is too busy to say. */
  private CompletionStage<Set<Long>> running(AppId app) {
    return calls
        .ask(app, Answer.Running.class, GLANCE, OutboxRequest.AskRunning::new)
        .<Set<Long>>thenApply(running -> new HashSet<>(running.seqs()))
        .exceptionally(silent -> Set.of());
  }

  private DeliveryView view(Delivery row, Set<Long> running) {
    if (running.contains(row.seq())) {
      return new DeliveryView(row, DeliveryView.State.RUNNING);
    }
    if (row.isBlocked()) {
      return new DeliveryView(row, DeliveryView.State.BLOCKED);
    }
    Instant due = row.waitsUntil();
    return new DeliveryView(
        row,
        due != null && due.isAfter(clock.instant())
            ? DeliveryView.State.SCHEDULED
            : DeliveryView.State.WAITING);
  }
}
