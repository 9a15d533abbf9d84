package dev.viesti.dispatcher.commit;

import dev.viesti.persistence.SqlFailure;
import dev.viesti.persistence.deadletter.DeadLetterRepository;
import dev.viesti.persistence.outbox.ClientRowRepository;
import dev.viesti.persistence.outbox.Inserted;
import dev.viesti.persistence.outbox.OutboxRepository;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The node's writer: accepts events of all its apps. Rows are numbered in the order of submission,
 * whichever lane writes them; results of one owner's writes may come in another order. Thread-safe.
 */
public final class OutboxWriter {
  private static final Logger LOG = LoggerFactory.getLogger(OutboxWriter.class);

  /** One commit flushes while the next one is executed; a third only waits for the others. */
  private static final int LANES = 2;

  /**
   * About 100 small events: fewer are no reason for a commit beside the one under way. With a third
   * of it, 256 callers of one event each got a tenth less done.
   */
  private static final long SECOND_LANE_BYTES = 48 << 10;

  /** A write and the numbers of its rows. */
  private record Numbered(Write write, List<Long> seqs) {}

  /** What goes into one transaction, or why it cannot. */
  private sealed interface Group {
    record Ready(List<Numbered> writes) implements Group {}

    record Unnumbered(List<Write> writes, SQLException why) implements Group {}
  }

  private final OutboxRepository outbox;
  private final DeadLetterRepository deadLetters;
  private final ClientRowMover mover;
  private final SeqBlocks seqs;
  private final GroupCommit<Write, Group> lanes;

  /**
   * @param groupBytesMax about how much goes into one transaction
   * @param queueBytesMax how much may wait for one
   * @param gather how long a small transaction waits for callers of the one before
   */
  public OutboxWriter(
      OutboxRepository outbox,
      DeadLetterRepository deadLetters,
      ClientRowRepository clientRows,
      SeqBlocks seqs,
      long groupBytesMax,
      long queueBytesMax,
      Duration gather) {
    this.outbox = outbox;
    this.deadLetters = deadLetters;
    this.mover = new ClientRowMover(clientRows);
    this.seqs = seqs;
    var limits =
        new GroupCommit.Limits(
            groupBytesMax, queueBytesMax, Duration.ZERO, gather, LANES, SECOND_LANE_BYTES);
    this.lanes =
        new GroupCommit<>(
            "viesti-writer",
            limits,
            OutboxWriter::bytes,
            new GroupCommit.Work<Write, Group>() {
              @Override
              public Group take(List<Write> items) {
                return number(items);
              }

              @Override
              public void commit(Group group) {
                OutboxWriter.this.commit(group);
              }
            });
  }

  public void start() {
    lanes.start();
  }

  /**
   * @return false when too much waits: nothing was taken, and {@link Write#done} will not be called
   */
  public boolean submit(Write write) {
    return lanes.submit(write);
  }

  /** Commits what waits, then ends. */
  public void close(Duration deadline) {
    lanes.close(deadline);
  }

  private static long bytes(Write write) {
    return switch (write) {
      case Write.Accept accept -> accept.bytes();
      case Write.Move move -> move.bytes();
      case Write.Replay replay -> 64L * replay.deadLetters().size();
    };
  }

  private Group number(List<Write> writes) {
    int rows = 0;
    for (Write write : writes) {
      rows += write.rows();
    }
    try {
      LongSupplier numbers = seqs.take(rows);
      List<Numbered> numbered = new ArrayList<>(writes.size());
      for (Write write : writes) {
        List<Long> own = new ArrayList<>(write.rows());
        for (int row = 0; row < write.rows(); row++) {
          own.add(numbers.getAsLong());
        }
        numbered.add(new Numbered(write, own));
      }
      return new Group.Ready(numbered);
    } catch (SQLException away) {
      return new Group.Unnumbered(writes, away);
    }
  }

  /** Runs of inserts go together; others go alone, each in its place. */
  private void commit(Group group) {
    switch (group) {
      case Group.Unnumbered(var writes, var why) -> {
        LOG.warn("{} writes got no row numbers ({})", writes.size(), why.getMessage());
        // nothing was sent: whatever broke, nothing is in doubt
        var failed = new Write.Result.Failed(SqlFailure.NOT_NOW, message(why));
        writes.forEach(write -> write.done().accept(failed));
      }
      case Group.Ready(var writes) -> {
        List<Numbered> run = new ArrayList<>(writes.size());
        for (Numbered numbered : writes) {
          switch (numbered.write()) {
            case Write.Accept accept -> run.add(numbered);
            case Write.Replay replay -> {
              accept(run);
              run.clear();
              replay(replay, numbered.seqs());
            }
            case Write.Move move -> {
              accept(run);
              run.clear();
              mover.move(move, numbered.seqs());
            }
          }
        }
        accept(run);
      }
    }
  }

  private void accept(List<Numbered> run) {
    if (run.isEmpty()) {
      return;
    }
    List<Write.Accept> accepts = run.stream().map(one -> (Write.Accept) one.write()).toList();
    try {
      Iterator<Long> numbers = run.stream().flatMap(one -> one.seqs().stream()).iterator();
      List<Inserted> inserted =
          outbox.insert(accepts.stream().map(Write.Accept::insert).toList(), numbers::next);
      for (int i = 0; i < accepts.size(); i++) {
        if (!inserted.get(i).fenced()) {
          accepts.get(i).durable().accept(inserted.get(i));
        }
      }
      for (int i = 0; i < accepts.size(); i++) {
        Inserted one = inserted.get(i);
        accepts
            .get(i)
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
        run.forEach(one -> accept(List.of(one)));
        return;
      }
      LOG.warn(
          "{} inserts failed ({}); their callers are told to try again",
          run.size(),
          failed.getMessage());
      accepts.forEach(
          accept -> accept.done().accept(new Write.Result.Failed(failure, message(failed))));
    } catch (RuntimeException bug) {
      LOG.error("{} inserts failed because of a bug; their callers are told", run.size(), bug);
      var failed = new Write.Result.Failed(SqlFailure.UNKNOWN, bug.toString());
      accepts.forEach(accept -> accept.done().accept(failed));
    }
  }

  private void replay(Write.Replay replay, List<Long> numbers) {
    try {
      var replayed =
          deadLetters.replay(
              replay.app(), replay.epoch(), replay.deadLetters(), numbers, replay.parking());
      replay
          .done()
          .accept(
              replayed.fenced()
                  ? new Write.Result.Fenced()
                  : new Write.Result.Replayed(replayed, numbers.getLast()));
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
