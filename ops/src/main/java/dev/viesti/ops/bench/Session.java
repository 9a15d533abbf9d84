package dev.viesti.ops.bench;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Everything that runs for the workloads: nodes in processes of their own, and the one inside this
 * JVM with its PostgreSQL, which is started when it is first asked for. Closed by whoever comes
 * first, the end of the workloads or Ctrl-C in the middle of one; nothing starts after that.
 * Thread-safe.
 */
final class Session implements AutoCloseable {
  private final Path base;
  private final Bench.@Nullable GivenDatabase given;
  private final List<NodeProcess> nodes = new ArrayList<>();
  private @Nullable BenchDatabase database;
  private @Nullable Engine engine;
  private String engineConfig = "";
  private boolean closed;

  /**
   * @param base where the directory of its PostgreSQL is made
   * @param given for the node inside this JVM; null = a PostgreSQL of its own
   */
  Session(Path base, Bench.@Nullable GivenDatabase given) {
    this.base = base;
    this.given = given;
  }

  /** A new node in a process of its own. */
  synchronized NodeProcess node(Path directory) throws Exception {
    requireOpen();
    NodeProcess node = NodeProcess.start(directory);
    nodes.add(node);
    return node;
  }

  /** The node inside this JVM, with the settings that a service has by default. */
  Engine engine() throws Exception {
    return engine("");
  }

  /**
   * The node inside this JVM; one with other settings is stopped first.
   *
   * @param config overrides of {@code viesti.*}, HOCON
   */
  synchronized Engine engine(String config) throws Exception {
    requireOpen();
    BenchDatabase used = database;
    if (used == null) {
      used = BenchDatabase.open(given, Files.createTempDirectory(base, "engine-").resolve("data"));
      database = used;
    }
    Engine running = engine;
    if (running != null && engineConfig.equals(config)) {
      return running;
    }
    if (running != null) {
      engine = null;
      running.close();
    }
    boolean first = running == null;
    running = Engine.start(used, config);
    engine = running;
    engineConfig = config;
    if (first && used.isGiven()) {
      running.removeApps(); // of a run that was killed
    }
    return running;
  }

  /** Removes from a given database what was made there. */
  synchronized void tidy() throws Exception {
    if (engine != null && database != null && database.isGiven()) {
      engine.removeApps();
    }
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("the workloads are over");
    }
  }

  /** Stops nodes, then PostgreSQL; waits for it. */
  @Override
  public synchronized void close() throws Exception {
    closed = true;
    for (NodeProcess node : nodes) {
      node.close();
    }
    try {
      if (engine != null) {
        engine.close();
        engine = null;
      }
    } finally {
      if (database != null) {
        database.close();
        database = null;
      }
    }
  }
}
