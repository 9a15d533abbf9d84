package dev.viesti.dispatcher.commit;

import dev.viesti.persistence.SqlFailure;
import dev.viesti.persistence.outbox.OutboxRepository;
import dev.viesti.persistence.outbox.RowChange;
import dev.viesti.persistence.outbox.Settled;
import dev.viesti.persistence.outbox.Settling;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The node's settler: one lane that makes outcomes durable. It never gives up on a change while the
 * database is away; the owners' windows bound what can wait. Thread-safe.
 */
public final class Settler {
  private static final Logger LOG = LoggerFactory.getLogger(Settler.class);

  /** A restart of PostgreSQL takes seconds; asking more often would not end it sooner. */
  private static final Duration AGAIN_FIRST = Duration.ofMillis(50);

  private static final Duration AGAIN_MAX = Duration.ofSeconds(2);

  /** Owners whose changes go into one transaction: each costs a share lock and 56 bytes of WAL. */
  private static final int OWNERS_MAX = 1_000;

  /** Rows settled in one transaction: enough for the cost of a commit to vanish. */
  private static final int CHANGES_MAX = 5_000;

  private record Taken(SettleQueue queue, List<RowChange> changes) {}

  private final OutboxRepository outbox;
  private final GroupCommit<SettleQueue, List<SettleQueue>> lane;

  /** Pause after the next "not now". The lane's own. */
  private Duration notNow = AGAIN_FIRST;

  /**
   * @param pause least time between the starts of two commits
   */
  public Settler(OutboxRepository outbox, Duration pause) {
    this.outbox = outbox;
    var limits =
        new GroupCommit.Limits(OWNERS_MAX, Long.MAX_VALUE, pause, Duration.ZERO, 1, Long.MAX_VALUE);
    this.lane =
        new GroupCommit<>(
            "viesti-settler",
            limits,
            queue -> 1,
            new GroupCommit.Work<SettleQueue, List<SettleQueue>>() {
              @Override
              public List<SettleQueue> take(List<SettleQueue> queues) {
                return queues;
              }

              @Override
              public void commit(List<SettleQueue> queues) {
                Settler.this.commit(queues);
              }
            });
  }

  public void start() {
    lane.start();
  }

  /** Takes the change; {@link SettleQueue.Result} comes when it is durable. */
  public void settle(SettleQueue queue, RowChange change) {
    if (queue.add(change)) {
      lane.submit(queue);
    }
  }

  /** Commits what waits, then ends. */
  public void close(Duration deadline) {
    lane.close(deadline);
  }

  private void commit(List<SettleQueue> queues) {
    List<Taken> group = new ArrayList<>(queues.size());
    int changes = 0;
    for (SettleQueue queue : queues) {
      List<RowChange> all = queue.take();
      for (int from = 0; from < all.size(); from += CHANGES_MAX) {
        var part = all.subList(from, Math.min(all.size(), from + CHANGES_MAX));
        if (changes > 0 && changes + part.size() > CHANGES_MAX) {
          commitUntilDone(group);
          group = new ArrayList<>();
          changes = 0;
        }
        group.add(new Taken(queue, part));
        changes += part.size();
      }
    }
    if (!group.isEmpty()) {
      commitUntilDone(group);
    }
  }

  private void commitUntilDone(List<Taken> group) {
    Duration again = AGAIN_FIRST;
    while (true) {
      List<Settling> settlings = new ArrayList<>(group.size());
      for (Taken taken : group) {
        settlings.add(taken.queue.settling(taken.changes)); // with the epoch of this moment
      }
      try {
        tell(group, settlings, outbox.settle(settlings));
        if (notNow.compareTo(AGAIN_FIRST) > 0 && !others(group).isEmpty()) {
          notNow = AGAIN_FIRST;
        }
        return;
      } catch (SQLException failed) {
        SqlFailure failure = SqlFailure.of(failed);
        if (failure == SqlFailure.REFUSED) {
          divide(group, failed);
          return;
        }
        if (failure == SqlFailure.NOT_NOW) {
          postpone(group, failed);
          return;
        }
        LOG.warn(
            "settling failed ({}); trying again in {} ms", failed.getMessage(), again.toMillis());
        if (!lane.sleep(again)) {
          LOG.warn("closing with unsettled outcomes; their attempts will be repeated");
          return;
        }
        again = longer(again);
      } catch (RuntimeException bug) {
        divide(group, bug);
        return;
      }
    }
  }

  /**
   * Nothing was written. When the disk is full that may last, and it may be the rows that are to go
   * that make the room which the others wait for: so these go alone, and the others into a later
   * group, with whatever is to go by then.
   */
  private void postpone(List<Taken> group, SQLException failed) {
    List<Taken> others = others(group);
    List<Taken> deletes = part(group, change -> change instanceof RowChange.Delete);
    boolean mixed = !others.isEmpty() && !deletes.isEmpty();
    if (mixed) {
      commitUntilDone(deletes);
    }
    LOG.warn("settling failed ({}); trying again in {} ms", failed.getMessage(), notNow.toMillis());
    boolean goesOn = lane.sleep(notNow);
    notNow = longer(notNow);
    for (Taken taken : mixed ? others : group) {
      if (taken.queue.putBack(taken.changes) && !(goesOn && lane.submit(taken.queue))) {
        LOG.warn("closing with unsettled outcomes; their attempts will be repeated");
      }
    }
  }

  private static List<Taken> others(List<Taken> group) {
    return part(group, change -> !(change instanceof RowChange.Delete));
  }

  private static List<Taken> part(List<Taken> group, Predicate<RowChange> which) {
    List<Taken> part = new ArrayList<>();
    for (Taken taken : group) {
      List<RowChange> changes = taken.changes.stream().filter(which).toList();
      if (!changes.isEmpty()) {
        part.add(new Taken(taken.queue, changes));
      }
    }
    return part;
  }

  private static Duration longer(Duration pause) {
    Duration twice = pause.multipliedBy(2);
    return twice.compareTo(AGAIN_MAX) > 0 ? AGAIN_MAX : twice;
  }

  private static void tell(List<Taken> group, List<Settling> settlings, Settled settled) {
    if (settled.missed() > 0) {
      LOG.info(
          "{} rows had been settled before (a lost answer) or were of former owners",
          settled.missed());
    }
    for (int i = 0; i < group.size(); i++) {
      Taken taken = group.get(i);
      taken.queue.tell(
          settled.held().get(i)
              ? new SettleQueue.Result.Durable(taken.changes, settled.missedRetries())
              : new SettleQueue.Result.Fenced(settlings.get(i).epoch(), taken.changes));
    }
  }

  /** One change that the database refuses must not keep the others from being settled. */
  private void divide(List<Taken> group, Exception refused) {
    if (group.size() == 1 && group.getFirst().changes.size() == 1) {
      Taken one = group.getFirst();
      LOG.error("the database refuses to settle {}", one.changes, refused);
      one.queue.tell(
          new SettleQueue.Result.Refused(String.valueOf(refused.getMessage()), one.changes));
      return;
    }
    for (Taken taken : group) {
      int middle = group.size() > 1 ? taken.changes.size() : taken.changes.size() / 2;
      commitUntilDone(List.of(new Taken(taken.queue, taken.changes.subList(0, middle))));
      if (middle < taken.changes.size()) {
        var rest = taken.changes.subList(middle, taken.changes.size());
        commitUntilDone(List.of(new Taken(taken.queue, rest)));
      }
    }
  }
}
