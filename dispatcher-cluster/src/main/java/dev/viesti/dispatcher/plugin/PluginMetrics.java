package dev.viesti.dispatcher.plugin;

import java.time.Instant;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What became of a plugin's calls on the node that owns its app, since it came there.
 *
 * @param since when counting began
 * @param errors by kind, as {@link CallEnd.Failed#kind}; kinds that did not occur are missing
 * @param milliseconds wall clock of all calls together
 * @param fuel of all calls together
 * @param peakMemoryBytes the largest memory of any call
 * @param consecutiveTraps calls that ended in a trap since the last one that did not
 */
public record PluginMetrics(
    Instant since,
    long invocations,
    Map<String, Long> errors,
    long milliseconds,
    long fuel,
    long peakMemoryBytes,
    int consecutiveTraps,
    @Nullable String lastError,
    @Nullable Instant lastErrorAt,
    @Nullable Instant lastInvocationAt) {}
