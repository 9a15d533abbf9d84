package dev.viesti.dispatcher.app;

import dev.viesti.dispatcher.PluginRelease;
import dev.viesti.protocol.plugin.PluginId;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * What happened to a plugin of an app; see {@link AppEvent}. What Viesti did by itself is by {@link
 * #VIESTI}.
 */
sealed interface PluginEvent extends AppEvent {
  /** Who did what nobody asked for. */
  String VIESTI = "viesti";

  PluginId id();

  String by();

  /** A version is there that is to take over once it has been initialized. */
  record PluginUploaded(PluginId id, PluginRelease release, Instant at, String by)
      implements PluginEvent {}

  /** The version that was uploaded last has taken over. */
  record PluginInitialized(PluginId id, Instant at, String by) implements PluginEvent {}

  /** The version that was uploaded last has not; what ran before runs on. */
  record PluginInitFailed(PluginId id, String problem, Instant at, String by)
      implements PluginEvent {}

  /** The version before has taken over again. */
  record PluginRolledBack(PluginId id, Instant at, String by) implements PluginEvent {}

  record PluginEnabled(PluginId id, Instant at, String by) implements PluginEvent {}

  record PluginDisabled(PluginId id, Instant at, String by) implements PluginEvent {}

  /**
   * @param config null: it has none any more
   */
  record PluginConfigured(PluginId id, @Nullable String config, Instant at, String by)
      implements PluginEvent {}

  /**
   * @param times in a row
   */
  record PluginQuarantined(
      PluginId id, String problem, Instant until, int times, Instant at, String by)
      implements PluginEvent {}

  /** The first call after a quarantine has gone well. */
  record PluginRecovered(PluginId id, Instant at, String by) implements PluginEvent {}

  record PluginRemoved(PluginId id, Instant at, String by) implements PluginEvent {}
}
