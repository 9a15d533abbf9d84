package dev.viesti.dispatcher.app;

import dev.viesti.protocol.app.AppSettings;
import dev.viesti.protocol.trigger.Trigger;
import dev.viesti.protocol.trigger.TriggerId;
import java.time.Instant;

/**
 * What happened to an app's control plane: who ({@code by}), when ({@code at}), what. These records
 * are on disk for ever: fields are only added, and a missing one must have a meaning.
 */
sealed interface AppEvent extends Journaled
    permits AppEvent.AppCreated,
        AppEvent.SettingsChanged,
        AppEvent.AppDeleted,
        AppEvent.TriggerRegistered,
        AppEvent.TriggerChanged,
        AppEvent.TriggerDisabled,
        AppEvent.TriggerRemoved,
        PluginEvent {
  Instant at();

  record AppCreated(AppSettings settings, Instant at, String by) implements AppEvent {}

  record SettingsChanged(AppSettings settings, Instant at, String by) implements AppEvent {}

  record AppDeleted(Instant at, String by) implements AppEvent {}

  record TriggerRegistered(TriggerId id, Trigger trigger, Instant at, String by)
      implements AppEvent {}

  record TriggerChanged(TriggerId id, Trigger trigger, Instant at, String by) implements AppEvent {}

  /** Viesti switched it off by itself: its endpoint said that it is gone for good. */
  record TriggerDisabled(TriggerId id, String reason, Instant at) implements AppEvent {}

  record TriggerRemoved(TriggerId id, Instant at, String by) implements AppEvent {}
}
