package dev.viesti.dispatcher.outbox;

import dev.viesti.protocol.delivery.Delivery;
import dev.viesti.protocol.delivery.DeliveryId;
import dev.viesti.protocol.trigger.TriggerId;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.TreeMap;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;

/**
 * The rows of one outbox that are in memory, each in exactly one {@link Place}:
 *
 * <pre>
 *   admit ─▶ HELD ──────▶ SCHEDULED ──▶ READY ──▶ RUNNING ──▶ SETTLING ──▶ gone
 *            (another row   (not due)     ▲                      │
 *             of its key    ▲             └──────────────────────┤ retried: SCHEDULED or READY
 *             is before it) └────────────────────────────────────┘
 * </pre>
 *
 * <p>Rows of one trigger with the same ordering key leave {@code HELD} one at a time, by number,
 * and only when the one before is <em>gone</em>: settled durably, not merely ended. Triggers take
 * turns, so that one with many rows does not keep another from running.
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
    SETTLING
  }

  private record OrderKey(TriggerId trigger, String key) {}

  private static final class Slot {
    Delivery row;
    Place place = Place.HELD;
    final Lane lane;

    Slot(Delivery row, Lane lane) {
      this.row = row;
      this.lane = lane;
    }
  }

  /** Rings for a slot that is still scheduled for this very time; else it is stale. */
  private record Alarm(Instant due, long seq, Slot slot) {
    boolean isStale() {
      return slot.place != Place.SCHEDULED || !due.equals(dueOrMin(slot.row));
    }
  }

  private static final class Lane {
    final TriggerId trigger;
    final ArrayDeque<Slot> ready = new ArrayDeque<>();
    int running;
    boolean inTurn;

    Lane(TriggerId trigger) {
      this.trigger = trigger;
    }
  }

  private final Map<Long, Slot> slots = new LinkedHashMap<>();
  private final Map<TriggerId, Lane> lanes = new HashMap<>();
  private final ArrayDeque<Lane> turns = new ArrayDeque<>();
  private final Map<OrderKey, TreeMap<Long, Slot>> ordered = new HashMap<>();
  private final PriorityQueue<Alarm> scheduled =
      new PriorityQueue<>(Comparator.comparing(Alarm::due).thenComparingLong(Alarm::seq));
  private long bytes;
  private int running;
  private int settling;

  int size() {
    return slots.size();
  }

  long bytes() {
    return bytes;
  }

  int running() {
    return running;
  }

  int settling() {
    return settling;
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

  /** Looks through all rows: for an operator's request. */
  @Nullable Delivery find(DeliveryId id) {
    for (Slot slot : slots.values()) {
      if (slot.row.id().equals(id)) {
        return slot.row;
      }
    }
    return null;
  }

  /** When the longest waiting row in memory was accepted; looks through all rows. */
  @Nullable Instant oldestAcceptedAt() {
    Instant oldest = null;
    for (Slot slot : slots.values()) {
      if (oldest == null || slot.row.acceptedAt().isBefore(oldest)) {
        oldest = slot.row.acceptedAt();
      }
    }
    return oldest;
  }

  /** Takes a row into memory; one that is there already stays as it is. */
  void admit(Delivery row, Instant now) {
    if (slots.containsKey(row.seq())) {
      return;
    }
    var slot = new Slot(row, lanes.computeIfAbsent(row.trigger(), Lane::new));
    slots.put(row.seq(), slot);
    bytes += row.weight();
    if (row.orderingKey() == null) {
      enqueue(slot, now);
      return;
    }
    var line = ordered.computeIfAbsent(orderKey(row, row.orderingKey()), key -> new TreeMap<>());
    line.put(row.seq(), slot);
    if (line.firstEntry().getValue() == slot && line.size() == 1) {
      enqueue(slot, now);
    }
  }

  /** Rows whose time has come become ready. */
  void promote(Instant now) {
    for (Alarm first = scheduled.peek();
        first != null && !first.due().isAfter(now);
        first = scheduled.peek()) {
      scheduled.remove();
      if (!first.isStale()) {
        ready(first.slot());
      }
    }
  }

  /** When the first row in memory that is not due yet becomes due; null when there is none. */
  @Nullable Instant nextDue() {
    Alarm first = scheduled.peek();
    while (first != null && first.isStale()) {
      scheduled.remove();
      first = scheduled.peek();
    }
    return first == null ? null : first.due();
  }

  /**
   * The next row to run, which is then {@link Place#RUNNING}; null when there is none.
   *
   * @param limit executions that a trigger may have at once; 0 holds it
   */
  @Nullable Delivery startNext(ToIntFunction<TriggerId> limit) {
    for (int turn = turns.size(); turn > 0; turn--) {
      Lane lane = turns.remove();
      while (!lane.ready.isEmpty() && lane.ready.peek().place != Place.READY) {
        lane.ready.remove(); // cancelled meanwhile
      }
      if (lane.ready.isEmpty()) {
        lane.inTurn = false;
        continue;
      }
      if (lane.running >= limit.applyAsInt(lane.trigger)) {
        turns.add(lane);
        continue;
      }
      Slot slot = lane.ready.remove();
      if (lane.ready.isEmpty()) {
        lane.inTurn = false;
      } else {
        turns.add(lane);
      }
      slot.place = Place.RUNNING;
      lane.running++;
      running++;
      return slot.row;
    }
    return null;
  }

  /**
   * A running row goes back to where it came from: its execution could not be started after all.
   */
  void notStarted(long seq) {
    Slot slot = slots.get(seq);
    if (slot != null && slot.place == Place.RUNNING) {
      stopped(slot);
      slot.place = Place.READY;
      slot.lane.ready.addFirst(slot);
      takeTurn(slot.lane);
    }
  }

  /** A change of the row is on its way to the table. */
  void settling(long seq) {
    Slot slot = slots.get(seq);
    if (slot == null || slot.place == Place.SETTLING) {
      return;
    }
    if (slot.place == Place.RUNNING) {
      stopped(slot);
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
    bytes -= slot.row.weight();
    String key = slot.row.orderingKey();
    if (key == null) {
      return;
    }
    OrderKey orderKey = orderKey(slot.row, key);
    TreeMap<Long, Slot> line = ordered.get(orderKey);
    if (line == null) {
      return;
    }
    line.remove(seq);
    if (line.isEmpty()) {
      ordered.remove(orderKey);
    } else if (line.firstEntry().getValue().place == Place.HELD) {
      enqueue(line.firstEntry().getValue(), now);
    }
  }

  /** The row has a new version in the table and waits again. */
  void retried(Delivery next, Instant now) {
    Slot slot = slots.get(next.seq());
    if (slot == null) {
      return;
    }
    left(slot);
    bytes += next.weight() - slot.row.weight();
    slot.row = next;
    enqueue(slot, now);
  }

  private void left(Slot slot) {
    if (slot.place == Place.RUNNING) {
      stopped(slot);
    } else if (slot.place == Place.SETTLING) {
      settling--;
    }
    slot.place = Place.HELD; // stale entries in the queues are recognised by it
  }

  private void stopped(Slot slot) {
    slot.lane.running--;
    running--;
    if (!slot.lane.ready.isEmpty()) {
      takeTurn(slot.lane);
    }
  }

  private void enqueue(Slot slot, Instant now) {
    if (dueOrMin(slot.row).isAfter(now)) {
      slot.place = Place.SCHEDULED;
      scheduled.add(new Alarm(dueOrMin(slot.row), slot.row.seq(), slot));
    } else {
      ready(slot);
    }
  }

  private void ready(Slot slot) {
    slot.place = Place.READY;
    slot.lane.ready.add(slot);
    takeTurn(slot.lane);
  }

  private void takeTurn(Lane lane) {
    if (!lane.inTurn) {
      lane.inTurn = true;
      turns.add(lane);
    }
  }

  private static OrderKey orderKey(Delivery row, String key) {
    return new OrderKey(row.trigger(), key);
  }

  private static Instant dueOrMin(Delivery row) {
    Instant due = row.waitsUntil();
    return due == null ? Instant.MIN : due;
  }
}
