package dev.viesti.ops.bench;

import dev.viesti.ops.bench.NodeProbe.Reading;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * Events in over HTTP, as fast as a number of connections can send them.
 *
 * @param paused true: rows are written and stay; false: each is also run, by a handler that does
 *     nothing, and settled while the next ones come in
 */
record HttpLoad(String name, String description, Load.Shape shape, boolean paused)
    implements Workload {
  private static final Duration SETTLE_MAX = Duration.ofMinutes(2);
  private static final Duration LOOK_EVERY = Duration.ofMillis(50);

  @Override
  public List<Measured> measure(Setting setting) throws Exception {
    List<Measured> runs = new ArrayList<>();
    try (NodeProcess node = setting.session().node(setting.directory())) {
      run(node, setting, 0);
      for (int run = 1; run <= setting.runs(); run++) {
        runs.add(run(node, setting, run));
      }
    }
    return runs;
  }

  private Measured run(NodeProcess node, Setting setting, int run) throws Exception {
    BenchApp app = BenchApp.create(node, "run-" + run, BenchApp.NOOP, paused);
    NodeProbe probe = new NodeProbe(node);
    double settledBefore = settled(probe);
    Reading before = probe.read();
    long started = System.nanoTime();
    Load.Sent sent = Load.during(setting.seconds(), app, new Events("run-" + run), shape);
    Measured measured = sent.measured();
    if (!paused) {
      Wait.until(
          () -> settled(probe) - settledBefore >= sent.events(),
          LOOK_EVERY,
          SETTLE_MAX,
          "not all accepted events are settled");
      measured.with("settled_per_s", sent.events() / ((System.nanoTime() - started) / 1e9));
    }
    return measured
        .withCost(before, probe.read(), sent.events())
        .withMib("node_rss_mib", probe.nodeRssBytes());
  }

  private static double settled(NodeProbe probe) {
    return probe.metric("viesti_deliveries_ended_total", "how=\"settled\"");
  }
}
