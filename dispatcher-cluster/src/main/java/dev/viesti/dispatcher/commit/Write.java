package dev.viesti.dispatcher.commit;

import dev.viesti.persistence.SqlFailure;
import dev.viesti.persistence.deadletter.DeadLetterRepository;
import dev.viesti.persistence.outbox.ClientRow;
import dev.viesti.persistence.outbox.ClientRowRepository;
import dev.viesti.persistence.outbox.Insert;
import dev.viesti.persistence.outbox.Inserted;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.delivery.Delivery;
import dev.viesti.protocol.trigger.TriggerId;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** What an owner wants inserted. All kinds take their row numbers in the order of submission. */
public sealed interface Write {
  /** Row numbers that it needs. */
  int rows();

  /** Called once, on the lane's thread. */
  Consumer<Result> done();

  /**
   * @param bytes what the events weigh in memory
   * @param durable called before {@code done} when it is, and before any other's of the same
   *     commit: callers hear first, for they may have more to bring
   */
  record Accept(Insert insert, long bytes, Consumer<Inserted> durable, Consumer<Result> done)
      implements Write {
    @Override
    public int rows() {
      return insert.rows();
    }
  }

  /**
   * Dead letters back into the outbox.
   *
   * @param parking triggers of which a key is put back as a whole
   */
  record Replay(
      AppId app, long epoch, List<UUID> deadLetters, Set<TriggerId> parking, Consumer<Result> done)
      implements Write {
    @Override
    public int rows() {
      return deadLetters.size();
    }
  }

  /**
   * A client's row, and what is to stand in its place.
   *
   * @param dueAt when those rows are due; null means at once
   */
  record Moving(ClientRow row, List<Insert.Route> routes, @Nullable Instant dueAt) {}

  /** Clients' rows to be replaced by rows of the owner's own. */
  record Move(AppId app, long epoch, List<Moving> moves, long bytes, Consumer<Result> done)
      implements Write {
    /** Most rows of one move. */
    public static final int ROWS_MAX = ClientRowRepository.MOVES_MAX;

    @Override
    public int rows() {
      return moves.stream().mapToInt(moving -> moving.routes().size()).sum();
    }
  }

  /** What became of a write. */
  sealed interface Result {
    /** An {@link Accept} is durable, or was fenced. */
    record Accepted(Inserted inserted) implements Result {}

    /**
     * A {@link Replay} is durable.
     *
     * @param lastSeq the fresh numbers among its rows are not larger
     */
    record Replayed(DeadLetterRepository.Replayed replayed, long lastSeq) implements Result {}

    /** A {@link Move} is durable: these are the new rows. */
    record Moved(List<Delivery> rows) implements Result {}

    /** The epoch was not the owner's any more; nothing was written. */
    record Fenced() implements Result {}

    /** It failed; only with {@link SqlFailure#UNKNOWN} may the rows be there all the same. */
    record Failed(SqlFailure failure, String detail) implements Result {}
  }
}
