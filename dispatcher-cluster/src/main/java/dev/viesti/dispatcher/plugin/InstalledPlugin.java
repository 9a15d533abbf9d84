package dev.viesti.dispatcher.plugin;

import dev.viesti.protocol.plugin.Manifest;
import dev.viesti.protocol.plugin.Permission;
import dev.viesti.protocol.plugin.PluginId;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A plugin of an app, in the version whose turn it is.
 *
 * @param sha256 of its module, 64 hexadecimal digits in lower case
 * @param config a JSON object as text; null when it has none
 * @param enabled when false, nothing of it runs; deliveries to it wait
 * @param quarantinedUntil it trapped again and again: nothing of it runs before; null when it did
 *     not
 */
public record InstalledPlugin(
    Manifest manifest,
    String sha256,
    @Nullable String config,
    boolean enabled,
    @Nullable Instant quarantinedUntil)
    implements Caller {
  public PluginId id() {
    return manifest.id();
  }

  @Override
  public String kind() {
    return "plugin";
  }

  @Override
  public String name() {
    return manifest.id().value();
  }

  @Override
  public String grantor() {
    return "the manifest";
  }

  @Override
  public List<Permission> permissions() {
    return manifest.permissions();
  }
}
