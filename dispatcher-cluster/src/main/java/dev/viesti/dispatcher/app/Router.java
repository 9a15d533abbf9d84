package dev.viesti.dispatcher.app;

import dev.viesti.dispatcher.TriggerView;
import dev.viesti.dispatcher.filter.EventFilter;
import dev.viesti.dispatcher.filter.EventView;
import dev.viesti.dispatcher.filter.FilterResult;
import dev.viesti.dispatcher.filter.InvalidFilterException;
import dev.viesti.persistence.outbox.Insert;
import dev.viesti.protocol.event.Event;
import dev.viesti.protocol.trigger.EventPattern;
import dev.viesti.protocol.trigger.OrderBy;
import dev.viesti.protocol.trigger.Trigger;
import dev.viesti.protocol.trigger.TriggerId;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Matches events to an app's triggers, in memory. Made anew when the triggers change. A filter that
 * fails on an event (a field that is not there) does not match it; that is counted.
 */
final class Router {
  private record Rule(
      TriggerId id, Trigger trigger, List<EventPattern> on, @Nullable EventFilter filter) {
    boolean matches(Event event) {
      for (EventPattern pattern : on) {
        if (pattern.matches(event)) {
          return true;
        }
      }
      return false;
    }
  }

  private static final Logger LOG = LoggerFactory.getLogger(Router.class);

  private final List<Rule> rules = new ArrayList<>();
  private final Runnable filterFailed;

  /**
   * @param derived of plugins
   * @param filterFailed called for each filter that failed on an event
   */
  Router(
      Collection<TriggerView> triggers,
      List<PluginTriggers.Derived> derived,
      Runnable filterFailed) {
    this.filterFailed = filterFailed;
    for (TriggerView view : triggers) {
      if (view.trigger().enabled()) {
        addRule(view);
      }
    }
    for (PluginTriggers.Derived own : derived) {
      if (own.trigger().enabled()) {
        rules.add(new Rule(own.id(), own.trigger(), own.on(), null));
      }
    }
    rules.sort(Comparator.comparing(Rule::id));
  }

  private void addRule(TriggerView view) {
    String filter = view.trigger().filter();
    try {
      EventFilter compiled = filter == null ? null : EventFilter.compile(filter);
      rules.add(new Rule(view.id(), view.trigger(), List.of(view.trigger().on()), compiled));
    } catch (InvalidFilterException stricterNow) {
      LOG.error(
          "trigger {} matches nothing: its filter was accepted once and is not any more ({})",
          view.id(),
          stricterNow.getMessage());
    }
  }

  /** The matches of {@code event}, in the order of the trigger ids. */
  List<Insert.Route> route(Event event) {
    List<Insert.Route> routes = List.of();
    EventView view = null;
    for (Rule rule : rules) {
      if (!rule.matches(event)) {
        continue;
      }
      EventFilter filter = rule.filter();
      if (filter != null) {
        view = view == null ? EventView.of(event) : view;
        FilterResult result = filter.evaluate(view);
        if (result instanceof FilterResult.Failed) {
          filterFailed.run();
        }
        if (!(result instanceof FilterResult.Matched)) {
          continue;
        }
      }
      if (routes.isEmpty()) {
        routes = new ArrayList<>(2);
      }
      OrderBy orderBy = rule.trigger().orderBy();
      routes.add(new Insert.Route(rule.id(), orderBy == null ? null : orderBy.keyOf(event)));
    }
    return routes;
  }
}
