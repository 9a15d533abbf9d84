package dev.viesti.dispatcher.app;

import dev.viesti.dispatcher.PluginView;
import dev.viesti.protocol.plugin.Manifest;
import dev.viesti.protocol.plugin.PluginId;
import dev.viesti.protocol.trigger.EventPattern;
import dev.viesti.protocol.trigger.Target;
import dev.viesti.protocol.trigger.Trigger;
import dev.viesti.protocol.trigger.TriggerId;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The triggers that plugins bring along: one for each that has a current version, for the events
 * that its manifest subscribes to. They follow from what is installed, and are in no journal and no
 * list of triggers; their ids are in deliveries, dead letters and outcomes.
 */
final class PluginTriggers {
  /**
   * @param on any of them is enough; none when the plugin subscribes to nothing, but may have
   *     deliveries from a time when it did
   */
  record Derived(TriggerId id, Trigger trigger, List<EventPattern> on) {}

  private PluginTriggers() {}

  static TriggerId idOf(PluginId plugin) {
    return new TriggerId(PluginView.TRIGGER_PREFIX + plugin);
  }

  /** Whether no other trigger may be called so. */
  static boolean isReserved(TriggerId id) {
    return id.value().startsWith(PluginView.TRIGGER_PREFIX);
  }

  static List<Derived> of(AppState state) {
    List<Derived> all = new ArrayList<>(state.plugins().size());
    for (PluginView plugin : state.plugins().values()) {
      Derived derived = of(plugin);
      if (derived != null) {
        all.add(derived);
      }
    }
    return all;
  }

  /** In quarantine it matches all the same: what comes meanwhile waits. */
  private static @Nullable Derived of(PluginView plugin) {
    if (plugin.current() == null) {
      return null;
    }
    Manifest manifest = plugin.current().release().manifest();
    var trigger =
        new Trigger(
            EventPattern.ANY,
            null,
            new Target.Plugin(plugin.id().value(), null),
            null,
            manifest.limits().timeout(),
            null,
            null,
            plugin.enabled());
    return new Derived(idOf(plugin.id()), trigger, manifest.subscribe());
  }

  /** The trigger of that id, registered or brought along; null when there is none. */
  static @Nullable Trigger find(AppState state, TriggerId id) {
    var registered = state.trigger(id);
    if (registered != null) {
      return registered.trigger();
    }
    for (Derived derived : of(state)) {
      if (derived.id().equals(id)) {
        return derived.trigger();
      }
    }
    return null;
  }
}
