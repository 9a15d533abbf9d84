package dev.viesti.dispatcher;

import java.time.Instant;

/** What a list says of a {@link KvValue}. */
public record KvKey(String key, long version, int bytes, Instant updatedAt) {}
