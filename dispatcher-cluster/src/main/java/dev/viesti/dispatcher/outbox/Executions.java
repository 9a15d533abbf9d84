package dev.viesti.dispatcher.outbox;

import dev.viesti.dispatcher.execution.Execution;
import dev.viesti.protocol.delivery.Delivery;
import dev.viesti.protocol.delivery.DeliveryId;
import dev.viesti.protocol.trigger.Trigger;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The attempts that one owner has under way, by row, and their time limits. Looks at all of them
 * only when the first of them could be over its time, so an attempt that ends soon costs nothing
 * here. Not thread-safe.
 */
final class Executions {
  /** A target that watches the time itself knows better what it was waiting for: it goes first. */
  private static final Duration GRACE = Duration.ofMillis(200);

  /** One attempt. Compared by identity: a later attempt of the same row is another run. */
  static final class Run {
    final Delivery row;
    final Trigger trigger;
    final Instant startedAt;
    private final Instant overdueAt;
    private @Nullable Execution execution;
    private boolean marked;

    Run(Delivery row, Trigger trigger, Instant startedAt) {
      this.row = row;
      this.trigger = trigger;
      this.startedAt = startedAt;
      this.overdueAt = startedAt.plus(trigger.timeout()).plus(GRACE);
    }

    /** Whether its row says in the table that it runs, or will say so. */
    boolean isMarked() {
      return marked;
    }

    void mark() {
      marked = true;
    }

    boolean isStarted() {
      return execution != null;
    }

    void started(Execution begun) {
      execution = begun;
    }

    void cancel() {
      if (execution != null) {
        execution.cancel();
      }
    }
  }

  private final Map<Long, Run> runs = new HashMap<>();
  private @Nullable Instant nextCheck;

  void add(Run run) {
    runs.put(run.row.seq(), run);
    if (nextCheck == null || run.overdueAt.isBefore(nextCheck)) {
      nextCheck = run.overdueAt;
    }
  }

  /** False when it is not under way any more: it was cancelled or timed out, or was another one. */
  boolean remove(Run run) {
    return runs.remove(run.row.seq(), run);
  }

  @Nullable Run remove(long seq) {
    return runs.remove(seq);
  }

  @Nullable Run find(long seq) {
    return runs.get(seq);
  }

  /** Looks through all of them: for a caller who knows an id only. */
  @Nullable Run find(DeliveryId id) {
    for (Run run : runs.values()) {
      if (run.row.id().equals(id)) {
        return run;
      }
    }
    return null;
  }

  List<Long> seqs() {
    return List.copyOf(runs.keySet());
  }

  /** When {@link #overdue} must be asked next; null while nothing runs. */
  @Nullable Instant nextCheck() {
    return nextCheck;
  }

  /** Takes out those whose time is up. */
  List<Run> overdue(Instant now) {
    if (nextCheck == null || nextCheck.isAfter(now)) {
      return List.of();
    }
    List<Run> late = new ArrayList<>();
    Instant next = null;
    for (Run run : runs.values()) {
      if (!run.overdueAt.isAfter(now)) {
        late.add(run);
      } else if (next == null || run.overdueAt.isBefore(next)) {
        next = run.overdueAt;
      }
    }
    late.forEach(run -> runs.remove(run.row.seq()));
    nextCheck = next;
    return late;
  }

  /** Those that began before {@code time} and of which the table does not know. */
  List<Run> unmarkedSince(Instant time) {
    List<Run> found = new ArrayList<>();
    for (Run run : runs.values()) {
      if (!run.marked && run.startedAt.isBefore(time)) {
        found.add(run);
      }
    }
    return found;
  }

  /** Takes out all of them. */
  List<Run> clear() {
    List<Run> all = List.copyOf(runs.values());
    runs.clear();
    nextCheck = null;
    return all;
  }
}
