package dev.viesti.dispatcher.app;

import dev.viesti.dispatcher.Completion;
import dev.viesti.dispatcher.outbox.OperatorRequests;
import dev.viesti.dispatcher.wire.Answer;
import dev.viesti.dispatcher.wire.Wire;
import dev.viesti.protocol.delivery.Delivery;
import dev.viesti.protocol.delivery.DeliveryId;
import dev.viesti.protocol.trigger.TriggerId;
import java.util.List;
import java.util.UUID;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;

/** What an app passes on to its outbox, which answers. */
public sealed interface OutboxRequest extends App.Command, Wire {
  /** Who is to be answered. */
  ActorRef<Answer> replyTo();

  record AskRunning(ActorRef<Answer> replyTo) implements OutboxRequest {}

  /** Which rows of clients are deliveries already, though the table does not say so. */
  record ListClientRows(
      @Nullable TriggerId trigger, long afterSeq, int limit, ActorRef<Answer> replyTo)
      implements OutboxRequest {}

  record FindClientRow(DeliveryId id, ActorRef<Answer> replyTo) implements OutboxRequest {}

  record RetryDelivery(Delivery row, ActorRef<Answer> replyTo) implements OutboxRequest {}

  record CancelDelivery(Delivery row, ActorRef<Answer> replyTo) implements OutboxRequest {}

  /** Tells the outcome of a deferred delivery. */
  record CompleteDelivery(DeliveryId id, Completion completion, ActorRef<Answer> replyTo)
      implements OutboxRequest {}

  record Replay(List<UUID> deadLetters, ActorRef<Answer> replyTo) implements OutboxRequest {}

  /** The same as the outbox understands it. */
  default OperatorRequests.Request inside() {
    return switch (this) {
      case AskRunning(var replyTo) -> new OperatorRequests.AskRunning(replyTo);
      case ListClientRows(var trigger, var afterSeq, var limit, var replyTo) ->
          new OperatorRequests.ListClientRows(trigger, afterSeq, limit, replyTo);
      case FindClientRow(var id, var replyTo) -> new OperatorRequests.FindClientRow(id, replyTo);
      case RetryDelivery(var row, var replyTo) -> new OperatorRequests.RetryNow(row, replyTo);
      case CancelDelivery(var row, var replyTo) -> new OperatorRequests.Cancel(row, replyTo);
      case CompleteDelivery(var id, var completion, var replyTo) ->
          new OperatorRequests.Complete(id, completion.outcome(), replyTo);
      case Replay(var ids, var replyTo) -> new OperatorRequests.Replay(ids, replyTo);
    };
  }
}
