package dev.viesti.dispatcher;

import org.jspecify.annotations.Nullable;

/**
 * Whether an instance of a plugin can be made.
 *
 * @param problem null when it can
 */
public record PluginHealth(@Nullable String problem) {
  public boolean healthy() {
    return problem == null;
  }
}
