package dev.viesti.dispatcher;

import dev.viesti.protocol.plugin.PluginId;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A plugin in the list of an app's plugins: a {@link PluginView} without manifests and
 * configurations, of which fifty would not fit into a message.
 *
 * @param name as in its manifest, and so the version
 * @param upgrading whether another version is being initialized
 */
public record PluginSummary(
    PluginId id,
    PluginView.Status status,
    String name,
    String version,
    String sha256,
    boolean upgrading,
    @Nullable String problem,
    @Nullable Instant quarantinedUntil,
    long revision,
    Instant createdAt,
    Instant updatedAt) {}
