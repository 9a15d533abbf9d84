package dev.viesti.ops.bench;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.viesti.ops.bench.Summary.Spread;
import dev.viesti.ops.cli.client.ClientJson;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Summaries for people and for programs. */
final class BenchReport {
  /** Always there in JSON and first, null where a workload does not have them. */
  static final List<String> STANDARD =
      List.of(
          Measured.EVENTS,
          Measured.SECONDS,
          Measured.EVENTS_PER_S,
          "p50_ms",
          "p95_ms",
          "p99_ms",
          Measured.WAL,
          Measured.POSTGRES_CPU,
          Measured.CLIENT_CPU,
          Measured.SHARE);

  private static final String ROW = "%-15s %9s %7s %8s %-19s %6s %6s %6s %6s %6s %6s %5s%n";

  private static final int DECIMALS_MAX = 4;

  private BenchReport() {}

  /** One object, in one line. */
  static String json(Summary summary) {
    ObjectNode object = ClientJson.MAPPER.createObjectNode();
    object.put("workload", summary.workload());
    for (String name : STANDARD) {
      Spread spread = summary.figures().get(name);
      object.put(name, spread == null ? null : rounded(spread.median()));
    }
    object.put("runs", summary.runs());
    ObjectNode range = ClientJson.MAPPER.createObjectNode();
    summary
        .figures()
        .forEach(
            (name, spread) -> {
              object.put(name, rounded(spread.median()));
              range.putArray(name).add(rounded(spread.min())).add(rounded(spread.max()));
            });
    object.set("range", range);
    return object.toString();
  }

  /** The figures that most workloads have, then all others below. */
  static String table(List<Summary> summaries) {
    StringBuilder text = new StringBuilder();
    text.append(
        ROW.formatted(
            "WORKLOAD",
            "EVENTS",
            "SECONDS",
            "EVENTS/S",
            "(min..max)",
            "P50 MS",
            "P95 MS",
            "P99 MS",
            "WAL B",
            "PG CPU",
            "CLIENT",
            "SHARE"));
    for (Summary summary : summaries) {
      Map<String, Spread> figures = summary.figures();
      Spread rate = figures.get(Measured.EVENTS_PER_S);
      text.append(
          ROW.formatted(
              summary.workload(),
              cell(figures.get(Measured.EVENTS)),
              cell(figures.get(Measured.SECONDS)),
              cell(rate),
              rate == null ? "-" : range(rate),
              cell(figures.get("p50_ms")),
              cell(figures.get("p95_ms")),
              cell(figures.get("p99_ms")),
              cell(figures.get(Measured.WAL)),
              cell(figures.get(Measured.POSTGRES_CPU)),
              cell(figures.get(Measured.CLIENT_CPU)),
              cell(figures.get(Measured.SHARE))));
    }
    text.append(
        "%nWAL B: bytes an event. PG CPU, CLIENT: CPU seconds for 1,000 events. SHARE: of the limit.%n"
            .formatted());
    for (Summary summary : summaries) {
      text.append("%n%s: median (min..max) of %d%n".formatted(summary.workload(), summary.runs()));
      summary
          .figures()
          .forEach(
              (name, spread) ->
                  text.append("  %-28s %10s  %s%n".formatted(name, cell(spread), range(spread))));
    }
    return text.toString();
  }

  /** What came of a workload, in one line. */
  static String line(Summary summary) {
    Spread rate = summary.figures().get(Measured.EVENTS_PER_S);
    return rate == null
        ? summary.workload() + ": done"
        : "%s: %s events/s %s".formatted(summary.workload(), cell(rate), range(rate));
  }

  private static String range(Spread spread) {
    return "(" + number(spread.min()) + ".." + number(spread.max()) + ")";
  }

  private static String cell(@Nullable Spread spread) {
    return spread == null ? "-" : number(spread.median());
  }

  /** Three digits that mean something, whatever the size. */
  private static String number(double value) {
    double size = Math.abs(value);
    String format = size >= 100 ? "%,.0f" : size >= 10 ? "%.1f" : size >= 0.1 ? "%.2f" : "%.4f";
    return String.format(Locale.ROOT, format, value);
  }

  private static double rounded(double value) {
    double scale = Math.pow(10, DECIMALS_MAX);
    return Math.round(value * scale) / scale;
  }
}
