package dev.viesti.dispatcher.outbox;

import org.jspecify.annotations.Nullable;

/**
 * Where events come in from callers in this JVM. While the owner has an epoch and nothing waits for
 * it, callers hand their events to the node's writer on their own thread; at other times the owner
 * looks at them first. Either way they are taken in the order of the calls. Thread-safe.
 */
public final class Entrance {
  /** Takes events, or refuses them; called by one thread at a time. */
  interface Door {
    void accept(Outbox.Accept accept);
  }

  private final PostBox posts = new PostBox();
  private final CurrentEpoch epoch = new CurrentEpoch();
  private @Nullable Door door;

  /**
   * @return false when nobody is there any more: nothing was taken, and there will be no answer
   */
  public synchronized boolean accept(Outbox.Accept accept) {
    if (door == null) {
      return posts.post(accept);
    }
    door.accept(accept);
    return true;
  }

  /** Tells the owner what changed, before whatever comes in from now on. */
  public void configure(OutboxPolicy policy) {
    posts.post(new Outbox.Configure(policy));
  }

  /** Under which the owner writes; there is none while it takes no events. */
  public CurrentEpoch epoch() {
    return epoch;
  }

  /** Tells the owner that there may be rows that are not routed yet. */
  public void clientRowsMayWait() {
    posts.post(new Outbox.ClientRowsMayWait());
  }

  PostBox posts() {
    return posts;
  }

  /**
   * From now on events need not wait for the owner.
   *
   * @return false when some already do: they go first
   */
  synchronized boolean open(Door opened) {
    if (posts.holdsEvents()) {
      return false;
    }
    door = opened;
    return true;
  }

  /** Events wait for the owner again; none is being taken any more when this returns. */
  synchronized void close() {
    door = null;
  }
}
