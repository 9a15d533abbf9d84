package dev.viesti.dispatcher.outbox;

import dev.viesti.protocol.delivery.Delivery;
import dev.viesti.protocol.delivery.OrderKey;
import dev.viesti.protocol.trigger.TriggerId;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.ToIntFunction;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The rows of one outbox that are in memory, each in exactly one {@link Place}:
 *
 * <pre>
 *   admit ─▶ HELD ──────▶ SCHEDULED ──▶ READY ──▶ RUNNING ──▶ SETTLING ──▶ gone
 *            (another row   (not due)     ▲                      │ ▲
 *             of its key    ▲             └──────────────────────┤ │
 *             is before it) └────────────────────────────────────┘ │
 *              │                            retried                │
 *              └─▶ PARKED (its key is parked: to be given up) ─────┘
 * </pre>
 *
 * <p>Rows of one trigger with the same ordering key leave {@code HELD} one at a time, by number,
 * and only when the one before is <em>gone</em>: settled durably, not merely ended. A row that was
 * published for later joins its key when its time comes. Which of the ready rows runs next, {@link
 * Turns} says.
 *
 * <p>Pure: no clock, no I/O. Not thread-safe; private to the owner.
 */
final class Ledger {
  /** Where a row in memory is. */
  enum Place {
    HELD,
    SCHEDULED,
    READY,
    RUNNING,
    SETTLING,
    PARKED
  }

  /** The rows of one trigger with one ordering key, by number. */
  private static final class Line {
    final TreeMap<Long, Slot> rows = new TreeMap<>();

    /** The one that has left {@code HELD}. */
    @Nullable Slot active;

    Slot first() {
      return rows.firstEntry().getValue();
    }
  }

  private final Map<Long, Slot> slots = new LinkedHashMap<>();
  private final Turns turns = new Turns();
  private final DueTimes dueTimes = new DueTimes();
  private final Map<OrderKey, Line> lines = new HashMap<>();
  private final TreeMap<Long, Slot> beyond = new TreeMap<>();
  private final ParkedKeys parked = new ParkedKeys();
  private final ArrayDeque<Slot> toPark = new ArrayDeque<>();
  private long knownUpTo = Long.MAX_VALUE;
  private long atOnceUpTo = Long.MAX_VALUE;
  private final MemoryUse window = new MemoryUse();
  private final MemoryUse reserve = new MemoryUse();
  private int settling;

  /** Rows in memory, with those in reserve. */
  int size() {
    return slots.size();
  }

  /** Rows that were not taken in reserve. */
  MemoryUse window() {
    return window;
  }

  MemoryUse reserve() {
    return reserve;
  }

  int running() {
    return turns.running();
  }

  /** Rows that may run; some of them may have gone meanwhile. */
  int ready() {
    return turns.ready();
  }

  /** Nothing runs and nothing is on its way to the table. */
  boolean isQuiet() {
    return running() == 0 && settling == 0;
  }

  /** Null when the row is not in memory. */
  @Nullable Place placeOf(long seq) {
    Slot slot = slots.get(seq);
    return slot == null ? null : slot.place;
  }

  /** The version that is in memory; null when the row is not. */
  @Nullable Delivery row(long seq) {
    Slot slot = slots.get(seq);
    return slot == null ? null : slot.row;
  }

  /** All of them, in no order: for an operator's request. */
  Stream<Delivery> rows() {
    return slots.values().stream().map(slot -> slot.row);
  }

  /** Takes a row into memory; one that is there already stays as it is. */
  void admit(Delivery row, Instant now) {
    admit(row, false, now);
  }

  /** The same of a row that is counted for itself as long as it is in memory. */
  void admitInReserve(Delivery row, Instant now) {
    admit(row, true, now);
  }

  private void admit(Delivery row, boolean inReserve, Instant now) {
    if (slots.containsKey(row.seq())) {
      return;
    }
    var slot = new Slot(row, turns.lane(row.trigger()), inReserve);
    slots.put(row.seq(), slot);
    use(slot).add(row.weight());
    place(slot, now);
  }

  private MemoryUse use(Slot slot) {
    return slot.reserve ? reserve : window;
  }

  /**
   * Rows with an ordering key wait while there may be earlier ones of their key that are only in
   * the table.
   *
   * @param known up to this number there are none
   * @param atOnce the same for rows that were published for later: others that are due at once may
   *     not have been read yet
   */
  void knownUpTo(long known, long atOnce, Instant now) {
    boolean lower = known < knownUpTo;
    knownUpTo = known;
    atOnceUpTo = atOnce;
    if (lower) {
      lines.values().forEach(line -> activate(line, now));
    } else if (!beyond.isEmpty()) {
      var waiting = List.copyOf(beyond.headMap(Math.max(known, atOnce), true).values());
      for (Slot slot : waiting) {
        beyond.remove(slot.row.seq());
        activateLineOf(slot, now);
      }
    }
  }

  /** Whether rows wait for others that are only in the table. */
  boolean waitsForRows() {
    return !beyond.isEmpty();
  }

  /** Which keys are parked. After a change of it, {@link #rearrange}. */
  ParkedKeys parked() {
    return parked;
  }

  /** Some keys are parked, or are not any more. */
  void rearrange(Instant now) {
    for (Line line : lines.values()) {
      Slot active = line.active;
      if (active != null && !isUnderWay(active)) {
        active.place = Place.HELD;
        line.active = null;
      }
      activate(line, now);
    }
  }

  /**
   * The next row to be given up because its key is parked; it stays where it is until it settles.
   */
  @Nullable Delivery nextParked() {
    for (Slot slot = toPark.poll(); slot != null; slot = toPark.poll()) {
      if (slot.place == Place.PARKED) {
        return slot.row;
      }
    }
    return null;
  }

  /**
   * The next row to be given up because its trigger was removed; it stays where it is until it
   * settles.
   */
  @Nullable Delivery nextRemoved() {
    Slot slot = turns.nextRemoved();
    return slot == null ? null : slot.row;
  }

  /** Rows whose time has come become ready. */
  void promote(Instant now) {
    dueTimes.takeUntil(now, slot -> due(slot, now));
  }

  /** When the first row in memory that is not due yet becomes due; null when there is none. */
  @Nullable Instant nextDue() {
    return dueTimes.next();
  }

  /**
   * The next row to run, which is then {@link Place#RUNNING}; null when there is none.
   *
   * @param limit executions that a trigger may have at once; 0 holds it
   */
  @Nullable Delivery startNext(ToIntFunction<TriggerId> limit) {
    Slot slot = turns.next(limit);
    if (slot == null) {
      return null;
    }
    slot.place = Place.RUNNING;
    return slot.row;
  }

  /** See {@link Turns#prioritise}. */
  void prioritise(ToIntFunction<TriggerId> priority) {
    turns.prioritise(priority);
  }

  /**
   * A running row goes back to where it came from: its execution could not be started after all.
   */
  void notStarted(long seq, Instant now) {
    Slot slot = slots.get(seq);
    if (slot != null && slot.place == Place.RUNNING) {
      turns.stopped(slot);
      if (slot.inLine) {
        held(slot);
        activateLineOf(slot, now);
        return;
      }
      slot.place = Place.READY;
      turns.readyAgain(slot);
    }
  }

  /** A change of the row is on its way to the table. */
  void settling(long seq) {
    Slot slot = slots.get(seq);
    if (slot == null || slot.place == Place.SETTLING) {
      return;
    }
    if (slot.place == Place.RUNNING) {
      turns.stopped(slot);
    }
    slot.place = Place.SETTLING;
    settling++;
  }

  /** The row is out of the table, or is to be forgotten; the next one of its key may go. */
  void gone(long seq, Instant now) {
    Slot slot = slots.remove(seq);
    if (slot == null) {
      return;
    }
    left(slot);
    use(slot).remove(slot.row.weight());
    OrderKey key = OrderKey.of(slot.row);
    Line line = key == null || !slot.inLine ? null : lines.get(key);
    if (key == null || line == null) {
      return;
    }
    held(slot);
    line.rows.remove(seq);
    if (line.rows.isEmpty()) {
      lines.remove(key);
    } else {
      activate(line, now);
    }
  }

  /** The row has a new version in the table and waits again. */
  void retried(Delivery next, Instant now) {
    Slot slot = slots.get(next.seq());
    if (slot == null) {
      return;
    }
    left(slot);
    use(slot).change(slot.row.weight(), next.weight());
    slot.row = next;
    held(slot);
    place(slot, now);
  }

  private void left(Slot slot) {
    if (slot.place == Place.RUNNING) {
      turns.stopped(slot);
    } else if (slot.place == Place.SETTLING) {
      settling--;
    }
    slot.place = Place.HELD; // stale entries in the queues are recognised by it
  }

  /** Finds the place of a row that came or has a new version. */
  private void place(Slot slot, Instant now) {
    OrderKey key = OrderKey.of(slot.row);
    if (key == null || (!slot.inLine && slot.row.isDelayed() && slot.due().isAfter(now))) {
      enqueue(slot, now);
      return;
    }
    Line line = lines.computeIfAbsent(key, none -> new Line());
    line.rows.put(slot.row.seq(), slot);
    slot.inLine = true;
    activate(line, now);
  }

  /** Lets the first row of a key go, unless another one of it is under way. */
  private void activate(Line line, Instant now) {
    Slot first = line.first();
    Slot active = line.active;
    boolean may = first.row.seq() <= (first.row.isDelayed() ? atOnceUpTo : knownUpTo);
    if (active != null) {
      if (isUnderWay(active) || (active == first && may)) {
        return;
      }
      active.place = Place.HELD; // an earlier one came: a replay
      line.active = null;
    }
    if (first.place == Place.SETTLING) {
      return; // cancelled while it was held
    }
    if (!may) {
      beyond.put(first.row.seq(), first);
      return;
    }
    line.active = first;
    if (parked.contains(OrderKey.of(first.row))) {
      first.place = Place.PARKED;
      toPark.add(first);
    } else {
      enqueue(first, now);
    }
  }

  private static boolean isUnderWay(Slot slot) {
    return slot.place == Place.RUNNING || slot.place == Place.SETTLING;
  }

  private void activateLineOf(Slot slot, Instant now) {
    Line line = lineOf(slot);
    if (line != null) {
      activate(line, now);
    }
  }

  private @Nullable Line lineOf(Slot slot) {
    OrderKey key = OrderKey.of(slot.row);
    return key == null ? null : lines.get(key);
  }

  private void held(Slot slot) {
    slot.place = Place.HELD;
    Line line = lineOf(slot);
    if (line != null && line.active == slot) {
      line.active = null;
    }
  }

  private void due(Slot slot, Instant now) {
    if (slot.row.orderingKey() != null && !slot.inLine) {
      slot.place = Place.HELD;
      place(slot, now);
    } else {
      ready(slot);
    }
  }

  private void enqueue(Slot slot, Instant now) {
    if (slot.due().isAfter(now)) {
      slot.place = Place.SCHEDULED;
      dueTimes.add(slot);
    } else {
      ready(slot);
    }
  }

  private void ready(Slot slot) {
    slot.place = Place.READY;
    turns.ready(slot);
  }
}
