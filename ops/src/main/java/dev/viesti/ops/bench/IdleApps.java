package dev.viesti.ops.bench;

import dev.viesti.protocol.app.AppId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;

/**
 * A great many apps, an event a minute each: what waking one up takes, and whether memory comes
 * back once they sleep.
 */
record IdleApps() implements Workload {
  private static final int CREATING = 64;
  private static final int MINUTES = 2;
  private static final Duration SLEEP_MAX = Duration.ofMinutes(3);
  private static final Duration LOOK_EVERY = Duration.ofMillis(200);
  private static final String CONFIG = "viesti.outbox.idle-after = 3 s";
  private static final double MIB = 1024.0 * 1024.0;

  @Override
  public String name() {
    return "apps";
  }

  @Override
  public String description() {
    return "10,000 apps (--apps), one event a minute each: wake-up, and memory once they sleep";
  }

  @Override
  public boolean isDefault() {
    return false;
  }

  @Override
  public List<Measured> measure(Setting setting) throws Exception {
    return List.of(measure(setting, Duration.ofMinutes(MINUTES)));
  }

  /** With events for {@code time}, each app's a minute after the one before. */
  Measured measure(Setting setting, Duration time) throws Exception {
    Engine engine = setting.session().engine(CONFIG);
    List<AppId> apps = create(engine, setting.sizes().apps());
    awaitAsleep(engine);
    double before = heapMib();
    long events = Math.max(apps.size(), apps.size() * time.toSeconds() / 60);
    engine.database().checkpoint();
    Measured measured =
        OpenLoop.run(
            engine, n -> apps.get(n % apps.size()), (int) events, events * 1e9 / time.toNanos());
    awaitAsleep(engine);
    return measured.with("heap_before_mib", before).with("heap_after_mib", heapMib());
  }

  private static List<AppId> create(Engine engine, int count) throws InterruptedException {
    List<AppId> apps = new ArrayList<>();
    List<CompletableFuture<?>> creating = new ArrayList<>();
    var open = new Semaphore(CREATING);
    for (int n = 0; n < count; n++) {
      AppId app = new AppId("bench-idle-" + n);
      apps.add(app);
      open.acquire();
      creating.add(
          CompletableFuture.runAsync(
                  () -> {
                    engine.pause(app, false);
                    engine.trigger(app, EngineHandlers.NOOP, null);
                  },
                  engine.threads())
              .whenComplete((done, failed) -> open.release()));
    }
    creating.forEach(CompletableFuture::join);
    return apps;
  }

  private static void awaitAsleep(Engine engine) throws Exception {
    Wait.until(() -> engine.ownedApps() == 0, LOOK_EVERY, SLEEP_MAX, "apps do not go to sleep");
  }

  private static double heapMib() throws InterruptedException {
    Runtime runtime = Runtime.getRuntime();
    double used = Double.MAX_VALUE;
    for (int round = 0; round < 3; round++) { // references of references
      System.gc();
      Wait.last(LOOK_EVERY);
      used = Math.min(used, (runtime.totalMemory() - runtime.freeMemory()) / MIB);
    }
    return used;
  }
}
