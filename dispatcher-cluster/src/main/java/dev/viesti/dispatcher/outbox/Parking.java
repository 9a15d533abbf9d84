package dev.viesti.dispatcher.outbox;

import dev.viesti.protocol.delivery.Delivery;
import dev.viesti.protocol.delivery.OrderKey;
import dev.viesti.protocol.trigger.TriggerId;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Keeps {@link ParkedKeys} right: asks the table which keys have open dead letters, and gives up
 * the deliveries that come up behind them. Belongs to one {@link Outbox} and is called on its
 * thread only.
 */
final class Parking {
  private static final String PARKED = "parked: an earlier delivery of its key is a dead letter";
  private static final Duration ASK_AGAIN = Duration.ofSeconds(1);

  private final OutboxParts parts;
  private final Window window;
  private final OutboxSettling settling;
  private OutboxPolicy policy;
  private boolean replaying;

  Parking(OutboxParts parts, Window window, OutboxSettling settling, OutboxPolicy policy) {
    this.parts = parts;
    this.window = window;
    this.settling = settling;
    this.policy = policy;
  }

  /**
   * @return whether keys may be parked of which the table of dead letters has not been asked
   */
  boolean configure(OutboxPolicy changed) {
    Set<TriggerId> before = policy.parking();
    policy = changed;
    Set<TriggerId> parking = changed.parking();
    keys().retain(key -> parking.contains(key.trigger()));
    window.ledger().rearrange(parts.now());
    return !before.containsAll(parking);
  }

  /** Triggers that park their keys. */
  Set<TriggerId> triggers() {
    return policy.parking();
  }

  /** Asks the table. */
  void check() {
    Set<TriggerId> parking = triggers();
    if (!parking.isEmpty()) {
      long asked = keys().asking();
      parts.ask(
          () -> parts.owners().tables().deadLetters().parkedKeys(parts.app(), parking),
          (open, failure) -> new Outbox.ParkedFound(asked, open));
    }
  }

  /** It has answered, or could not. During a replay it may have seen what the owner has not. */
  void found(long asked, @Nullable Set<OrderKey> open) {
    if (open == null || replaying) {
      parts.timers().startSingleTimer(new Outbox.CheckParked(), ASK_AGAIN);
    } else {
      answered(asked, open);
    }
  }

  /** The claim has asked it. */
  void claimed(Set<OrderKey> open) {
    answered(keys().asking(), open);
  }

  private void answered(long asked, Set<OrderKey> open) {
    Set<TriggerId> parking = triggers();
    Set<OrderKey> known = new HashSet<>(open);
    known.removeIf(key -> !parking.contains(key.trigger()));
    keys().answered(asked, known);
    window.ledger().rearrange(parts.now());
  }

  /** Gives up what has come up and is parked. */
  void bury() {
    Delivery row = replaying ? null : window.ledger().nextParked();
    while (row != null) {
      keys().burying(new OrderKey(row.trigger(), String.valueOf(row.orderingKey())));
      settling.buryUntried(row, PARKED);
      row = window.ledger().nextParked();
    }
  }

  /** Whether a dead letter of a parked key is on its way: what replays the key must wait for it. */
  boolean isBurying() {
    return keys().isBurying();
  }

  /** While dead letters are being put back, no further delivery joins them. */
  void replaying(boolean underWay) {
    replaying = underWay;
  }

  /** Dead letters are back in the table, all of them of these keys. */
  void replayed(Set<OrderKey> back) {
    keys().replayed(back);
    window.known();
    window.ledger().rearrange(parts.now());
  }

  private ParkedKeys keys() {
    return window.ledger().parked();
  }
}
