package dev.viesti.ops.bench;

import dev.viesti.ops.bench.NodeProbe.Reading;
import java.sql.SQLException;

/**
 * What is measured inside this JVM, from one moment to another: what was done before it, such as
 * writing the rows that will be read, is in none of its figures.
 */
final class Stretch {
  private final BenchDatabase database;
  private final Reading first;
  private final long started;

  private Stretch(BenchDatabase database, Reading first, long started) {
    this.database = database;
    this.first = first;
    this.started = started;
  }

  static Stretch start(BenchDatabase database) throws SQLException {
    Reading first = database.read();
    return new Stretch(database, first, System.nanoTime());
  }

  /** {@link System#nanoTime} of its start. */
  long started() {
    return started;
  }

  /** Rate, WAL and CPU of what was done since the start. */
  Measured end(long events) throws SQLException {
    double seconds = (System.nanoTime() - started) / 1e9;
    return Measured.rate(events, seconds).withCost(first, database.read(), events);
  }
}
