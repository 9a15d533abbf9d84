package dev.viesti.dispatcher.outbox;

import dev.viesti.dispatcher.commit.Write;
import dev.viesti.dispatcher.wire.Answer;
import dev.viesti.persistence.SqlFailure;
import dev.viesti.protocol.app.AppId;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import org.apache.pekko.actor.typed.ActorRef;

/**
 * Puts dead letters back into the outbox, as their owner's own writes. Belongs to one {@link
 * Outbox} and is called on its thread only.
 */
final class Replays {
  private final OutboxParts parts;
  private final Window window;
  private final Parking parking;
  private final OutboxIntake intake;
  private final ArrayDeque<OperatorRequests.Replay> waiting = new ArrayDeque<>();
  private int underWay;

  Replays(OutboxParts parts, Window window, Parking parking, OutboxIntake intake) {
    this.parts = parts;
    this.window = window;
    this.parking = parking;
    this.intake = intake;
  }

  /** What was given up shortly before must be among the dead letters that are replayed. */
  void replay(OperatorRequests.Replay replay, long epoch) {
    if (parking.isBurying()) {
      waiting.add(replay);
    } else {
      write(replay.deadLetters(), epoch, replay.replyTo());
    }
    tellParking();
  }

  /** Something was settled: those that waited for it may go. */
  void goOn(long epoch) {
    while (!waiting.isEmpty() && !parking.isBurying()) {
      OperatorRequests.Replay next = waiting.remove();
      write(next.deadLetters(), epoch, next.replyTo());
      tellParking();
    }
  }

  void refuseWaiting(String why) {
    waiting.forEach(replay -> replay.replyTo().tell(Answer.unavailable(why)));
    waiting.clear();
    tellParking();
  }

  private void tellParking() {
    parking.replaying(underWay > 0 || !waiting.isEmpty());
  }

  private void write(List<UUID> deadLetters, long epoch, ActorRef<Answer> replyTo) {
    AppId app = parts.app();
    PostBox posts = parts.posts();
    underWay++;
    var write = new InFlight.Sent(epoch, result -> written(result, replyTo));
    intake.submit(
        write,
        new Write.Replay(
            app,
            epoch,
            deadLetters,
            parking.triggers(),
            result -> posts.post(new Outbox.Written(write, result))),
        () -> {
          underWay--;
          replyTo.tell(Answer.unavailable(OutboxIntake.TOO_MUCH));
        });
  }

  private InFlight.After written(Write.Result result, ActorRef<Answer> replyTo) {
    underWay--;
    tellParking();
    return switch (result) {
      case Write.Result.Replayed(var replayed, var lastSeq) -> {
        intake.grew(replayed.rows());
        window.table().wrote(lastSeq, false);
        window.table().unsure(); // they are only in the table: read them like what did not fit
        if (replayed.oldestSeq() != null) {
          window.table().rewind(replayed.oldestSeq());
        }
        parking.replayed(replayed.keys());
        replyTo.tell(new Answer.Replayed(replayed.rows()));
        yield InFlight.After.NOTHING;
      }
      case Write.Result.Accepted accepted ->
          throw new IllegalStateException("a replay was answered as an insert");
      case Write.Result.Moved moved ->
          throw new IllegalStateException("a replay was answered as a move");
      case Write.Result.Fenced fenced -> {
        replyTo.tell(Answer.unavailable(Outbox.MOVING));
        yield InFlight.After.RENEW;
      }
      case Write.Result.Failed(var failure, var detail) -> {
        replyTo.tell(Answer.unavailable("the database is not available: " + detail));
        if (failure == SqlFailure.UNKNOWN) {
          window.table().rewind(0); // they may be back in their old places
          parking.replayed(Set.of());
        }
        yield intake.doubt(failure);
      }
    };
  }
}
