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
  public List<Measured> measure(Setting setting) throws Exception {
    Duration time = setting.seconds().compareTo(LEAST) < 0 ? LEAST : setting.seconds();
    return List.of(measure(setting.session().engine(setting), setting, time));
  }

  /** Both halves, each of {@code time}. */
  Measured measure(Engine engine, Setting setting, Duration time) throws Exception {
    AppId app = engine.app(name());
    saturated(engine, app, setting.seconds()); // warms up
    double most = saturated(engine, app, setting.seconds());
    double rate = most * OF_SATURATION;
    Half clean = half(engine, app, rate, time);
    Half pinned;
    try (Connection snapshot = engine.database().getConnection()) {
      pin(snapshot);
      pinned = half(engine, app, rate, time);
      snapshot.rollback();
    }
    return pinned
        .measured
        .with("saturated_per_s", most)
        .with("clean_per_s", clean.rate)
        .with("clean_slowest_slice_of_median", clean.flatness)
        .with("slowest_slice_of_median", pinned.flatness)
        .with("share_of_clean", pinned.rate / clean.rate)
        .with(
            "share_of_limit",
            pinned.rate / setting.session().limit(Limit.PIPELINE, engine, setting));
  }

  private static void pin(Connection snapshot) throws SQLException {
    snapshot.setAutoCommit(false);
    snapshot.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
    try (var statement = snapshot.createStatement()) {
      statement.execute("select count(*) from viesti.outbox_owner");
    }
  }

  private static double saturated(Engine engine, AppId app, Duration time) throws Exception {
    long before = engine.succeeded();
    long started = System.nanoTime();
    EngineLoad load = new EngineLoad(engine, app, SHAPE).closed(time);
    engine.awaitSettled(before + load.accepted());
    return load.accepted() / ((System.nanoTime() - started) / 1e9);
  }

  private record Half(Measured measured, double rate, double flatness) {}

  private static Half half(Engine engine, AppId app, double rate, Duration time) throws Exception {
    engine.checkpoint();
    NodeProbe.Reading first = engine.read();
    long before = engine.succeeded();
    long started = System.nanoTime();
    List<Double> slices = Collections.synchronizedList(new ArrayList<>());
    Thread watch = Thread.ofVirtual().start(() -> watch(engine, slices));
    EngineLoad load = new EngineLoad(engine, app, SHAPE).paced(rate, time);
    engine.awaitSettled(before + load.accepted());
    double seconds = (System.nanoTime() - started) / 1e9;
    watch.interrupt();
    watch.join();
    Measured measured =
        Measured.rate(load.accepted(), seconds)
            .with("", load.acks())
            .withEngineCost(first, engine.read(), true);
    return new Half(measured, load.accepted() / seconds, flatness(slices));
  }

  private static void watch(Engine engine, List<Double> slices) {
    try {
      for (long last = engine.succeeded(); ; ) {
        Wait.last(SLICE);
        long now = engine.succeeded();
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
