package dev.viesti.dispatcher.outbox;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What other threads have for an outbox: gathered, so that its actor is told once for all that came
 * since it last looked. Once closed it takes nothing, so whoever posts knows that nobody will look.
 * Thread-safe.
 */
public final class PostBox {
  private @Nullable Runnable signal;
  private List<Outbox.Command> waiting = new ArrayList<>();
  private boolean signalled;
  private boolean closed;

  /**
   * @param tell called when there is something, once until {@link #take}
   */
  synchronized void open(Runnable tell) {
    signal = tell;
    if (!waiting.isEmpty()) {
      signalled = true;
      tell.run();
    }
  }

  /**
   * @return false when nobody will look any more: nothing was taken
   */
  public synchronized boolean post(Outbox.Command command) {
    if (closed) {
      return false;
    }
    waiting.add(command);
    if (!signalled && signal != null) {
      signalled = true;
      signal.run();
    }
    return true;
  }

  /** Whether there are events among what the owner has not taken. */
  synchronized boolean holdsEvents() {
    return waiting.stream().anyMatch(Outbox.Accept.class::isInstance);
  }

  synchronized List<Outbox.Command> take() {
    List<Outbox.Command> taken = waiting;
    waiting = new ArrayList<>(taken.size());
    signalled = false;
    return taken;
  }

  /** What had come and will not be looked at. */
  synchronized List<Outbox.Command> close() {
    closed = true;
    return take();
  }
}
