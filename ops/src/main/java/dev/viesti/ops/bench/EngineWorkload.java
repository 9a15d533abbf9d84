package dev.viesti.ops.bench;

import dev.viesti.protocol.app.AppId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A workload of a node inside this JVM: one warm-up, which is thrown away, then the runs, all on
 * one PostgreSQL, with a checkpoint before each.
 *
 * @param limit which figure of {@link Limit} bounds it; null when none does
 */
record EngineWorkload(
    String name, String description, @Nullable String limit, boolean isDefault, Run run)
    implements Workload {
  /** One run. */
  interface Run {
    /** Does the work; what comes back has its events and seconds. */
    Measured measure(Engine engine, AppId app, Setting setting) throws Exception;
  }

  private static final EngineLoad.Shape STEADY = new EngineLoad.Shape(2, 100, 8);
  private static final int RETRIES = 20_000;
  private static final int LATENCY_PER_S = 200;

  static final List<Workload> ALL =
      List.of(
          new EngineWorkload(
              "limit",
              "bare PostgreSQL: single inserts, a pipeline of inserts and deletes, deletes",
              null,
              false,
              (engine, app, setting) -> Limit.measure(engine.database(), setting).measured()),
          new EngineWorkload(
              "emit",
              "2 producers, batches of 100, 8 open each, into a paused app",
              Limit.PIPELINE,
              false,
              EngineWorkload::emit),
          new EngineWorkload(
              "drain",
              "events that wait (--rows) are run by a handler that does nothing",
              Limit.DELETE,
              false,
              (engine, app, setting) -> drain(engine, app, Engine.NOOP, setting.rows())),
          load("steady", "2 producers, batches of 100, 8 open each, run at once", STEADY),
          load(
              "blocking",
              "2 producers, batches of 100, each waits for its answer, run at once",
              new EngineLoad.Shape(2, 100, 1)),
          new EngineWorkload(
              "single",
              "8 callers that emit one event and wait, run at once",
              Limit.SINGLE,
              false,
              (engine, app, setting) ->
                  closed(engine, app, new EngineLoad.Shape(8, 1, 1), setting.seconds())),
          load(
              "async",
              "single events, 256 unanswered at once, run at once",
              new EngineLoad.Shape(1, 1, 256)),
          new EngineWorkload(
              "latency",
              "200 single events a second: from the call to the start of the handler",
              null,
              false,
              EngineWorkload::latency),
          new EngineWorkload(
              "retry",
              "20,000 waiting events, the first attempt of each fails",
              Limit.PIPELINE,
              false,
              (engine, app, setting) -> drain(engine, app, Engine.ONCE, RETRIES)));

  private static EngineWorkload load(String name, String description, EngineLoad.Shape shape) {
    return new EngineWorkload(
        name,
        description,
        Limit.PIPELINE,
        false,
        (engine, app, setting) -> closed(engine, app, shape, setting.seconds()));
  }

  @Override
  public List<Measured> measure(Setting setting) throws Exception {
    List<Measured> runs = new ArrayList<>();
    Engine engine = setting.session().engine(setting);
    AppId app = engine.app(name);
    Double most = limit == null ? null : setting.session().limit(limit, engine, setting);
    for (int run = 0; run <= setting.runs(); run++) {
      engine.checkpoint();
      NodeProbe.Reading before = engine.read();
      Measured measured = this.run.measure(engine, app, setting);
      measured.withEngineCost(before, engine.read(), setting.database() == null);
      Double rate = measured.figures().get(Measured.EVENTS_PER_S);
      if (most != null && rate != null) {
        measured.with("share_of_limit", rate / most);
      }
      if (run > 0) {
        runs.add(measured);
      }
    }
    return runs;
  }

  private static Measured closed(Engine engine, AppId app, EngineLoad.Shape shape, Duration seconds)
      throws Exception {
    long before = engine.succeeded();
    long started = System.nanoTime();
    EngineLoad load = new EngineLoad(engine, app, shape).closed(seconds);
    engine.awaitSettled(before + load.accepted());
    double took = (System.nanoTime() - started) / 1e9;
    return Measured.rate(load.accepted(), took).with("", load.acks());
  }

  private static Measured emit(Engine engine, AppId app, Setting setting) throws Exception {
    engine.pause(app, true);
    long before = engine.succeeded();
    long started = System.nanoTime();
    EngineLoad load = new EngineLoad(engine, app, STEADY).closed(setting.seconds());
    double took = (System.nanoTime() - started) / 1e9;
    Measured measured = Measured.rate(load.accepted(), took).with("", load.acks());
    engine.pause(app, false);
    engine.awaitSettled(before + load.accepted());
    return measured;
  }

  private static Measured drain(Engine engine, AppId app, String type, int rows) throws Exception {
    engine.pause(app, true);
    EngineLoad.fill(engine, app, type, rows);
    long before = engine.succeeded();
    long started = System.nanoTime();
    engine.pause(app, false);
    engine.awaitSettled(before + rows);
    return Measured.rate(rows, (System.nanoTime() - started) / 1e9);
  }

  private static Measured latency(Engine engine, AppId app, Setting setting) throws Exception {
    long before = engine.succeeded();
    long count = LATENCY_PER_S * Math.max(1, setting.seconds().toSeconds());
    long started = System.nanoTime();
    var acks = new Latencies();
    for (int n = 0; n < count; n++) {
      Wait.untilNanoTime(started + n * 1_000_000_000L / LATENCY_PER_S);
      var event = engine.event(Engine.NOOP);
      long called = System.nanoTime();
      engine.sent(event);
      var unused =
          engine
              .viesti()
              .publish(app, List.of(event))
              .thenRun(() -> acks.add(System.nanoTime() - called));
    }
    engine.awaitSettled(before + count);
    return Measured.rate(count, (System.nanoTime() - started) / 1e9)
        .with("", engine.starts())
        .with("ack_", acks);
  }
}
