package dev.viesti.ops.metrics;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.binder.jvm.ClassLoaderMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmGcMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmThreadMetrics;
import io.micrometer.core.instrument.binder.system.FileDescriptorMetrics;
import io.micrometer.core.instrument.binder.system.ProcessorMetrics;
import io.micrometer.core.instrument.binder.system.UptimeMetrics;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/** The registry that {@code /metrics} shows. Thread-safe. */
public final class Metrics implements AutoCloseable {
  private record Requests(String method, String route, int status) {}

  /** How long a request took from its head to its answer, by method, route and status. */
  public static final String HTTP_REQUEST_DURATION = "viesti.http.request.duration";

  /** Clients that listen to the stream of outcomes. */
  public static final String STREAM_CLIENTS = "viesti.stream.clients";

  /** Always 1; its tag says which version runs. */
  public static final String BUILD_INFO = "viesti.build.info";

  private final Map<Requests, Timer> requests = new ConcurrentHashMap<>();
  private final PrometheusMeterRegistry registry =
      new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
  private final JvmGcMetrics collector = new JvmGcMetrics();
  private final AtomicInteger streamClients = new AtomicInteger();

  /** Starts with the meters of the JVM and the process. */
  public Metrics() {
    new JvmMemoryMetrics().bindTo(registry);
    new JvmThreadMetrics().bindTo(registry);
    new ClassLoaderMetrics().bindTo(registry);
    new ProcessorMetrics().bindTo(registry);
    new FileDescriptorMetrics().bindTo(registry);
    new UptimeMetrics().bindTo(registry);
    collector.bindTo(registry);
    Gauge.builder(STREAM_CLIENTS, streamClients, AtomicInteger::get).register(registry);
    Gauge.builder(BUILD_INFO, () -> 1).tag("version", version()).register(registry);
  }

  public MeterRegistry registry() {
    return registry;
  }

  /** Clients of the stream now; whoever opens or closes one counts here. */
  public AtomicInteger streamClients() {
    return streamClients;
  }

  /** Everything, as Prometheus reads it. */
  public String scrape() {
    return registry.scrape();
  }

  /**
   * @param route the path's template, never the path: its values would make meters without number
   */
  public void httpRequest(String method, String route, int status, Duration took) {
    requests.computeIfAbsent(new Requests(method, route, status), this::requestTimer).record(took);
  }

  private Timer requestTimer(Requests of) {
    return Timer.builder(HTTP_REQUEST_DURATION)
        .tags("method", of.method(), "route", of.route(), "status", Integer.toString(of.status()))
        .serviceLevelObjectives(
            Duration.ofMillis(5),
            Duration.ofMillis(25),
            Duration.ofMillis(100),
            Duration.ofMillis(500),
            Duration.ofSeconds(2),
            Duration.ofSeconds(10))
        .register(registry);
  }

  /** The version in the jar's manifest; {@code dev} when there is none. */
  public static String version() {
    String version = Metrics.class.getPackage().getImplementationVersion();
    return version == null ? "dev" : version;
  }

  @Override
  public void close() {
    collector.close();
    registry.close();
  }
}
