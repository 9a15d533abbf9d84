package dev.viesti.dispatcher.metrics;

import dev.viesti.protocol.app.AppId;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;

/**
 * What a node counts. Counters are since the start of the JVM; gauges are of the apps that this
 * node owns at the moment. No label has more values than there are targets and outcomes.
 * Thread-safe.
 */
public final class Telemetry {
  /**
   * One owner's state, as of its last look.
   *
   * @param pending rows in the table that are not settled
   * @param inFlight executions that run
   * @param oldestAcceptedAt when the longest waiting event was accepted; null when none waits
   */
  public record OwnerState(long pending, int inFlight, @Nullable Instant oldestAcceptedAt) {}

  private record Attempts(String target, String outcome) {}

  private final MeterRegistry registry;
  private final Map<AppId, OwnerState> owners = new ConcurrentHashMap<>();
  private final Map<Attempts, Timer> attempts = new ConcurrentHashMap<>();
  private final Map<String, Counter> endings = new ConcurrentHashMap<>();
  private final Counter retries;
  private final Counter blocked;
  private final Counter accepted;
  private final Counter unmatched;
  private final Counter duplicates;
  private final Counter refused;
  private final Counter fenced;
  private final Counter filterFailures;
  private final Timer settleLatency;

  public Telemetry(MeterRegistry registry, Clock clock) {
    this.registry = registry;
    accepted = counter("viesti.events.accepted", "Events accepted, matched or not");
    unmatched = counter("viesti.events.unmatched", "Events accepted that no trigger matched");
    duplicates = counter("viesti.events.duplicate", "Events whose source and id were known");
    refused = counter("viesti.events.refused", "Events refused because Viesti was not available");
    fenced = counter("viesti.outbox.fenced", "Outboxes given up because another node owns them");
    filterFailures = counter("viesti.filter.failures", "Filters that failed on an event");
    retries = counter("viesti.deliveries.retried", "Deliveries that will be tried again");
    blocked = counter("viesti.deliveries.blocked", "Deliveries that block their ordering key");
    settleLatency =
        Timer.builder("viesti.delivery.latency")
            .description("From the acceptance of an event to the durable end of a delivery")
            .publishPercentileHistogram()
            .minimumExpectedValue(Duration.ofMillis(1))
            .maximumExpectedValue(Duration.ofMinutes(10))
            .register(registry);
    gauge("viesti.outbox.pending", "Deliveries not settled", OwnerState::pending, true);
    gauge("viesti.executions.in.flight", "Executions that run", OwnerState::inFlight, true);
    gauge(
        "viesti.outbox.oldest.pending.age.seconds",
        "Age of the longest waiting delivery",
        state -> age(state.oldestAcceptedAt(), clock),
        false);
    Gauge.builder("viesti.outbox.owned", owners, Map::size)
        .description("Apps that this node owns")
        .register(registry);
  }

  public void accepted(int events, int withoutMatch, int repeated) {
    accepted.increment(events);
    unmatched.increment(withoutMatch);
    duplicates.increment(repeated);
  }

  public void refused(int events) {
    refused.increment(events);
  }

  public void fenced() {
    fenced.increment();
  }

  public void filterFailed() {
    filterFailures.increment();
  }

  /** An attempt has ended; {@code outcome} is its word. */
  public void attempted(String target, String outcome, Duration took) {
    attempts.computeIfAbsent(new Attempts(target, outcome), this::attemptTimer).record(took);
  }

  private Timer attemptTimer(Attempts attempts) {
    return Timer.builder("viesti.attempt.duration")
        .description("How long attempts took")
        .tag("target", attempts.target())
        .tag("outcome", attempts.outcome())
        .publishPercentileHistogram()
        .minimumExpectedValue(Duration.ofMillis(1))
        .maximumExpectedValue(Duration.ofMinutes(15))
        .register(registry);
  }

  /** A delivery has ended durably: {@code settled}, {@code dead_lettered} or {@code cancelled}. */
  public void ended(String how, Duration sinceAccepted) {
    endings
        .computeIfAbsent(how, word -> registry.counter("viesti.deliveries.ended", "how", word))
        .increment();
    settleLatency.record(sinceAccepted);
  }

  /** A delivery will be tried again. */
  public void retried() {
    retries.increment();
  }

  /** A delivery was given up on and blocks its key. */
  public void blocked() {
    blocked.increment();
  }

  /** What the gauges show for this app from now on. */
  public void owns(AppId app, OwnerState state) {
    owners.put(app, state);
  }

  public void ownsNoMore(AppId app) {
    owners.remove(app);
  }

  private Counter counter(String name, String description) {
    return Counter.builder(name).description(description).register(registry);
  }

  private void gauge(
      String name, String description, ToDoubleFunction<OwnerState> value, boolean sum) {
    Gauge.builder(
            name,
            owners,
            all -> {
              double total = 0;
              for (OwnerState state : all.values()) {
                double one = value.applyAsDouble(state);
                total = sum ? total + one : Math.max(total, one);
              }
              return total;
            })
        .description(description)
        .register(registry);
  }

  private static double age(@Nullable Instant since, Clock clock) {
    return since == null
        ? 0
        : Math.max(0, Duration.between(since, clock.instant()).toMillis() / 1e3);
  }
}
