package dev.viesti.ops.bench;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.viesti.ops.cli.client.ClientJson;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(300)
class BenchPostgresTest {
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  @Test
  void measuresARealNode(@TempDir Path directory) throws Exception {
    Bench.run(
        options(List.of("http-single", "backlog"), directory),
        new PrintWriter(out, true),
        new PrintWriter(err, true));

    List<JsonNode> objects = objects();
    assertThat(objects).hasSize(2);
    JsonNode single = objects.getFirst();
    assertThat(single.path("workload").asText()).isEqualTo("http-single");
    assertThat(single.path("events_per_s").asDouble()).isPositive();
    assertThat(single.path("settled_per_s").asDouble()).isPositive();
    assertThat(single.path("p50_ms").asDouble()).isPositive();
    assertThat(single.path("wal_bytes_per_event").asDouble()).isPositive();
    JsonNode backlog = objects.getLast();
    assertThat(backlog.path("waiting_rows").asInt()).isEqualTo(2_000);
    assertThat(backlog.path("delivered_per_s").asDouble()).isPositive();
    assertThat(directory).isEmptyDirectory();
  }

  @Test
  void measuresTheEngine(@TempDir Path directory) throws Exception {
    Bench.run(
        options(List.of("engine"), directory),
        new PrintWriter(out, true),
        new PrintWriter(err, true));

    Map<String, JsonNode> objects = new HashMap<>();
    objects().forEach(object -> objects.put(object.path("workload").asText(), object));
    assertThat(objects)
        .containsOnlyKeys(
            "limit", "emit", "drain", "steady", "blocking", "single", "async", "latency", "retry");
    assertThat(objects.values())
        .allSatisfy(
            object -> {
              for (String figure :
                  List.of("events", "seconds", "events_per_s", "wal_bytes_per_event")) {
                assertThat(object.path(figure).asDouble()).as(figure).isPositive();
              }
              assertThat(object.path("client_cpu_s_per_1k").asDouble()).isPositive();
              assertThat(object.has("share_of_limit")).isTrue();
            });
    for (String bounded : List.of("drain", "steady", "single", "retry")) {
      assertThat(Objects.requireNonNull(objects.get(bounded)).path("share_of_limit").asDouble())
          .isPositive();
    }
    for (String timed : List.of("steady", "single", "latency")) {
      assertThat(Objects.requireNonNull(objects.get(timed)).path("p99_ms").asDouble()).isPositive();
    }
    assertThat(directory).isEmptyDirectory();
  }

  @Test
  void measuresUnderAPinnedSnapshot(@TempDir Path directory) throws Exception {
    try (var session = new Session()) {
      Workload.Setting setting = options(List.of(), directory).setting(session, directory);
      Engine engine = session.engine(setting);
      Map<String, Double> figures =
          new Bloat().measure(engine, setting, Duration.ofSeconds(2)).figures();
      assertThat(figures.get("clean_per_s")).isPositive();
      assertThat(figures.get("share_of_clean")).isBetween(0.1, 10.0);
    }
  }

  @Test
  void measuresAppsThatSleep(@TempDir Path directory) throws Exception {
    try (var session = new Session()) {
      Workload.Setting setting = options(List.of(), directory).setting(session, directory);
      Map<String, Double> figures =
          new IdleApps().measure(setting, Duration.ofSeconds(1)).figures();
      assertThat(figures.get(Measured.EVENTS)).isEqualTo(20);
      assertThat(figures.get("p99_ms")).isPositive();
      assertThat(figures.get("heap_after_mib")).isPositive();
    }
  }

  private static Bench.Options options(List<String> workloads, Path directory) {
    return new Bench.Options(
        workloads, Duration.ofMillis(300), 1, 2_000, 2_000, 20, null, true, directory);
  }

  private List<JsonNode> objects() throws Exception {
    List<JsonNode> objects = new ArrayList<>();
    for (String line : out.toString().lines().toList()) {
      objects.add(ClientJson.MAPPER.readTree(line));
    }
    return objects;
  }
}
