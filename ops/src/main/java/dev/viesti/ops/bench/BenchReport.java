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
  /** Always there in JSON, null where a workload does not have them. */
  private static final List<String> STANDARD =
      List.of(
          Measured.EVENTS,
          Measured.SECONDS,
          Measured.EVENTS_PER_S,
          "p50_ms",
          "p95_ms",
          "p99_ms",
          Measured.WAL,
          "pg_cpu_s_per_1k",
          "client_cpu_s_per_1k",
          "node_cpu_s_per_1k",
          "share_of_limit");

  private static final int DECIMALS_MAX = 4;

  private BenchReport() {}

  /** One object, in one line. */
  static String json(Summary summary) {
    ObjectNode object = ClientJson.MAPPER.createObjectNode();
    object.put("workload", summary.workload()).put("runs", summary.runs());
    for (String name : STANDARD) {
      Spread spread = summary.figures().get(name);
      object.put(name, spread == null ? null : rounded(spread.median()));
    }
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
        "%-16s %9s %9s %-21s %8s %8s %8s %9s%n"
            .formatted(
                "WORKLOAD",
                "EVENTS",
                "EVENTS/S",
                "(min..max)",
                "P50 MS",
                "P95 MS",
                "P99 MS",
                "WAL B/EV"));
    for (Summary summary : summaries) {
      Map<String, Spread> figures = summary.figures();
      Spread rate = figures.get(Measured.EVENTS_PER_S);
      text.append(
          "%-16s %9s %9s %-21s %8s %8s %8s %9s%n"
              .formatted(
                  summary.workload(),
                  cell(figures.get(Measured.EVENTS)),
                  cell(rate),
                  rate == null ? "-" : range(rate),
                  cell(figures.get("p50_ms")),
                  cell(figures.get("p95_ms")),
                  cell(figures.get("p99_ms")),
                  cell(figures.get(Measured.WAL))));
    }
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
