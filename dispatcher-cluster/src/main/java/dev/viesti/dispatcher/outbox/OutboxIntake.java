package dev.viesti.dispatcher.outbox;

import dev.viesti.dispatcher.Receipt;
import dev.viesti.dispatcher.Refusal;
import dev.viesti.dispatcher.commit.Write;
import dev.viesti.dispatcher.wire.Answer;
import dev.viesti.persistence.SqlFailure;
import dev.viesti.persistence.outbox.Insert;
import dev.viesti.persistence.outbox.Inserted;
import dev.viesti.protocol.delivery.Delivery;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/**
 * How events come into an outbox: counts what waits, hands inserts to the node's writer, answers
 * the callers, and gives the rows to memory once they are durable. Belongs to one {@link Outbox}
 * and is called on its thread only, but for two things: callers bring events on their own threads
 * while they are let in, and the writer's lane gives the answers at once.
 */
final class OutboxIntake {
  static final String TOO_MUCH = "more is being accepted than PostgreSQL can take";

  private final OutboxParts parts;
  private final Entrance entrance;
  private final Window window;
  private final ArrayDeque<Outbox.Accept> held = new ArrayDeque<>();

  private final InFlight inFlight = new InFlight();
  private final AtomicLong pending = new AtomicLong();

  /** Rows that callers have brought and that {@link #pending} does not know yet. */
  private final AtomicLong onTheirWay = new AtomicLong();

  /** Under which callers are let in; 0 = they are not. */
  private long openEpoch;

  OutboxIntake(OutboxParts parts, Entrance entrance, Window window) {
    this.parts = parts;
    this.entrance = entrance;
    this.window = window;
  }

  /** Rows in the table, as far as they were counted at the claim. */
  long pending() {
    return pending.get();
  }

  /** Nothing is on its way to the table. */
  boolean quiet() {
    return inFlight.isEmpty();
  }

  /** See {@link InFlight#certainUpTo}. */
  long certainUpTo(Ownership ownership) {
    return inFlight.certainUpTo(ownership::certainUpTo, ownership.beforeClaim());
  }

  /** The table is known to be empty: whatever was counted wrongly is put right. */
  void emptied() {
    pending.set(0);
  }

  void claimed(long pendingThen) {
    pending.set(pendingThen);
  }

  void settled(int rows) {
    pending.set(Math.max(0, pending.get() - rows)); // only the owner's thread writes it
  }

  /** Rows that are not counted yet, of clients or from the dead letters, have become deliveries. */
  void grew(int rows) {
    pending.addAndGet(rows);
  }

  // ---- events

  /**
   * Lets callers bring their events past the owner, or no longer; called at the end of each turn.
   *
   * @param epoch under which they are written
   */
  void letIn(boolean open, long epoch) {
    long wanted = open ? epoch : 0;
    entrance.epoch().set(wanted);
    if (openEpoch == wanted) {
      return;
    }
    entrance.close();
    openEpoch = open && entrance.open(accept -> write(accept, epoch)) ? epoch : 0;
  }

  void accept(Outbox.Accept accept, Ownership.Phase phase, long epoch) {
    switch (phase) {
      case OWNING -> write(accept, epoch);
      case CLAIMING, RENEWING -> hold(accept);
      case DRAINING, PURGING -> refuse(accept, Outbox.MOVING);
    }
  }

  /** Keeps events until there is an epoch, up to a limit. */
  private void hold(Outbox.Accept accept) {
    if (held.size() < parts.settings().claimWaitingMax()) {
      held.add(accept);
    } else {
      refuse(accept, "the app's owner is starting");
    }
  }

  void writeHeld(long epoch) {
    while (!held.isEmpty()) {
      write(held.remove(), epoch);
    }
  }

  void refuseHeld(String why) {
    while (!held.isEmpty()) {
      refuse(held.remove(), why);
    }
  }

  void refuse(Outbox.Accept accept, String why) {
    parts.owners().telemetry().refused(accept.events().size());
    accept.answer().accept(Answer.unavailable(why));
  }

  private void write(Outbox.Accept accept, long epoch) {
    List<Insert.Routed> routed = accept.events();
    if (routed.stream().anyMatch(event -> event.routes().isEmpty())) {
      routed = routed.stream().filter(event -> !event.routes().isEmpty()).toList();
    }
    long bytes = 0;
    for (Insert.Routed event : routed) {
      bytes += (long) event.event().weight() * event.routes().size();
    }
    var insert = new Insert(parts.app(), epoch, parts.owners().clock().instant(), routed);
    long waiting = onTheirWay.get() + pending.get();
    if (waiting + insert.rows() > parts.settings().pendingMax()) {
      refuse(accept, "the app has %,d deliveries waiting, which is its limit".formatted(waiting));
      return;
    }
    int rows = insert.rows();
    onTheirWay.addAndGet(rows);
    var write =
        new InFlight.Sent(
            epoch,
            result -> {
              InFlight.After after = accepted(accept, result);
              onTheirWay.addAndGet(-rows); // after they were counted: the limit must not be missed
              return after;
            });
    submit(
        write,
        new Write.Accept(
            insert,
            bytes,
            inserted -> answer(accept, inserted),
            result -> parts.posts().post(new Outbox.Written(write, result))),
        () -> {
          onTheirWay.addAndGet(-rows);
          refuse(accept, TOO_MUCH);
        });
  }

  void submit(InFlight.Sent write, Write what, Runnable refused) {
    if (!inFlight.send(write, () -> parts.owners().commits().writer().submit(what))) {
      refused.run();
    }
  }

  /** On the writer's lane, so that the caller need not wait for the owner's turn. */
  private void answer(Outbox.Accept accept, Inserted inserted) {
    List<Receipt> receipts = new ArrayList<>(accept.events().size());
    BitSet duplicates = inserted.duplicates();
    int routed = 0;
    int unmatched = 0;
    for (Insert.Routed matched : accept.events()) {
      String id = matched.event().cloudEventId();
      if (matched.routes().isEmpty()) {
        unmatched++;
        receipts.add(new Receipt(id, 0, false));
      } else {
        boolean duplicate = duplicates.get(routed++);
        receipts.add(new Receipt(id, duplicate ? 0 : matched.routes().size(), duplicate));
      }
    }
    parts
        .owners()
        .telemetry()
        .accepted(receipts.size() - duplicates.cardinality(), unmatched, duplicates.cardinality());
    accept.answer().accept(new Answer.Accepted(receipts));
  }

  /** The news of a write; see {@link InFlight#news}. */
  InFlight.After written(InFlight.Sent write, Write.Result result, long epoch) {
    return inFlight.news(write, result, epoch);
  }

  private InFlight.After accepted(Outbox.Accept accept, Write.Result result) {
    return switch (result) {
      case Write.Result.Accepted(var inserted) -> {
        take(inserted.rows());
        yield InFlight.After.NOTHING;
      }
      case Write.Result.Replayed replayed ->
          throw new IllegalStateException("an insert was answered as a replay");
      case Write.Result.Moved moved ->
          throw new IllegalStateException("an insert was answered as a move");
      case Write.Result.Fenced fenced -> {
        refuse(accept, Outbox.MOVING);
        yield InFlight.After.RENEW;
      }
      case Write.Result.Failed(var failure, var detail) -> {
        if (failure == SqlFailure.REFUSED) {
          accept.answer().accept(new Answer.Refused(new Refusal.Invalid("", detail)));
        } else {
          refuse(accept, "the database is not available: " + detail);
        }
        yield doubt(failure);
      }
    };
  }

  /** Its rows may be there all the same. */
  InFlight.After doubt(SqlFailure failure) {
    if (failure != SqlFailure.UNKNOWN) {
      return InFlight.After.NOTHING;
    }
    window.table().doubt();
    return InFlight.After.RENEW;
  }

  /** Rows due at once that the writer has just made durable. */
  void take(List<Delivery> rows) {
    if (rows.isEmpty()) {
      return;
    }
    grew(rows.size());
    boolean fits = !window.table().behind() && window.hasRoom();
    for (Delivery row : rows) {
      Instant due = row.dueAt();
      if (due != null) {
        window
            .table()
            .dropped(due); // a page may have brought it before this news: only the table knows
      } else if (!window.table().passed(row.seq())) {
        if (fits) {
          window.admit(row);
        } else {
          window.admitAhead(row);
        }
      }
    }
    window.table().wrote(rows.getLast().seq(), fits);
    window.known();
  }
}
