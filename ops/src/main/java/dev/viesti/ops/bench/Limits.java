package dev.viesti.ops.bench;

import dev.viesti.ops.bench.Summary.Spread;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What bare PostgreSQL does here, measured before the workloads and again after them: the speed of
 * a machine drifts, and shares are of the mean of both. For one thread.
 */
final class Limits {
  static final String NAME = "limit";

  private final List<Measured> before;
  private final List<Measured> after;

  /** Nothing is measured yet. */
  Limits() {
    this(List.of(), List.of());
  }

  Limits(List<Measured> before, List<Measured> after) {
    this.before = new ArrayList<>(before);
    this.after = new ArrayList<>(after);
  }

  boolean areMeasured() {
    return !before.isEmpty();
  }

  void measureBefore(Workload.Setting setting) throws Exception {
    before.addAll(measure(setting));
  }

  void measureAfter(Workload.Setting setting) throws Exception {
    after.addAll(measure(setting));
  }

  private static List<Measured> measure(Workload.Setting setting) throws Exception {
    // Half the time for a part: there are four, and all of it is done twice.
    Duration time = setting.seconds().dividedBy(2);
    return Limit.measure(
        setting.session().engine().database(), time, setting.sizes().rows(), setting.runs());
  }

  /**
   * The run with its share of {@code figure}, and with what that was.
   *
   * @param figure one of {@link Limit#FIGURES}; null = nothing bounds it
   */
  Measured share(Measured run, @Nullable String figure) {
    Double rate = run.figures().get(Measured.EVENTS_PER_S);
    if (figure == null || rate == null || before.isEmpty()) {
      return run;
    }
    return run.with(Measured.SHARE, rate / mean(figure))
        .with("limit_before_per_s", median(before, figure))
        .with("limit_after_per_s", median(after, figure));
  }

  /** All rounds; its rates are those that shares are of. */
  Summary summary() {
    List<Measured> rounds = new ArrayList<>(before);
    rounds.addAll(after);
    Summary all = Summary.of(NAME, rounds);
    Map<String, Spread> figures = new LinkedHashMap<>(all.figures());
    for (String figure : Limit.FIGURES) {
      figures.computeIfPresent(figure, (name, spread) -> spread.withMedian(mean(figure)));
      side(figures, figure.replace("_per_s", "_before_per_s"), median(before, figure));
      side(figures, figure.replace("_per_s", "_after_per_s"), median(after, figure));
    }
    figures.computeIfPresent(
        Measured.EVENTS_PER_S, (name, spread) -> spread.withMedian(mean(Limit.PIPELINE)));
    return new Summary(NAME, rounds.size(), figures);
  }

  private static void side(Map<String, Spread> figures, String name, @Nullable Double value) {
    if (value != null) {
      figures.put(name, new Spread(value, value, value));
    }
  }

  private double mean(String figure) {
    Double first = median(before, figure);
    Double last = median(after, figure);
    if (first == null || last == null) {
      return first == null ? Double.NaN : first;
    }
    return (first + last) / 2;
  }

  private static @Nullable Double median(List<Measured> rounds, String figure) {
    Spread spread = Summary.of(NAME, rounds).figures().get(figure);
    return spread == null ? null : spread.median();
  }
}
