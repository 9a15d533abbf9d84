package dev.viesti.ops.bench;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A workload's runs, figure by figure: the medians need not be of one run.
 *
 * @param figures by their names, in the order of the first run that has them
 */
record Summary(String workload, int runs, Map<String, Spread> figures) {
  /** Of one figure. */
  record Spread(double median, double min, double max) {
    static Spread of(double[] values) {
      double[] sorted = values.clone();
      Arrays.sort(sorted);
      int half = sorted.length / 2;
      double median = sorted.length % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
      return new Spread(median, sorted[0], sorted[sorted.length - 1]);
    }

    Spread withMedian(double other) {
      return new Spread(other, min, max);
    }
  }

  static Summary of(String workload, List<Measured> runs) {
    Map<String, Spread> figures = new LinkedHashMap<>();
    for (Measured run : runs) {
      for (String name : run.figures().keySet()) {
        figures.computeIfAbsent(
            name,
            key ->
                Spread.of(
                    runs.stream()
                        .filter(one -> one.figures().containsKey(key))
                        .mapToDouble(one -> one.figures().getOrDefault(key, 0.0))
                        .toArray()));
      }
    }
    return new Summary(workload, runs.size(), figures);
  }
}
