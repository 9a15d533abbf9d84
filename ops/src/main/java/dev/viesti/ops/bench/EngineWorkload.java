package dev.viesti.ops.bench;

import dev.viesti.protocol.app.AppId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A workload of a node inside this JVM: one warm-up, which is thrown away, then the runs, all on
 * one PostgreSQL. Each run begins with a checkpoint; what is measured is a {@link Stretch} of it.
 *
 * @param limit which figure of {@link Limit} bounds it; null when none does
 */
record EngineWorkload(String name, String description, @Nullable String limit, Run run)
    implements Workload {
  /** How one run is done. */
  private interface Run {
    Measured measure(Round round) throws Exception;
  }

  /** One run, or the warm-up before. */
  private record Round(
      Engine engine,
      AppId app,
      Duration seconds,
      int rows,
      boolean isWarmUp,
      Consumer<String> say) {}

  private static final EngineLoad.Shape STEADY = new EngineLoad.Shape(2, 100, 8);
  private static final EngineLoad.Shape PLUGIN = new EngineLoad.Shape(2, 100, 8, Engine.PLUGIN);
  private static final EngineLoad.Shape SINGLE = new EngineLoad.Shape(8, 1, 1);
  private static final int RETRIES = 20_000;
  private static final int LATENCY_PER_S = 200;

  /** So many rows have warmed up a drain, however many there are to be measured. */
  private static final int WARM_UP_ROWS_MAX = 100_000;

  /** The largest table comes last: it takes a vacuum some seconds. */
  static final List<Workload> ALL =
      List.of(
          new EngineWorkload(
              "emit",
              "2 producers, batches of 100, 8 open each, into a paused app",
              Limit.INSERT,
              EngineWorkload::emit),
          closed(
              "steady",
              "2 producers, batches of 100, 8 open each, run at once",
              Limit.PIPELINE,
              STEADY),
          closed(
              "blocking",
              "2 producers, batches of 100, each waits for its answer, run at once",
              Limit.PIPELINE,
              new EngineLoad.Shape(2, 100, 1)),
          closed(
              "single",
              "8 callers that emit one event and wait, run at once",
              Limit.SINGLE,
              SINGLE),
          closed(
              "async",
              "single events, 256 unanswered at once, run at once",
              Limit.PIPELINE,
              new EngineLoad.Shape(1, 1, 256)),
          new EngineWorkload(
              "plugin",
              "the same as steady, run by a plugin that writes one kv value each",
              Limit.PIPELINE,
              EngineWorkload::plugin),
          new EngineWorkload(
              "latency",
              LATENCY_PER_S + " single events a second: from the moment each is due to its handler",
              null,
              EngineWorkload::latency),
          new EngineWorkload(
              "retry",
              "%,d events that wait, the first attempt of each fails".formatted(RETRIES),
              Limit.PIPELINE,
              round -> drain(round, EngineHandlers.ONCE, RETRIES)),
          new EngineWorkload(
              "drain",
              "events that wait (--rows) are run by a handler that does nothing",
              Limit.DELETE,
              round -> drain(round, EngineHandlers.NOOP, round.rows())));

  private static EngineWorkload closed(
      String name, String description, String limit, EngineLoad.Shape shape) {
    return new EngineWorkload(name, description, limit, round -> closed(round, shape));
  }

  @Override
  public boolean isDefault() {
    return false;
  }

  @Override
  public List<Measured> measure(Setting setting) throws Exception {
    List<Measured> runs = new ArrayList<>();
    Engine engine = setting.session().engine();
    AppId app = engine.app(name);
    for (int n = 0; n <= setting.runs(); n++) {
      engine.database().checkpoint();
      Measured measured =
          run.measure(
              new Round(
                  engine, app, setting.seconds(), setting.sizes().rows(), n == 0, setting.say()));
      if (n > 0) {
        runs.add(measured);
      }
    }
    return runs;
  }

  private static Measured closed(Round round, EngineLoad.Shape shape) throws Exception {
    Engine engine = round.engine();
    long before = engine.settled();
    Stretch stretch = Stretch.start(engine.database());
    EngineLoad load = new EngineLoad(engine, round.app(), shape).closed(round.seconds());
    engine.awaitSettled(before + load.accepted());
    return stretch.end(load.accepted()).with("", load.acks());
  }

  private static Measured plugin(Round round) throws Exception {
    round.engine().plugin(round.app());
    return closed(round, PLUGIN);
  }

  /** What was accepted is run and settled only after the measuring. */
  private static Measured emit(Round round) throws Exception {
    Engine engine = round.engine();
    engine.pause(round.app(), true);
    long before = engine.settled();
    Stretch stretch = Stretch.start(engine.database());
    EngineLoad load = new EngineLoad(engine, round.app(), STEADY).closed(round.seconds());
    Measured measured = stretch.end(load.accepted()).with("", load.acks());
    engine.pause(round.app(), false);
    engine.awaitSettled(before + load.accepted());
    return measured;
  }

  /** The rows are written before the measuring, but after the checkpoint. */
  private static Measured drain(Round round, String type, int rows) throws Exception {
    Engine engine = round.engine();
    int count = round.isWarmUp() ? Math.min(rows, WARM_UP_ROWS_MAX) : rows;
    engine.pause(round.app(), true);
    EngineLoad.fill(engine, round.app(), type, count, round.say());
    long before = engine.settled();
    Stretch stretch = Stretch.start(engine.database());
    engine.pause(round.app(), false);
    engine.awaitSettled(before + count);
    return stretch.end(count);
  }

  /** At so low a rate the JVM compiles little: another load warms it up. */
  private static Measured latency(Round round) throws Exception {
    if (round.isWarmUp()) {
      var unused = closed(round, SINGLE);
    }
    int count = (int) (LATENCY_PER_S * Math.max(1, round.seconds().toSeconds()));
    return OpenLoop.run(round.engine(), n -> round.app(), count, LATENCY_PER_S);
  }
}
