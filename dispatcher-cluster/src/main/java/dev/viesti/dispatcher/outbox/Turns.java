package dev.viesti.dispatcher.outbox;

import dev.viesti.protocol.trigger.Trigger;
import dev.viesti.protocol.trigger.TriggerId;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToIntFunction;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Whose turn it is to run: of the rows that may, those of triggers with a larger priority come
 * first, and equal triggers take turns, so that one with many rows does not keep another from
 * running. Pure; not thread-safe; private to a {@link Ledger}.
 */
final class Turns {
  /** The rows of one trigger that may run, and how many of it run. */
  static final class Lane {
    private final TriggerId trigger;
    private final ArrayDeque<Slot> ready = new ArrayDeque<>();
    private int priority;
    private int running;
    private boolean inTurn;

    private Lane(TriggerId trigger, int priority) {
      this.trigger = trigger;
      this.priority = priority;
    }
  }

  /** In place of the priority of a trigger that was removed: its rows have no turn to run. */
  static final int REMOVED = -1;

  private final Map<TriggerId, Lane> lanes = new HashMap<>();
  private final ArrayDeque<Lane> removed = new ArrayDeque<>();
  private final List<ArrayDeque<Lane>> turns = // by priority
      Stream.<ArrayDeque<Lane>>generate(ArrayDeque::new).limit(Trigger.PRIORITY_MAX + 1).toList();
  private ToIntFunction<TriggerId> priorities = trigger -> 0;
  private int running;
  private int queued;

  int running() {
    return running;
  }

  /** Rows in the queues; some of them may have gone meanwhile. */
  int ready() {
    return queued;
  }

  Lane lane(TriggerId trigger) {
    return lanes.computeIfAbsent(trigger, id -> new Lane(id, priorities.applyAsInt(id)));
  }

  /**
   * Rows of triggers with a larger priority start first; equal ones take turns.
   *
   * @param priority 0 to {@link Trigger#PRIORITY_MAX}, or {@link #REMOVED}
   */
  void prioritise(ToIntFunction<TriggerId> priority) {
    priorities = priority;
    List<Lane> inTurn = new ArrayList<>(removed);
    turns.forEach(inTurn::addAll);
    removed.clear();
    turns.forEach(ArrayDeque::clear);
    for (Lane lane : lanes.values()) {
      lane.priority = priority.applyAsInt(lane.trigger);
    }
    inTurn.forEach(lane -> turns(lane).add(lane));
  }

  /** The row may run, after those of its trigger that may already. */
  void ready(Slot slot) {
    slot.lane.ready.add(slot);
    queued++;
    takeTurn(slot.lane);
  }

  /** The row could not be started after all: it is its trigger's next one again. */
  void readyAgain(Slot slot) {
    slot.lane.ready.addFirst(slot);
    queued++;
    takeTurn(slot.lane);
  }

  /**
   * The next row to run, which counts as running from now on; null when there is none.
   *
   * @param limit executions that a trigger may have at once; 0 holds it
   */
  @Nullable Slot next(ToIntFunction<TriggerId> limit) {
    for (ArrayDeque<Lane> equals : turns.reversed()) {
      Slot slot = equals.isEmpty() ? null : next(equals, limit);
      if (slot != null) {
        return slot;
      }
    }
    return null;
  }

  private @Nullable Slot next(ArrayDeque<Lane> equals, ToIntFunction<TriggerId> limit) {
    for (int turn = equals.size(); turn > 0; turn--) {
      Lane lane = equals.remove();
      if (isEmpty(lane)) {
        lane.inTurn = false;
        continue;
      }
      if (lane.running >= limit.applyAsInt(lane.trigger)) {
        equals.add(lane);
        continue;
      }
      Slot slot = lane.ready.remove();
      queued--;
      if (lane.ready.isEmpty()) {
        lane.inTurn = false;
      } else {
        equals.add(lane);
      }
      lane.running++;
      running++;
      return slot;
    }
    return null;
  }

  /** The next row whose trigger was removed, in its place; null when there is none. */
  @Nullable Slot nextRemoved() {
    for (Lane lane = removed.peek(); lane != null; lane = removed.peek()) {
      if (!isEmpty(lane)) {
        queued--;
        return lane.ready.remove();
      }
      removed.remove();
      lane.inTurn = false;
    }
    return null;
  }

  private boolean isEmpty(Lane lane) {
    while (!lane.ready.isEmpty() && lane.ready.peek().place != Ledger.Place.READY) {
      lane.ready.remove(); // cancelled meanwhile
      queued--;
    }
    return lane.ready.isEmpty();
  }

  /** A row that {@link #next} gave does not run any more. */
  void stopped(Slot slot) {
    slot.lane.running--;
    running--;
    if (!slot.lane.ready.isEmpty()) {
      takeTurn(slot.lane);
    }
  }

  private void takeTurn(Lane lane) {
    if (!lane.inTurn) {
      lane.inTurn = true;
      turns(lane).add(lane);
    }
  }

  private ArrayDeque<Lane> turns(Lane lane) {
    return lane.priority == REMOVED ? removed : turns.get(lane.priority);
  }
}
