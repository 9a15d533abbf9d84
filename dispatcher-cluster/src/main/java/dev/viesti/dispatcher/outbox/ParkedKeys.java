package dev.viesti.dispatcher.outbox;

import dev.viesti.protocol.delivery.OrderKey;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The keys of which nothing runs because a delivery of them is a dead letter that nobody has dealt
 * with. The table of dead letters is the truth; what it says is compared with what is on its way
 * there. Pure; not thread-safe; private to the owner.
 */
final class ParkedKeys {
  /** A dead letter of the key is on its way to the table. */
  private static final long ON_ITS_WAY = Long.MAX_VALUE;

  /** When the newest dead letter of a key was durable, in the count of {@link #clock}. */
  private final Map<OrderKey, Long> since = new HashMap<>();

  private long clock;

  boolean contains(@Nullable OrderKey key) {
    return key != null && since.containsKey(key);
  }

  /** A delivery of the key is about to become a dead letter. */
  void burying(OrderKey key) {
    since.put(key, ON_ITS_WAY);
  }

  /** That is durable. */
  void buried(@Nullable OrderKey key) {
    if (key != null && since.containsKey(key)) {
      since.put(key, ++clock);
    }
  }

  /** Whether a dead letter of any parked key is on its way. */
  boolean isBurying() {
    return since.containsValue(ON_ITS_WAY);
  }

  /** What is asked of the table now will be answered as of now or later. */
  long asking() {
    return clock;
  }

  /**
   * The table has answered.
   *
   * @param asked what {@link #asking} said then
   * @param open every key with an open dead letter
   */
  void answered(long asked, Set<OrderKey> open) {
    since.entrySet().removeIf(one -> one.getValue() <= asked && !open.contains(one.getKey()));
    open.forEach(key -> since.putIfAbsent(key, clock));
  }

  /** All dead letters of these keys were put back. */
  void replayed(Collection<OrderKey> keys) {
    since.keySet().removeAll(keys);
  }

  /** Only keys for which {@code stays} holds may be parked from now on. */
  void retain(Predicate<OrderKey> stays) {
    since.keySet().removeIf(stays.negate());
  }
}
