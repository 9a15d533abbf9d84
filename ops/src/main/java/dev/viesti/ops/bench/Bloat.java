package dev.viesti.ops.bench;

import dev.viesti.protocol.app.AppId;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * The load of {@code steady} at 80 % of what it reaches here, for a minute, once clean and once
 * while another session holds an old snapshot, so that nothing that is deleted can be vacuumed.
 */
record Bloat() implements Workload {
  private static final EngineLoad.Shape SHAPE = new EngineLoad.Shape(2, 100, 8);
  private static final double OF_SATURATION = 0.8;
  private static final Duration LEAST = Duration.ofSeconds(60);
  private static final Duration SLICE = Duration.ofSeconds(5);

  @Override
  public String name() {
    return "bloat";
  }

  @Override
  public String description() {
    return "steady at 80 % of its most, clean and under a pinned snapshot, a minute each";
  }

  @Override
  public boolean isDefault() {
    return false;
  }

  @Override
  public String limit() {
    return Limit.PIPELINE;
  }

  @Override
  public List<Measured> measure(Setting setting) throws Exception {
    Duration time = setting.seconds().compareTo(LEAST) < 0 ? LEAST : setting.seconds();
    return List.of(measure(setting.session().engine(), setting.seconds(), time));
  }

  /**
   * Both halves, each of {@code time}.
   *
   * @param warmUp how long it is looked for the most
   */
  Measured measure(Engine engine, Duration warmUp, Duration time) throws Exception {
    AppId app = engine.app(name());
    saturated(engine, app, warmUp); // warms up
    double most = saturated(engine, app, warmUp);
    double rate = most * OF_SATURATION;
    Half clean = half(engine, app, rate, time);
    Half pinned;
    try (Connection snapshot = engine.database().source().getConnection()) {
      pin(snapshot);
      pinned = half(engine, app, rate, time);
      snapshot.rollback();
    }
    return pinned
        .measured
        .with("saturated_per_s", most)
        .with("clean_per_s", clean.rate)
        .with(
            "clean_wal_bytes_per_event",
            clean.measured.figures().getOrDefault(Measured.WAL, Double.NaN))
        .with("clean_slowest_slice_of_median", clean.flatness)
        .with("slowest_slice_of_median", pinned.flatness)
        .with("share_of_clean", pinned.rate / clean.rate);
  }

  private static void pin(Connection snapshot) throws SQLException {
    snapshot.setAutoCommit(false);
    snapshot.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
    try (var statement = snapshot.createStatement()) {
      statement.execute("select count(*) from viesti.outbox_owner");
    }
  }

  private static double saturated(Engine engine, AppId app, Duration time) throws Exception {
    long before = engine.settled();
    long started = System.nanoTime();
    EngineLoad load = new EngineLoad(engine, app, SHAPE).closed(time);
    engine.awaitSettled(before + load.accepted());
    return load.accepted() / ((System.nanoTime() - started) / 1e9);
  }

  private record Half(Measured measured, double rate, double flatness) {}

  private static Half half(Engine engine, AppId app, double rate, Duration time) throws Exception {
    engine.database().checkpoint();
    long before = engine.settled();
    List<Double> slices = Collections.synchronizedList(new ArrayList<>());
    Stretch stretch = Stretch.start(engine.database());
    Thread watch = Thread.ofVirtual().start(() -> watch(engine, slices));
    EngineLoad load = new EngineLoad(engine, app, SHAPE).paced(rate, time);
    engine.awaitSettled(before + load.accepted());
    Measured measured = stretch.end(load.accepted()).with("", load.acks());
    watch.interrupt();
    watch.join();
    return new Half(
        measured,
        measured.figures().getOrDefault(Measured.EVENTS_PER_S, Double.NaN),
        flatness(slices));
  }

  private static void watch(Engine engine, List<Double> slices) {
    try {
      for (long last = engine.settled(); ; ) {
        Wait.last(SLICE);
        long now = engine.settled();
        slices.add((double) (now - last));
        last = now;
      }
    } catch (InterruptedException done) {
      Thread.currentThread().interrupt();
    }
  }

  /** The slowest slice as a share of the median one; 1 when there are too few. */
  static double flatness(List<Double> slices) {
    if (slices.isEmpty()) {
      return 1;
    }
    List<Double> sorted = slices.stream().sorted().toList();
    return sorted.getFirst() / Math.max(1, sorted.get(sorted.size() / 2));
  }
}
