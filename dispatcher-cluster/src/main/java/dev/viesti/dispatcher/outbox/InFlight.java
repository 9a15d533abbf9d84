package dev.viesti.dispatcher.outbox;

import dev.viesti.dispatcher.commit.Write;
import java.util.ArrayDeque;
import java.util.Objects;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * An owner's writes whose news it has not taken over, in the order in which the lane got them.
 * Callers add theirs on their own threads; the rest is the owner's. Thread-safe.
 */
final class InFlight {
  /** What the owner must do after the news of a write. */
  enum After {
    NOTHING,
    /** Take a new epoch, or learn that somebody else has. */
    RENEW
  }

  /** One write. */
  static final class Sent {
    private final long epoch;
    private final Function<Write.Result, After> then;
    private Write.@Nullable Result result;

    /**
     * @param epoch that it was sent under
     */
    Sent(long epoch, Function<Write.Result, After> then) {
      this.epoch = epoch;
      this.then = then;
    }
  }

  private final ArrayDeque<Sent> writes = new ArrayDeque<>();

  /**
   * Adds a write and hands it over, before anybody else does either.
   *
   * @param lane takes it, or refuses it
   * @return whether it was taken
   */
  synchronized boolean send(Sent write, BooleanSupplier lane) {
    writes.add(write);
    boolean taken = lane.getAsBoolean();
    if (!taken) {
      writes.removeLast();
    }
    return taken;
  }

  /** Nothing is on its way to the table; while callers are let in, that may change at any time. */
  synchronized boolean isEmpty() {
    return writes.isEmpty();
  }

  /**
   * Up to which number every row is in the table or never will be, unless an answer was lost.
   *
   * @param lastNumber the largest that was given out
   * @param beforeClaim the same when this owner began
   */
  long certainUpTo(LongSupplier lastNumber, long beforeClaim) {
    // it is asked first: what is sent after that gets larger numbers, or is found on its way
    long last = lastNumber.getAsLong();
    return isEmpty() ? last : beforeClaim;
  }

  /**
   * The news of a write, and of those after it that waited for it.
   *
   * @param epoch the owner's; that a write under an older one was fenced is no news
   */
  After news(Sent write, Write.Result result, long epoch) {
    write.result = result;
    After after = After.NOTHING;
    for (Sent first = next(); first != null; first = next()) {
      Write.Result news = Objects.requireNonNull(first.result);
      boolean stale = news instanceof Write.Result.Fenced && first.epoch < epoch;
      boolean renew = first.then.apply(news) == After.RENEW && !stale;
      after = renew ? After.RENEW : after;
    }
    return after;
  }

  /** Takes the first write, if its news is there. */
  private synchronized @Nullable Sent next() {
    Sent first = writes.peek();
    return first == null || first.result == null ? null : writes.remove();
  }
}
