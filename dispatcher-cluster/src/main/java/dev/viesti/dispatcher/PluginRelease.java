package dev.viesti.dispatcher;

import dev.viesti.protocol.plugin.Manifest;
import org.jspecify.annotations.Nullable;

/**
 * A module, what it says of itself, and how it is configured: what an upload installs.
 *
 * @param sha256 of the module, 64 hexadecimal digits in lower case
 * @param size of the module in bytes
 * @param config a JSON object as text; null when it has none
 */
public record PluginRelease(String sha256, int size, Manifest manifest, @Nullable String config) {
  /** The same module with another configuration. */
  public PluginRelease withConfig(@Nullable String other) {
    return new PluginRelease(sha256, size, manifest, other);
  }
}
