package dev.viesti.dispatcher;

import com.fasterxml.jackson.annotation.JsonValue;
import dev.viesti.protocol.plugin.PluginId;
import java.time.Instant;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * A plugin as its app's owner knows it.
 *
 * @param current what runs; null until a version of it has been initialized
 * @param candidate a version that is being initialized, or the first one, whose {@code init}
 *     failed; null otherwise
 * @param previous what ran before, for a rollback
 * @param enabled when false nothing of it runs; what its triggers have waiting stays waiting
 * @param problem why the last upload was not taken, or why it is in quarantine
 * @param quarantinedUntil nothing of it runs before; then one call tries it, and ends the
 *     quarantine when it goes well
 * @param quarantines in a row, without a call in between that went well
 * @param revision grows with each change that somebody asks for, from 1
 */
public record PluginView(
    PluginId id,
    @Nullable Version current,
    @Nullable Version candidate,
    @Nullable Version previous,
    boolean enabled,
    @Nullable String problem,
    @Nullable Instant quarantinedUntil,
    int quarantines,
    long revision,
    Instant createdAt,
    Instant updatedAt) {
  /** A plugin's own trigger is called so, and then as the plugin. */
  public static final String TRIGGER_PREFIX = "plugin-";

  /** How it is with the version whose turn it is. */
  public enum Status {
    /** The first version is being initialized. */
    INITIALIZING,
    RUNNING,
    DISABLED,
    /** It trapped again and again, and is left alone for a while. */
    QUARANTINED,
    /** No version of it has been initialized; the last one that was uploaded could not be. */
    FAILED;

    @JsonValue
    public String text() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /**
   * @param installedAt when it was uploaded
   * @param by who uploaded it
   */
  public record Version(PluginRelease release, Instant installedAt, String by) {}

  /** A version that is being initialized beside a current one does not change it. */
  public Status status() {
    if (current == null) {
      return initializing() ? Status.INITIALIZING : Status.FAILED;
    }
    if (!enabled) {
      return Status.DISABLED;
    }
    return quarantinedUntil == null ? Status.RUNNING : Status.QUARANTINED;
  }

  /** Whether {@link #candidate} is to take over once it has been initialized. */
  public boolean initializing() {
    return candidate != null && (current != null || problem == null);
  }

  /** What its manifest and configuration are: of the current version, or else of the first one. */
  public Version shown() {
    Version shown = current == null ? candidate : current;
    if (shown == null) {
      throw new IllegalStateException("plugin '" + id + "' has no version at all");
    }
    return shown;
  }

  /** The same in short. */
  public PluginSummary summary() {
    PluginRelease release = shown().release();
    return new PluginSummary(
        id,
        status(),
        release.manifest().name(),
        release.manifest().version(),
        release.sha256(),
        current != null && candidate != null,
        problem,
        quarantinedUntil,
        revision,
        createdAt,
        updatedAt);
  }
}
