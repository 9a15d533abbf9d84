package dev.viesti.dispatcher.app;

import dev.viesti.dispatcher.Receipt;
import dev.viesti.dispatcher.metrics.Telemetry;
import dev.viesti.dispatcher.outbox.Entrance;
import dev.viesti.dispatcher.outbox.Outbox;
import dev.viesti.dispatcher.wire.Answer;
import dev.viesti.persistence.outbox.Insert;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.event.Event;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The apps whose owners are on this node, for callers in the same JVM: their events are matched on
 * the caller's own thread and go straight to the app's {@link Entrance}. Thread-safe.
 *
 * <p>Only a short cut: an app that is not here, or whose owner is just stopping, is reached through
 * its shard.
 */
public final class LocalApps {
  private record Entry(Router router, Entrance entrance, boolean open) {}

  private final Map<AppId, Entry> apps = new ConcurrentHashMap<>();
  private final Telemetry telemetry;

  public LocalApps(Telemetry telemetry) {
    this.telemetry = telemetry;
  }

  /**
   * The app's owner is here, or its triggers changed.
   *
   * @param open whether it accepts events
   */
  void put(AppId app, Router router, Entrance entrance, boolean open) {
    apps.put(app, new Entry(router, entrance, open));
  }

  /** It accepts events again, or none until further notice. */
  void open(AppId app, boolean open) {
    apps.computeIfPresent(app, (id, entry) -> new Entry(entry.router(), entry.entrance(), open));
  }

  void remove(AppId app) {
    apps.remove(app);
  }

  /** The way to its owner; null when it is not here. */
  @Nullable Entrance entrance(AppId app) {
    Entry entry = apps.get(app);
    return entry == null ? null : entry.entrance();
  }

  /**
   * Accepts events of an app that is here.
   *
   * @param answer called once, on any thread; may only tell
   * @return false when it is not here: nothing was done, and {@code answer} will not be called
   */
  public boolean publish(AppId app, List<Event> events, Consumer<Answer> answer) {
    Entry entry = apps.get(app);
    return entry != null
        && entry.open()
        && publish(entry.router(), entry.entrance(), events, answer);
  }

  /**
   * Matches events that are in the table already; they count as accepted.
   *
   * @param answer is told the matches of each; not when the app is not here
   */
  void route(AppId app, List<Event> events, Consumer<List<List<Insert.Route>>> answer) {
    Entry entry = apps.get(app);
    if (entry != null) {
      List<List<Insert.Route>> routes = events.stream().map(entry.router()::route).toList();
      int unmatched = (int) routes.stream().filter(List::isEmpty).count();
      telemetry.accepted(events.size(), unmatched, 0);
      answer.accept(routes);
    }
  }

  /** There are new events of the app in the table, which its owner has to route. */
  public void published(AppId app) {
    Entry entry = apps.get(app);
    if (entry != null) {
      entry.entrance().clientRowsMayWait();
    }
  }

  private boolean publish(
      Router router, Entrance entrance, List<Event> events, Consumer<Answer> answer) {
    List<Insert.Routed> routed = new ArrayList<>(events.size());
    boolean any = false;
    for (Event event : events) {
      List<Insert.Route> routes = router.route(event);
      any |= !routes.isEmpty();
      routed.add(new Insert.Routed(event, routes));
    }
    if (any) {
      return entrance.accept(new Outbox.Accept(routed, answer));
    }
    telemetry.accepted(events.size(), events.size(), 0);
    answer.accept(
        new Answer.Accepted(
            events.stream().map(event -> new Receipt(event.cloudEventId(), 0, false)).toList()));
    return true;
  }
}
