package dev.viesti.dispatcher.outbox;

import dev.viesti.protocol.delivery.Delivery;
import dev.viesti.protocol.delivery.OrderKey;
import dev.viesti.protocol.event.Event;
import dev.viesti.protocol.event.Payload;
import dev.viesti.protocol.trigger.OnFailure;
import dev.viesti.protocol.trigger.TriggerId;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
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
  private static final Duration MOMENT = Duration.ofSeconds(1);
  private static final int WINDOW = 40;
  private static final int PAGE = 10;

  /** What is inserted; a replay puts these dead letters back, and {@code keys} as a whole. */
  private record Write(List<Delivery> rows, boolean replay, Set<OrderKey> keys) {}

  /** An operator's question which keys have open dead letters, and the answer once it was read. */
  private static final class Check {
    final long asked;
    @Nullable Set<OrderKey> open;

    Check(long asked) {
      this.asked = asked;
    }
  }

  private record PageRead(
      TablePosition.Read read, List<Delivery> rows, boolean complete, @Nullable Instant next) {}

  /** Without {@code next} the row goes, maybe to the dead letters. */
  private record Change(Delivery row, @Nullable Delivery next, boolean bury) {}

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
  private final TreeMap<Long, Delivery> dead = new TreeMap<>();
  private final ArrayDeque<Check> checks = new ArrayDeque<>();
  private @Nullable PageRead page;
  private Ledger ledger = new Ledger();
  private TablePosition table = new TablePosition(HORIZON);
  private KeptRetries kept = new KeptRetries(MOMENT);
  private Instant now = Instant.parse("2026-01-01T00:00:00Z");
  private final Map<Long, Long> replayedFrom = new HashMap<>();
  private boolean replaying;
  private boolean failing = true;
  private long seq = 1;
  private long claimed;
  private int largest;

  OutboxSimulation(long seed) {
    this.seed = seed;
    this.random = new Random(seed);
  }

  /** Each rule has a trigger of its name. */
  private static final List<TriggerId> TRIGGERS =
      Arrays.stream(OnFailure.values()).map(rule -> new TriggerId(name(rule))).toList();

  private static String name(OnFailure rule) {
    return rule.name().toLowerCase(Locale.ROOT);
  }

  private static OnFailure rule(Delivery row) {
    return OnFailure.valueOf(row.trigger().value().toUpperCase(Locale.ROOT));
  }

  OutboxSimulation run(int steps) {
    for (int step = 0; step < steps; step++) {
      step(random.nextInt(100));
    }
    return this;
  }

  /** With no further accidents, everything that is in the table must be delivered. */
  OutboxSimulation drain() {
    failing = false;
    for (int round = 0; round < 200_000 && !(stored.isEmpty() && dead.isEmpty()); round++) {
      step(12 + random.nextInt(78)); // no writes, no accidents
      if (round % 50 == 49) {
        now = now.plusSeconds(1);
      }
      if (round % 200 == 199) {
        replay();
        unblock();
      }
    }
    check(
        dead.isEmpty(),
        () -> dead.size() + " dead letters cannot be put back: " + dead.firstEntry());
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
      writeKept();
    } else if (dice < 94) {
      loseTheAnswer();
    } else if (dice < 96) {
      readFailed();
    } else if (dice == 96) {
      crash();
    } else if (dice == 97) {
      replay();
    } else if (dice == 98) {
      unblock();
    } else {
      resolve();
    }
    park();
    check();
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
      Instant later = random.nextInt(8) == 0 ? now.plusMillis(1 + random.nextInt(30_000)) : null;
      var trigger = TRIGGERS.get(random.nextInt(TRIGGERS.size()));
      rows.add(Delivery.fresh(seq++, event.deliveredAt(later), trigger, key, now));
    }
    writes.add(new Write(rows, false, Set.of()));
  }

  /** Some dead letters: a parked key as a whole and in its old places, others at the end. */
  private void replay() {
    boolean busy = ledger.parked().isBurying() || replaying || !lost.isEmpty();
    if (dead.isEmpty() || busy) {
      return;
    }
    List<Delivery> rows = new ArrayList<>();
    Set<OrderKey> keys = new HashSet<>();
    int nth = random.nextInt(dead.size());
    Delivery one = dead.values().stream().skip(nth).findFirst().orElseThrow();
    OrderKey key = rule(one) == OnFailure.PARK ? OrderKey.of(one) : null;
    if (key == null) {
      var event = one.event();
      replayedFrom.put(seq, one.seq());
      rows.add(Delivery.fresh(seq++, event, one.trigger(), one.orderingKey(), now));
    } else {
      keys.add(key);
      for (Delivery letter : dead.values()) {
        if (key.equals(OrderKey.of(letter))) {
          rows.add(Delivery.fresh(letter.seq(), letter.event(), letter.trigger(), key.key(), now));
        }
      }
    }
    replaying = true;
    writes.add(new Write(rows, true, keys));
  }

  /** An operator retries or cancels a delivery that blocks its key. */
  private void unblock() {
    for (Delivery row : stored.values()) {
      if (row.isBlocked() && ledger.placeOf(row.seq()) == Ledger.Place.SCHEDULED) {
        settling(row, random.nextBoolean() ? row.dueAt(now) : null, false);
        return;
      }
    }
  }

  /** An operator marks a dead letter as dealt with; the owner is told and asks the table. */
  private void resolve() {
    if (!dead.isEmpty() && !replaying) {
      dead.remove(dead.firstKey());
      checks.add(new Check(ledger.parked().asking()));
    }
  }

  private void check() {
    Check first = checks.peek();
    if (first == null || random.nextInt(3) > 0) {
      return;
    }
    if (first.open == null) {
      first.open = open();
    } else if (replaying) {
      checks.remove();
      checks.add(new Check(ledger.parked().asking()));
    } else {
      ledger.parked().answered(first.asked, first.open);
      ledger.rearrange(now);
      checks.remove();
    }
  }

  private Set<OrderKey> open() {
    Set<OrderKey> open = new HashSet<>();
    for (Delivery letter : dead.values()) {
      OrderKey key = OrderKey.of(letter);
      if (key != null && rule(letter) == OnFailure.PARK) {
        open.add(key);
      }
    }
    return open;
  }

  private void park() {
    Delivery row = replaying ? null : ledger.nextParked();
    if (row != null) {
      bury(row);
    }
  }

  private void bury(Delivery row) {
    OrderKey key = OrderKey.of(row);
    if (key != null && rule(row) == OnFailure.PARK) {
      ledger.parked().burying(key);
    }
    settling(row, null, true);
  }

  /** Two lanes: the second write may be durable first. */
  private void commit() {
    boolean second = writes.size() > 1 && random.nextInt(3) == 0;
    Write write = second ? writes.stream().skip(1).findFirst().orElseThrow() : writes.peek();
    if (write != null && !durable.contains(write)) {
      store(write);
      durable.add(write);
    }
    while (!writes.isEmpty() && durable.remove(writes.peek())) {
      news.add(writes.remove()); // news is taken over in the order of submission
    }
  }

  private void store(Write write) {
    for (Delivery row : write.rows()) {
      stored.put(row.seq(), row);
      dead.remove(replayedFrom.getOrDefault(row.seq(), row.seq()));
    }
  }

  private void hear() {
    Write write = news.poll();
    if (write == null) {
      return;
    }
    if (write.replay()) {
      replaying = false;
      boolean parked = !write.keys().isEmpty();
      table.wrote(parked ? claimed : write.rows().getLast().seq(), false);
      table.unsure();
      if (parked) {
        table.rewind(write.rows().getFirst().seq());
      }
      ledger.parked().replayed(write.keys());
      ledger.knownUpTo(table.knownUpTo(), table.atOnceUpTo(), now);
      ledger.rearrange(now);
      return;
    }
    boolean fits = !table.behind() && ledger.size() < WINDOW;
    for (Delivery row : write.rows()) {
      if (row.dueAt() != null) {
        table.dropped(row.dueAt());
      } else if (fits && !table.passed(row.seq())) {
        ledger.admit(row, now);
      }
    }
    table.wrote(write.rows().getLast().seq(), fits);
    ledger.knownUpTo(table.knownUpTo(), table.atOnceUpTo(), now);
  }

  /**
   * The answer of the next commit is lost, and it may take effect only later, behind others. Until
   * the owner has a new epoch, what was sent before goes on.
   */
  private void loseTheAnswer() {
    Write write = writes.peek();
    if (write != null && !replaying && news.isEmpty() && durable.isEmpty()) {
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
        store(write);
      }
    }
    lost.clear();
    for (Write write : writes) { // sent under the old epoch: what is not durable is fenced
      if (durable.remove(write)) {
        news.add(write);
      } else if (write.replay()) {
        replaying = false;
      }
    }
    writes.clear();
    table.certain(seq - 1);
  }

  private void read() {
    boolean quiet = writes.isEmpty() && news.isEmpty() && lost.isEmpty();
    TablePosition.Read read =
        table.next(
            ledger.size() + PAGE <= WINDOW,
            (table.rewound() || ledger.waitsForRows()) && ledger.size() < WINDOW + 2 * PAGE,
            now,
            quiet ? seq - 1 : claimed);
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
                  .filter(row -> !row.isDelayed())
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
      ledger.knownUpTo(table.knownUpTo(), table.atOnceUpTo(), now);
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
        kept.stored(row).equals(stored.get(row.seq())),
        () -> row + " runs in a version that is not in the table");
    check(row.dueAt() == null || !due(row).isAfter(now), () -> row + " runs before it is due");
    if (row.orderingKey() != null) {
      Delivery before =
          stored.values().stream()
              .filter(other -> other.trigger().equals(row.trigger()))
              .filter(other -> row.orderingKey().equals(other.orderingKey()))
              .filter(other -> !other.isDelayed() || other.seq() == row.seq())
              .findFirst()
              .orElseThrow();
      check(before.seq() == row.seq(), () -> row + " overtakes " + before);
      check(
          rule(row) != OnFailure.PARK
              || dead.headMap(row.seq()).values().stream()
                  .noneMatch(
                      letter ->
                          row.trigger().equals(letter.trigger())
                              && row.orderingKey().equals(letter.orderingKey())),
          () -> row + " runs though its key is parked");
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
    if (failing && random.nextInt(12) == 0) {
      if (row.orderingKey() != null && rule(row) == OnFailure.BLOCK) {
        settling(row, row.retriedAt(Delivery.BLOCKED_UNTIL, now, "given up", null), false);
      } else {
        bury(row);
      }
      return;
    }
    if (random.nextInt(3) == 0 && row.attempt() < 6) {
      Duration delay =
          random.nextInt(4) == 0
              ? HORIZON.multipliedBy(1 + random.nextInt(3))
              : Duration.ofMillis(1 + random.nextInt(3_000));
      next = row.retriedAt(now.plus(delay), now, "again", null);
      if (kept.mayKeep(kept.stored(row), due(next), now)) {
        kept.keep(row, now);
        ledger.retried(next, now);
        return;
      }
    }
    settling(row, next, false);
  }

  private void settling(Delivery row, @Nullable Delivery next, boolean bury) {
    ledger.settling(row.seq());
    settling.add(new Change(kept.stored(row), next, bury));
  }

  /** Retries that only memory knows of for too long. */
  private void writeKept() {
    for (long late : kept.overdue(now)) {
      Delivery row = ledger.row(late);
      Ledger.Place place = ledger.placeOf(late);
      if (row != null && (place == Ledger.Place.SCHEDULED || place == Ledger.Place.READY)) {
        settling(row, row, false);
      }
    }
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
      if (change.bury()) {
        dead.put(row.seq(), row);
      }
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
    kept.written(change.row().seq());
    if (change.bury()) {
      ledger.parked().buried(OrderKey.of(change.row()));
    }
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
    kept = new KeptRetries(MOMENT);
    claimed = seq - 1;
    replaying = false;
    checks.clear();
    ledger.parked().answered(0, open());
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
