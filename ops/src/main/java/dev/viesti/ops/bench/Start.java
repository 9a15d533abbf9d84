package dev.viesti.ops.bench;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** From the start of the process to ready, with a data directory that exists; then memory, idle. */
record Start() implements Workload {
  private static final Duration IDLE = Duration.ofSeconds(10);

  @Override
  public String name() {
    return "start";
  }

  @Override
  public String description() {
    return "start to ready with an existing data directory, and memory after 10 s of idling";
  }

  @Override
  public List<Measured> measure(Setting setting) throws Exception {
    try (NodeProcess first = setting.session().node(setting.directory())) {
      BenchApp.create(first, "one", BenchApp.NOOP, false);
    }
    List<Measured> runs = new ArrayList<>();
    for (int run = 1; run <= setting.runs(); run++) {
      try (NodeProcess node = setting.session().node(setting.directory())) {
        Wait.last(IDLE);
        NodeProbe probe = new NodeProbe(node);
        runs.add(
            Measured.nothing()
                .with("ready_s", node.secondsToReady())
                .withMib("node_rss_mib", probe.nodeRssBytes())
                .withMib("postgres_pss_mib", probe.postgresBytes()));
      }
    }
    return runs;
  }
}
