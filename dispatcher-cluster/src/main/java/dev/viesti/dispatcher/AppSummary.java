package dev.viesti.dispatcher;

import dev.viesti.protocol.app.AppId;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/** An app in the directory of all apps. */
public record AppSummary(
    AppId id, @Nullable String displayName, boolean paused, Instant createdAt, Instant updatedAt) {}
