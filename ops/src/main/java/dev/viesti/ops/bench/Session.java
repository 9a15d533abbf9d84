package dev.viesti.ops.bench;

import java.nio.file.Files;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What the workloads inside this JVM share: one node on one PostgreSQL, started when the first asks
 * for it, and what bare PostgreSQL does there, measured once. For one thread.
 */
final class Session implements AutoCloseable {
  private final Map<String, Double> limits = new HashMap<>();
  private @Nullable Engine engine;

  Engine engine(Workload.Setting setting) throws Exception {
    Engine started = engine;
    if (started == null) {
      started = Engine.start(setting.in(Files.createTempDirectory(setting.base(), "engine-")), "");
      engine = started;
    }
    return started;
  }

  /** One of the figures of {@link Limit}. */
  double limit(String figure, Engine on, Workload.Setting setting) throws Exception {
    if (limits.isEmpty()) {
      limits.putAll(Limit.measure(on.database(), setting).figures());
    }
    return limits.getOrDefault(figure, Double.NaN);
  }

  @Override
  public void close() throws Exception {
    if (engine != null) {
      engine.close();
    }
  }
}
