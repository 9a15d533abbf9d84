package dev.viesti.dispatcher.app;

import dev.viesti.dispatcher.AppView;
import dev.viesti.dispatcher.PluginView;
import dev.viesti.dispatcher.TriggerView;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.app.AppSettings;
import dev.viesti.protocol.plugin.PluginId;
import dev.viesti.protocol.trigger.Trigger;
import dev.viesti.protocol.trigger.TriggerId;
import java.time.Instant;
import java.util.Collections;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * An app's control plane after all its events; also its snapshot. {@link #after} is the whole rule.
 *
 * @param settings null when there is no such app (never made, or deleted)
 * @param revision changes of the settings so far
 * @param triggers by id
 * @param plugins by id; snapshots from before there were any have none
 */
record AppState(
    @Nullable AppSettings settings,
    long revision,
    Instant createdAt,
    Instant updatedAt,
    SortedMap<String, TriggerView> triggers,
    SortedMap<String, PluginView> plugins)
    implements Journaled {
  static final AppState NONE =
      new AppState(
          null,
          0,
          Instant.EPOCH,
          Instant.EPOCH,
          Collections.emptySortedMap(),
          Collections.emptySortedMap());

  /**
   * @param plugins null means none
   */
  AppState(
      @Nullable AppSettings settings,
      long revision,
      Instant createdAt,
      Instant updatedAt,
      SortedMap<String, TriggerView> triggers,
      @Nullable SortedMap<String, PluginView> plugins) {
    this.settings = settings;
    this.revision = revision;
    this.createdAt = createdAt;
    this.updatedAt = updatedAt;
    this.triggers = triggers;
    this.plugins = plugins == null ? Collections.emptySortedMap() : plugins;
  }

  boolean exists() {
    return settings != null;
  }

  AppView view(AppId id) {
    if (settings == null) {
      throw new IllegalStateException("there is no app " + id);
    }
    return new AppView(id, settings, revision, createdAt, updatedAt);
  }

  @Nullable TriggerView trigger(TriggerId id) {
    return triggers.get(id.value());
  }

  @Nullable PluginView plugin(PluginId id) {
    return plugins.get(id.value());
  }

  AppState after(AppEvent event) {
    return switch (event) {
      case AppEvent.AppCreated(var made, var at, var by) ->
          new AppState(made, 1, at, at, Collections.emptySortedMap(), Collections.emptySortedMap());
      case AppEvent.SettingsChanged(var changed, var at, var by) ->
          new AppState(changed, revision + 1, createdAt, at, triggers, plugins);
      case AppEvent.AppDeleted deleted -> NONE;
      case AppEvent.TriggerRegistered(var id, var trigger, var at, var by) ->
          with(new TriggerView(id, trigger, 1, at, at, null));
      case AppEvent.TriggerChanged(var id, var trigger, var at, var by) ->
          changed(id, trigger, at, null);
      case AppEvent.TriggerDisabled(var id, var reason, var at) -> {
        TriggerView was = trigger(id);
        yield was == null ? this : changed(id, was.trigger().withEnabled(false), at, reason);
      }
      case AppEvent.TriggerRemoved(var id, var at, var by) -> {
        var rest = new TreeMap<>(triggers);
        rest.remove(id.value());
        yield new AppState(settings, revision, createdAt, updatedAt, rest, plugins);
      }
      case PluginEvent plugin -> after(plugin);
    };
  }

  private AppState changed(
      TriggerId id, Trigger trigger, Instant at, @Nullable String disabledReason) {
    TriggerView was = trigger(id);
    long next = was == null ? 1 : was.revision() + 1;
    Instant made = was == null ? at : was.createdAt();
    return with(new TriggerView(id, trigger, next, made, at, disabledReason));
  }

  private AppState with(TriggerView view) {
    var all = new TreeMap<>(triggers);
    all.put(view.id().value(), view);
    return new AppState(settings, revision, createdAt, updatedAt, all, plugins);
  }

  private AppState after(PluginEvent event) {
    var all = new TreeMap<>(plugins);
    PluginView view = PluginLifecycle.after(plugin(event.id()), event);
    if (view == null) {
      all.remove(event.id().value());
    } else {
      all.put(event.id().value(), view);
    }
    return new AppState(settings, revision, createdAt, updatedAt, triggers, all);
  }
}
