package dev.viesti.dispatcher;

import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.app.AppSettings;
import java.time.Instant;

/**
 * An app as its owner knows it.
 *
 * @param revision grows with each change of the settings, from 1
 */
public record AppView(
    AppId id, AppSettings settings, long revision, Instant createdAt, Instant updatedAt) {}
