package dev.viesti.ops.bench;

import dev.viesti.ops.bench.NodeProbe.Reading;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** How fast events that wait in a paused app go to a webhook once it runs again. */
record WebhookDrain() implements Workload {
  private static final int EVENTS = 20_000;
  private static final Load.Shape PUBLISH = new Load.Shape(100, 4);
  private static final Duration DRAIN_MAX = Duration.ofMinutes(5);

  @Override
  public String name() {
    return "webhook-drain";
  }

  @Override
  public String description() {
    return "%,d events wait, then go to a webhook".formatted(EVENTS);
  }

  @Override
  public List<Measured> measure(Setting setting) throws Exception {
    List<Measured> runs = new ArrayList<>();
    try (NodeProcess node = setting.session().node(setting.directory());
        Receiver receiver = new Receiver()) {
      run(node, receiver, 0);
      for (int run = 1; run <= setting.runs(); run++) {
        runs.add(run(node, receiver, run));
      }
    }
    return runs;
  }

  private static Measured run(NodeProcess node, Receiver receiver, int run) throws Exception {
    Events events = new Events("run-" + run);
    Arrivals arrivals = new Arrivals(events.run(), EVENTS);
    receiver.note(arrivals);
    BenchApp app = BenchApp.create(node, "drain-" + run, BenchApp.webhook(receiver), true);
    Load.of(EVENTS, app, events, PUBLISH);
    NodeProbe probe = new NodeProbe(node);
    Reading before = probe.read();
    long started = System.nanoTime();
    app.pause(false);
    arrivals.await(EVENTS, DRAIN_MAX);
    return Measured.rate(EVENTS, (arrivals.last() - started) / 1e9)
        .withCost(before, probe.read(), EVENTS)
        .with("repeated_requests", (double) arrivals.repeated());
  }
}
