package dev.viesti.dispatcher.outbox;

import dev.viesti.protocol.delivery.Delivery;
import dev.viesti.protocol.event.Event;
import dev.viesti.protocol.event.Payload;
import dev.viesti.protocol.trigger.TriggerId;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * An owner's decisions ({@link Ledger}, {@link TablePosition}) over a table that is a map, with
 * every kind of delay and accident in between: commits whose news comes late or never, pages that
 * were read before what happened since, retries near and far, replays, crashes. Deterministic for a
 * seed.
 */
final class OutboxSimulation {
  private static final Duration HORIZON = Duration.ofSeconds(10);
  private static final int WINDOW = 40;
  private static final int PAGE = 10;

  private record Write(List<Delivery> rows, boolean replay) {}

  private record PageRead(
      TablePosition.Read read, List<Delivery> rows, boolean complete, @Nullable Instant next) {}

  private record Change(Delivery row, @Nullable Delivery next) {}

  private final long seed;
  private final Random random;
  private final TreeMap<Long, Delivery> stored = new TreeMap<>();
  private final Set<Long> running = new HashSet<>();
  private final ArrayDeque<Write> writes = new ArrayDeque<>();
  private final ArrayDeque<Write> news = new ArrayDeque<>();
  private final List<Write> lost = new ArrayList<>();
  private final Set<Write> durable = new HashSet<>();
  private final List<Delivery> executions = new ArrayList<>();
  private final ArrayDeque<Change> settling = new ArrayDeque<>();
  private final ArrayDeque<Change> settled = new ArrayDeque<>();
  private final List<TriggerId> triggers = List.of(new TriggerId("a"), new TriggerId("b"));
  private @Nullable PageRead page;
  private Ledger ledger = new Ledger();
  private TablePosition table = new TablePosition(HORIZON);
  private Instant now = Instant.parse("2026-01-01T00:00:00Z");
  private long seq = 1;
  private long claimed;
  private int largest;

  OutboxSimulation(long seed) {
    this.seed = seed;
    this.random = new Random(seed);
  }

  OutboxSimulation run(int steps) {
    for (int step = 0; step < steps; step++) {
      step(random.nextInt(100));
    }
    return this;
  }

  /** With no further accidents, everything that is in the table must be delivered. */
  OutboxSimulation drain() {
    for (int round = 0; round < 200_000 && !stored.isEmpty(); round++) {
      step(12 + random.nextInt(78)); // no writes, no accidents
      if (round % 50 == 49) {
        now = now.plusSeconds(1);
      }
    }
    check(
        stored.isEmpty(),
        () -> stored.size() + " rows are never delivered: " + stored.firstEntry());
    return this;
  }

  int largest() {
    return largest;
  }

  private void step(int dice) {
    if (dice < 12) {
      write();
    } else if (dice < 22) {
      commit();
    } else if (dice < 32) {
      hear();
    } else if (dice < 42) {
      read();
    } else if (dice < 52) {
      loaded();
    } else if (dice < 62) {
      start();
    } else if (dice < 72) {
      end();
    } else if (dice < 79) {
      settle();
    } else if (dice < 86) {
      hearSettled();
    } else if (dice == 86) {
      renew();
    } else if (dice < 90) {
      now = now.plusMillis(random.nextInt(500));
      ledger.promote(now);
    } else if (dice < 94) {
      loseTheAnswer();
    } else if (dice < 97) {
      readFailed();
    } else if (dice == 97) {
      crash();
    }
    largest = Math.max(largest, ledger.size());
  }

  private void write() {
    if (stored.size() + writes.size() > 300) {
      return;
    }
    List<Delivery> rows = new ArrayList<>();
    for (int i = random.nextInt(8); i >= 0; i--) {
      String key = random.nextBoolean() ? null : "k" + random.nextInt(5);
      var event = Event.of(new UUID(0, seq), "sim", "t", null, Payload.NONE);
      rows.add(Delivery.fresh(seq++, event, triggers.get(random.nextInt(2)), key, now));
    }
    writes.add(new Write(rows, random.nextInt(10) == 0));
  }

  /** Two lanes: the second write may be durable first. */
  private void commit() {
    boolean second = writes.size() > 1 && random.nextInt(3) == 0;
    Write write = second ? writes.stream().skip(1).findFirst().orElseThrow() : writes.peek();
    if (write != null && !durable.contains(write)) {
      write.rows().forEach(row -> stored.put(row.seq(), row));
      durable.add(write);
    }
    while (!writes.isEmpty() && durable.remove(writes.peek())) {
      news.add(writes.remove()); // news is taken over in the order of submission
    }
  }

  private void hear() {
    Write write = news.poll();
    if (write == null) {
      return;
    }
    if (write.replay()) {
      table.wrote(write.rows().getLast().seq(), false);
      table.unsure();
      return;
    }
    boolean fits = !table.behind() && ledger.size() < WINDOW;
    if (fits) {
      for (Delivery row : write.rows()) {
        if (!table.passed(row.seq())) {
          ledger.admit(row, now);
        }
      }
    }
    table.wrote(write.rows().getLast().seq(), fits);
  }

  /**
   * The answer of the next commit is lost, and it may take effect only later, behind others. Until
   * the owner has a new epoch, what was sent before goes on.
   */
  private void loseTheAnswer() {
    Write write = writes.peek();
    if (write != null && news.isEmpty() && durable.isEmpty()) {
      lost.add(writes.remove());
      table.doubt();
    }
  }

  /** A new epoch: what was lost is in the table by now, or never will be. */
  private void renew() {
    if (lost.isEmpty()) {
      return;
    }
    for (Write write : lost) {
      if (random.nextBoolean()) {
        write.rows().forEach(row -> stored.put(row.seq(), row));
      }
    }
    lost.clear();
    for (Write write : writes) { // sent under the old epoch: what is not durable is fenced
      if (durable.remove(write)) {
        news.add(write);
      }
    }
    writes.clear();
    table.certain(seq - 1);
  }

  private void read() {
    boolean quiet = writes.isEmpty() && news.isEmpty() && lost.isEmpty();
    TablePosition.Read read =
        table.next(ledger.size() + PAGE <= WINDOW, now, quiet ? seq - 1 : claimed);
    if (read == null) {
      return;
    }
    Comparator<Delivery> byDue =
        Comparator.comparing((Delivery row) -> due(row)).thenComparingLong(Delivery::seq);
    List<Delivery> all = new ArrayList<>(stored.values());
    List<Delivery> rows =
        switch (read) {
          case TablePosition.Read.AtOnce(var after) ->
              all.stream().filter(row -> row.dueAt() == null && row.seq() > after).toList();
          case TablePosition.Read.Heads(var due, var after) ->
              all.stream()
                  .filter(row -> row.dueAt() != null && row.orderingKey() != null)
                  .filter(row -> isAfter(row, due, after))
                  .sorted(byDue)
                  .toList();
          case TablePosition.Read.Scheduled(var until, var due, var after) ->
              all.stream()
                  .filter(row -> row.dueAt() != null && !due(row).isAfter(until))
                  .filter(row -> isAfter(row, due, after))
                  .sorted(byDue)
                  .toList();
        };
    boolean complete = rows.size() < PAGE;
    Instant next =
        read instanceof TablePosition.Read.Scheduled(var until, var due, var after)
            ? all.stream()
                .filter(row -> row.dueAt() != null && due(row).isAfter(until))
                .map(OutboxSimulation::due)
                .min(Comparator.naturalOrder())
                .orElse(null)
            : null;
    page = new PageRead(read, rows.subList(0, Math.min(PAGE, rows.size())), complete, next);
  }

  private void loaded() {
    if (page != null) {
      List<Delivery> rows =
          table.loaded(page.rows(), page.complete(), page.complete() ? page.next() : null);
      page = null;
      rows.forEach(row -> ledger.admit(row, now));
    }
  }

  private void readFailed() {
    if (page != null) {
      page = null;
      table.failed();
    }
  }

  private void start() {
    Delivery row = ledger.startNext(trigger -> 3);
    if (row == null) {
      return;
    }
    check(running.add(row.seq()), () -> row + " runs twice at once");
    check(
        row.equals(stored.get(row.seq())),
        () -> row + " runs in a version that is not in the table");
    check(row.dueAt() == null || !due(row).isAfter(now), () -> row + " runs before it is due");
    if (row.orderingKey() != null) {
      Delivery before =
          stored.values().stream()
              .filter(other -> other.trigger().equals(row.trigger()))
              .filter(other -> row.orderingKey().equals(other.orderingKey()))
              .findFirst()
              .orElseThrow();
      check(before.seq() == row.seq(), () -> row + " overtakes " + before);
    }
    executions.add(row);
  }

  private void end() {
    if (executions.isEmpty()) {
      return;
    }
    Delivery row = executions.remove(random.nextInt(executions.size()));
    running.remove(row.seq());
    Delivery next = null;
    if (random.nextInt(3) == 0 && row.attempt() < 6) {
      Duration delay =
          random.nextInt(4) == 0
              ? HORIZON.multipliedBy(1 + random.nextInt(3))
              : Duration.ofMillis(1 + random.nextInt(3_000));
      next = row.retriedAt(now.plus(delay), now, "again", null);
    }
    ledger.settling(row.seq());
    settling.add(new Change(row, next));
  }

  private void settle() {
    Change change = settling.poll();
    if (change == null) {
      return;
    }
    Delivery row = change.row();
    check(row.equals(stored.get(row.seq())), () -> "settles a version that is not in the table");
    if (change.next() == null) {
      stored.remove(row.seq());
    } else {
      stored.put(row.seq(), change.next());
    }
    settled.add(change);
  }

  private void hearSettled() {
    Change change = settled.poll();
    if (change == null) {
      return;
    }
    Delivery next = change.next();
    long rowSeq = change.row().seq();
    boolean missed =
        random.nextInt(5) == 0; // repeated after a lost answer: found nothing to change
    if (next != null
        && (next.orderingKey() != null || (!missed && table.near(next.dueAt(), now)))) {
      ledger.retried(next, now);
      return;
    }
    ledger.gone(rowSeq, now);
    table.left(rowSeq);
    if (next != null) {
      table.dropped(due(next));
    }
  }

  /** Another owner starts from the table; what ran is run again. */
  private void crash() {
    writes.clear();
    durable.clear();
    news.clear();
    lost.clear();
    executions.clear();
    running.clear();
    settling.clear();
    settled.clear();
    page = null;
    ledger = new Ledger();
    table = new TablePosition(HORIZON);
    claimed = seq - 1;
  }

  private static boolean isAfter(Delivery row, Instant due, long after) {
    int order = due(row).compareTo(due);
    return order > 0 || (order == 0 && row.seq() > after);
  }

  private static Instant due(Delivery row) {
    Instant due = row.dueAt();
    return due == null ? Instant.MIN : due;
  }

  private void check(boolean holds, java.util.function.Supplier<String> what) {
    if (!holds) {
      throw new AssertionError("seed " + seed + ": " + what.get());
    }
  }
}
