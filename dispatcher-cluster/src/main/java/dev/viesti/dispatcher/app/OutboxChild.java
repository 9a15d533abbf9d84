package dev.viesti.dispatcher.app;

import dev.viesti.dispatcher.outbox.Entrance;
import dev.viesti.dispatcher.outbox.Outbox;
import dev.viesti.dispatcher.outbox.OutboxParent;
import dev.viesti.dispatcher.outbox.OutboxPolicy;
import dev.viesti.persistence.outbox.Insert;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.event.Event;
import dev.viesti.protocol.trigger.Trigger;
import dev.viesti.protocol.trigger.TriggerId;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.jspecify.annotations.Nullable;

/**
 * An app's outbox, as its app sees it: started when there is an app, told what changes, and found
 * again after the app itself was restarted. Belongs to one {@link App} and is called on its thread
 * only.
 */
final class OutboxChild {
  /** What its outbox has to say. */
  sealed interface News extends App.Command {}

  record Disable(TriggerId id, String reason) implements News {}

  record RouteRows(List<Event> events, Consumer<List<List<Insert.Route>>> answer) implements News {}

  record Gone() implements News {}

  record Idle() implements News {}

  private static final String NAME = "outbox";

  private final ActorContext<App.Command> context;
  private final AppId app;
  private final AppParts parts;
  private final OutboxParent parent;
  private @Nullable ActorRef<Outbox.Command> outbox;
  private @Nullable Entrance entrance;

  OutboxChild(ActorContext<App.Command> context, AppId app, AppParts parts) {
    this.context = context;
    this.app = app;
    this.parts = parts;
    ActorRef<App.Command> self = context.getSelf();
    this.parent =
        new OutboxParent(
            (id, reason) -> self.tell(new Disable(id, reason)),
            () -> self.tell(new Idle()),
            (events, answer) -> self.tell(new RouteRows(events, answer)));
    context.getChild(NAME).ifPresent(child -> outbox = child.<Outbox.Command>unsafeUpcast());
    this.entrance = parts.locals().entrance(app);
  }

  /** Null while there is none. */
  @Nullable ActorRef<Outbox.Command> ref() {
    return outbox;
  }

  /**
   * @return false when there is none
   */
  boolean tell(Outbox.Command command) {
    if (outbox == null) {
      return false;
    }
    outbox.tell(command);
    return true;
  }

  /**
   * Starts it, or tells it what changed; from then on events are matched to these triggers.
   *
   * @param state of an app that exists
   * @param open whether events are accepted
   */
  void configure(AppState state, OutboxPolicy policy, boolean open) {
    Entrance way = entrance;
    if (outbox != null && way != null) {
      way.configure(policy); // ahead of the rows of events that are matched to new triggers
    } else {
      way = new Entrance();
      outbox = context.spawn(Outbox.create(parts.owners(), app, way, policy, parent), NAME);
      context.watchWith(outbox, new Gone());
      context.cancelReceiveTimeout();
      entrance = way;
    }
    var router =
        new Router(
            state.triggers().values(),
            PluginTriggers.of(state),
            parts.owners().telemetry()::filterFailed);
    parts.locals().put(app, router, way, open);
  }

  /** It has stopped. */
  void gone() {
    outbox = null;
    entrance = null;
    parts.locals().remove(app);
  }

  static @Nullable OutboxPolicy policy(AppState state) {
    if (state.settings() == null) {
      return null;
    }
    Map<TriggerId, Trigger> triggers = new HashMap<>();
    state.triggers().values().forEach(view -> triggers.put(view.id(), view.trigger()));
    PluginTriggers.of(state).forEach(own -> triggers.putIfAbsent(own.id(), own.trigger()));
    return new OutboxPolicy(state.settings(), Map.copyOf(triggers));
  }
}
