package dev.viesti.ops.bench;

import dev.viesti.ops.bench.NodeProbe.Reading;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One run's figures by their names, which {@code --json} shows: {@code events}, {@code seconds},
 * {@code events_per_s} and more. Names end in their units.
 */
final class Measured {
  static final String EVENTS = "events";
  static final String SECONDS = "seconds";
  static final String EVENTS_PER_S = "events_per_s";
  static final String WAL = "wal_bytes_per_event";
  static final String POSTGRES_CPU = "pg_cpu_s_per_1k";
  static final String CLIENT_CPU = "client_cpu_s_per_1k";
  static final String SHARE = "share_of_limit";

  private static final List<String> PARTS = List.of(EVENTS, SECONDS, WAL, POSTGRES_CPU, CLIENT_CPU);

  private final Map<String, Double> figures = new LinkedHashMap<>();

  /** Nothing yet. */
  static Measured nothing() {
    return new Measured();
  }

  static Measured rate(long events, double seconds) {
    return nothing()
        .with(EVENTS, (double) events)
        .with(SECONDS, seconds)
        .with(EVENTS_PER_S, events / Math.max(seconds, 1e-9));
  }

  /** Null is left out. */
  Measured with(String name, @Nullable Double value) {
    if (value != null) {
      figures.put(name, value);
    }
    return this;
  }

  Measured withMib(String name, @Nullable Long bytes) {
    return with(name, bytes == null ? null : bytes / (1024.0 * 1024.0));
  }

  Measured with(String prefix, Latencies latencies) {
    latencies.into(figures, prefix);
    return this;
  }

  /** What {@code events} cost between two readings; what cannot be seen is left out. */
  Measured withCost(Reading before, Reading after, long events) {
    Long first = before.walBytes();
    Long last = after.walBytes();
    if (first != null && last != null && events > 0) {
      with(WAL, (double) (last - first) / events);
    }
    return with("node_cpu_s_per_1k", per1k(before.nodeCpu(), after.nodeCpu(), events))
        .with(POSTGRES_CPU, per1k(before.postgresCpu(), after.postgresCpu(), events))
        .with(CLIENT_CPU, per1k(before.clientCpu(), after.clientCpu(), events))
        .with("other_cpu_share", otherShare(before, after));
  }

  /** The rate, WAL and CPU of another part of the same workload, under {@code prefix}. */
  Measured withPart(String prefix, Measured part) {
    for (String name : PARTS) {
      with(prefix + name, part.figures.get(name));
    }
    return this;
  }

  Map<String, Double> figures() {
    return figures;
  }

  /** The part of the machine that went to processes that are none of ours. */
  private static @Nullable Double otherShare(Reading before, Reading after) {
    Duration first = before.machineCpu();
    Duration last = after.machineCpu();
    if (first == null || last == null) {
      return null;
    }
    Duration postgres = between(before.postgresCpu(), after.postgresCpu());
    if (postgres == null) {
      return null; // it may be among the others
    }
    Duration node = between(before.nodeCpu(), after.nodeCpu());
    Duration ours =
        after
            .clientCpu()
            .minus(before.clientCpu())
            .plus(postgres)
            .plus(node == null ? Duration.ZERO : node);
    double whole =
        (double) (after.nanoTime() - before.nanoTime())
            * Runtime.getRuntime().availableProcessors();
    return Math.clamp(last.minus(first).minus(ours).toNanos() / whole, 0, 1);
  }

  private static @Nullable Double per1k(
      @Nullable Duration before, @Nullable Duration after, long events) {
    Duration took = between(before, after);
    return took == null || events == 0 ? null : took.toNanos() / 1e9 / events * 1_000;
  }

  private static @Nullable Duration between(@Nullable Duration before, @Nullable Duration after) {
    return before == null || after == null ? null : after.minus(before);
  }
}
