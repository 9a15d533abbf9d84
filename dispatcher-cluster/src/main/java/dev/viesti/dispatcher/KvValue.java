package dev.viesti.dispatcher;

import dev.viesti.protocol.event.Payload;
import java.time.Instant;

/**
 * A value that an app's plugins and its operators share.
 *
 * @param version one that it never had before and never has again
 */
public record KvValue(Payload data, long version, Instant updatedAt) {}
