package dev.viesti.dispatcher.outbox;

import dev.viesti.dispatcher.wire.Answer;
import dev.viesti.protocol.delivery.Delivery;
import dev.viesti.protocol.delivery.DeliveryId;
import dev.viesti.protocol.delivery.Outcome;
import java.util.HashMap;
import java.util.Map;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;

/**
 * Outcomes of deferred deliveries that somebody told, and who waits to hear that they are durable.
 * Belongs to one owner; not thread-safe.
 */
final class Told {
  private final Map<DeliveryId, Long> deferring = new HashMap<>();
  private final Map<Long, Outcome> early = new HashMap<>();
  private final Map<Long, ActorRef<Answer>> waiting = new HashMap<>();

  /** The row's deferral is on its way to the table: its outcome may be told any moment. */
  void deferring(Delivery row) {
    deferring.put(row.id(), row.seq());
  }

  /** The table knows of the deferral, or never will. */
  void deferred(Delivery row) {
    deferring.remove(row.id());
  }

  /** Number of the row whose deferral is on its way to the table; null when there is none. */
  @Nullable Long deferring(DeliveryId id) {
    return deferring.get(id);
  }

  /** An outcome that was told before the table knows that the delivery is deferred. */
  void early(long seq, Outcome outcome, ActorRef<Answer> replyTo) {
    early.put(seq, outcome);
    wait(seq, replyTo);
  }

  /** Takes an outcome that was told early; null when there is none. */
  @Nullable Outcome take(long seq) {
    return early.remove(seq);
  }

  /** Answers {@code replyTo} once the row's next change is durable. */
  void wait(long seq, ActorRef<Answer> replyTo) {
    ActorRef<Answer> before = waiting.put(seq, replyTo);
    if (before != null) {
      before.tell(Answer.conflict("somebody else has told the outcome as well"));
    }
  }

  /** Whether an outcome was told that is not settled yet. */
  boolean isEarly(long seq) {
    return early.containsKey(seq);
  }

  /** The owner goes, and nobody will hear from it whether anything is durable. */
  void leave(String why) {
    waiting.values().forEach(replyTo -> replyTo.tell(Answer.unavailable(why)));
    waiting.clear();
  }

  /** A change of the row is durable, and nothing else of it was told. */
  void settled(long seq) {
    early.remove(seq);
    ActorRef<Answer> replyTo = waiting.remove(seq);
    if (replyTo != null) {
      replyTo.tell(new Answer.Done());
    }
  }
}
