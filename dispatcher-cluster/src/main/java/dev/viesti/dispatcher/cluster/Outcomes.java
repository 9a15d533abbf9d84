package dev.viesti.dispatcher.cluster;

import dev.viesti.dispatcher.OutcomeNotice;
import dev.viesti.dispatcher.wire.Wire;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArraySet;
import java.util.function.Consumer;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.Props;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.receptionist.Receptionist;
import org.apache.pekko.actor.typed.receptionist.ServiceKey;

/**
 * Carries notices of outcomes from the nodes on which they happen to the nodes on which somebody
 * looks. A node is known to the others only while it has a listener, so nobody makes notices that
 * nobody sees. Thread-safe.
 */
public final class Outcomes {
  sealed interface Command {}

  /** From any node. */
  record Batch(List<OutcomeNotice> notices) implements Command, Wire {}

  private record Watch(boolean on) implements Command {}

  private record Watchers(Set<ActorRef<Batch>> refs) implements Command {}

  private static final ServiceKey<Batch> KEY = ServiceKey.create(Batch.class, "viesti-outcomes");

  private final Set<Consumer<OutcomeNotice>> listeners = new CopyOnWriteArraySet<>();
  private volatile Set<ActorRef<Batch>> watchers = Set.of();
  private final ActorRef<Command> actor;

  public Outcomes(ActorSystem<?> system) {
    actor = system.systemActorOf(behavior(), "viesti-outcomes", Props.empty());
  }

  /** Whether any node looks. */
  public boolean wanted() {
    return !watchers.isEmpty();
  }

  /** Sends notices to the nodes that look; may lose them, never waits. */
  public void show(List<OutcomeNotice> notices) {
    var batch = new Batch(notices);
    for (ActorRef<Batch> watcher : watchers) {
      watcher.tell(batch);
    }
  }

  /**
   * @param listener must not block
   * @return ends it
   */
  public AutoCloseable subscribe(Consumer<OutcomeNotice> listener) {
    Consumer<OutcomeNotice> own = notice -> listener.accept(notice); // it may subscribe twice
    listeners.add(own);
    actor.tell(new Watch(true));
    return () -> {
      listeners.remove(own);
      if (listeners.isEmpty()) {
        actor.tell(new Watch(false));
      }
    };
  }

  private Behavior<Command> behavior() {
    return Behaviors.setup(
        context -> {
          ActorRef<Receptionist.Listing> listings =
              context.messageAdapter(
                  Receptionist.Listing.class,
                  listing -> new Watchers(listing.getServiceInstances(KEY)));
          context.getSystem().receptionist().tell(Receptionist.subscribe(KEY, listings));
          return Behaviors.receiveMessage(command -> on(context, command));
        });
  }

  private Behavior<Command> on(ActorContext<Command> context, Command command) {
    switch (command) {
      case Batch(var notices) -> {
        for (OutcomeNotice notice : notices) {
          listeners.forEach(listener -> listener.accept(notice));
        }
      }
      case Watchers(var refs) -> watchers = Set.copyOf(refs);
      case Watch(var on) -> {
        ActorRef<Batch> self = context.getSelf().narrow();
        var receptionist = context.getSystem().receptionist();
        receptionist.tell(
            on && !listeners.isEmpty()
                ? Receptionist.register(KEY, self)
                : Receptionist.deregister(KEY, self));
      }
    }
    return Behaviors.same();
  }
}
