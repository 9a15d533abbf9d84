package dev.viesti.dispatcher.outbox;

import dev.viesti.persistence.outbox.Insert;
import dev.viesti.protocol.event.Event;
import dev.viesti.protocol.trigger.TriggerId;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

/**
 * What an outbox tells its app; all of them may only tell.
 *
 * @param disable an endpoint said that it is gone for good
 * @param idle there has been nothing to do for a while
 * @param router answers with the matches of each event, in their order; maybe never
 */
public record OutboxParent(
    BiConsumer<TriggerId, String> disable,
    Runnable idle,
    BiConsumer<List<Event>, Consumer<List<List<Insert.Route>>>> router) {
  void route(List<Event> events, Consumer<List<List<Insert.Route>>> answer) {
    router.accept(events, answer);
  }
}
