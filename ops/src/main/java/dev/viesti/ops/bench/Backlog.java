package dev.viesti.ops.bench;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A great many events wait in one app: what memory the node takes, how it starts with them, and
 * that they flow afterwards. One run: it takes minutes.
 */
record Backlog() implements Workload {
  private static final Load.Shape PUBLISH = new Load.Shape(500, 4);
  private static final Duration LOOK_EVERY = Duration.ofMillis(500);
  private static final Duration FIRST_MAX = Duration.ofMinutes(2);
  private static final Duration ARRIVAL_LOOK_EVERY = Duration.ofMillis(1);

  @Override
  public String name() {
    return "backlog";
  }

  @Override
  public String description() {
    return "1,000,000 events wait in one app: memory, restart, and that they flow";
  }

  @Override
  public boolean isDefault() {
    return false;
  }

  @Override
  public List<Measured> measure(Setting setting) throws Exception {
    int count = setting.sizes().backlogRows();
    Events events = new Events("backlog");
    Arrivals arrivals = new Arrivals(events.run(), count);
    try (Receiver receiver = new Receiver()) {
      receiver.note(arrivals);
      Measured measured;
      try (NodeProcess node = setting.session().node(setting.directory())) {
        BenchApp app = BenchApp.create(node, "backlog", BenchApp.webhook(receiver), true);
        measured = publish(app, events, count);
      }
      try (NodeProcess node = setting.session().node(setting.directory())) {
        measured.with("ready_s", node.secondsToReady());
        // the same app again: it is there, and only wakes up
        BenchApp app = BenchApp.create(node, "backlog", BenchApp.webhook(receiver), true);
        return List.of(flow(app, arrivals, setting.seconds(), measured));
      }
    }
  }

  private static Measured publish(BenchApp app, Events events, int count) throws Exception {
    NodeProbe probe = new NodeProbe(app.node());
    NodeProbe.Reading before = probe.read();
    try (Peaks peaks = new Peaks(probe)) {
      Load.Sent sent = Load.of(count, app, events, PUBLISH);
      Measured measured = sent.measured().withCost(before, probe.read(), sent.events());
      return peaks
          .into(measured, "waiting_")
          .with("waiting_rows", (double) probe.rowsInTable())
          .withMib("waiting_postgres_pss_mib", probe.postgresBytes());
    }
  }

  private static Measured flow(BenchApp app, Arrivals arrivals, Duration time, Measured measured)
      throws Exception {
    NodeProbe probe = new NodeProbe(app.node());
    try (Peaks peaks = new Peaks(probe)) {
      long started = System.nanoTime();
      app.pause(false);
      Wait.until(
          () -> arrivals.distinct() > 0, ARRIVAL_LOOK_EVERY, FIRST_MAX, "nothing is delivered");
      long first = System.nanoTime();
      int already = arrivals.distinct();
      Wait.last(time);
      double seconds = (System.nanoTime() - first) / 1e9;
      measured
          .with("first_delivery_s", (first - started) / 1e9)
          .with("delivered_per_s", (arrivals.distinct() - already) / seconds);
      return peaks.into(measured, "flowing_");
    }
  }

  /** The largest sizes seen while it is open. */
  private static final class Peaks implements AutoCloseable {
    private final NodeProbe probe;
    private final AtomicLong rss = new AtomicLong();
    private final AtomicLong heap = new AtomicLong();
    private final Thread looking = Thread.ofPlatform().daemon().unstarted(this::look);

    Peaks(NodeProbe probe) {
      this.probe = probe;
      looking.start();
    }

    private void look() {
      try {
        while (true) {
          lookOnce();
          Wait.last(LOOK_EVERY);
        }
      } catch (InterruptedException closed) {
        // the end
      }
    }

    private void lookOnce() {
      Long bytes = probe.nodeRssBytes();
      rss.accumulateAndGet(bytes == null ? 0 : bytes, Math::max);
      heap.accumulateAndGet((long) probe.heapUsedBytes(), Math::max);
    }

    Measured into(Measured measured, String prefix) {
      lookOnce();
      return measured
          .withMib(prefix + "node_rss_max_mib", rss.get())
          .withMib(prefix + "heap_used_max_mib", heap.get());
    }

    @Override
    public void close() throws InterruptedException {
      looking.interrupt();
      looking.join();
    }
  }
}
