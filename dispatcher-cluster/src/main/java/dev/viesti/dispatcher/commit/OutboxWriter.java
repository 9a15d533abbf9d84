package dev.viesti.dispatcher.commit;

import dev.viesti.persistence.SqlFailure;
import dev.viesti.persistence.deadletter.DeadLetterRepository;
import dev.viesti.persistence.outbox.ClientRowRepository;
import dev.viesti.persistence.outbox.Insert;
import dev.viesti.persistence.outbox.Inserted;
import dev.viesti.persistence.outbox.OutboxRepository;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The node's writer: one lane that accepts events of all its apps. Thread-safe. */
public final class OutboxWriter {
  private static final Logger LOG = LoggerFactory.getLogger(OutboxWriter.class);

  private final OutboxRepository outbox;
  private final DeadLetterRepository deadLetters;
  private final ClientRowMover mover;
  private final SeqBlocks seqs;
  private final GroupCommit<Write> lane;

  /**
   * @param groupBytesMax about how much goes into one transaction
   * @param queueBytesMax how much may wait for one
   */
  public OutboxWriter(
      OutboxRepository outbox,
      DeadLetterRepository deadLetters,
      ClientRowRepository clientRows,
      SeqBlocks seqs,
      long groupBytesMax,
      long queueBytesMax) {
    this.outbox = outbox;
    this.deadLetters = deadLetters;
    this.mover = new ClientRowMover(clientRows, seqs);
    this.seqs = seqs;
    var limits = new GroupCommit.Limits(groupBytesMax, queueBytesMax, Duration.ZERO);
    this.lane = new GroupCommit<>("viesti-writer", limits, OutboxWriter::bytes, this::commit);
  }

  public void start() {
    lane.start();
  }

  /**
   * @return false when too much waits: nothing was taken, and {@link Write#done} will not be called
   */
  public boolean submit(Write write) {
    return lane.submit(write);
  }

  /** Commits what waits, then ends. */
  public void close(Duration deadline) {
    lane.close(deadline);
  }

  private static long bytes(Write write) {
    return switch (write) {
      case Write.Accept accept -> accept.bytes();
      case Write.Move move -> move.bytes();
      case Write.Replay replay -> 64L * replay.deadLetters().size();
    };
  }

  /** Runs of inserts go together; others go alone, each in its place. */
  private void commit(List<Write> group) {
    List<Write.Accept> run = new ArrayList<>(group.size());
    for (Write write : group) {
      switch (write) {
        case Write.Accept accept -> run.add(accept);
        case Write.Replay replay -> {
          accept(run);
          run.clear();
          replay(replay);
        }
        case Write.Move move -> {
          accept(run);
          run.clear();
          mover.move(move);
        }
      }
    }
    accept(run);
  }

  private void accept(List<Write.Accept> run) {
    if (run.isEmpty()) {
      return;
    }
    try {
      List<Insert> inserts = run.stream().map(Write.Accept::insert).toList();
      seqs.reserve(inserts.stream().mapToInt(Insert::rows).sum());
      List<Inserted> inserted = outbox.insert(inserts, seqs::next);
      for (int i = 0; i < run.size(); i++) {
        Inserted one = inserted.get(i);
        run.get(i)
            .done()
            .accept(one.fenced() ? new Write.Result.Fenced() : new Write.Result.Accepted(one));
      }
    } catch (SQLException failed) {
      SqlFailure failure = SqlFailure.of(failed);
      if (failure == SqlFailure.REFUSED && run.size() > 1) {
        LOG.warn(
            "a group of {} inserts was refused ({}); trying them one by one",
            run.size(),
            failed.getMessage());
        run.forEach(accept -> accept(List.of(accept)));
        return;
      }
      LOG.warn(
          "{} inserts failed ({}); their callers are told to try again",
          run.size(),
          failed.getMessage());
      run.forEach(
          accept -> accept.done().accept(new Write.Result.Failed(failure, message(failed))));
    } catch (RuntimeException bug) {
      LOG.error("{} inserts failed because of a bug; their callers are told", run.size(), bug);
      var failed = new Write.Result.Failed(SqlFailure.UNKNOWN, bug.toString());
      run.forEach(accept -> accept.done().accept(failed));
    }
  }

  private void replay(Write.Replay replay) {
    try {
      int count = replay.deadLetters().size();
      seqs.reserve(count);
      List<Long> numbers = new ArrayList<>(count);
      for (int i = 0; i < count; i++) {
        numbers.add(seqs.next());
      }
      var replayed =
          deadLetters.replay(replay.app(), replay.epoch(), replay.deadLetters(), numbers);
      replay
          .done()
          .accept(
              replayed.fenced()
                  ? new Write.Result.Fenced()
                  : new Write.Result.Replayed(replayed.rows()));
    } catch (SQLException failed) {
      LOG.warn(
          "a replay of {} dead letters failed ({})",
          replay.deadLetters().size(),
          failed.getMessage());
      replay.done().accept(new Write.Result.Failed(SqlFailure.of(failed), message(failed)));
    }
  }

  static String message(SQLException failed) {
    return String.valueOf(failed.getMessage());
  }
}
