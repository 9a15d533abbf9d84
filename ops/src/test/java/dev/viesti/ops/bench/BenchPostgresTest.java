package dev.viesti.ops.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import dev.viesti.ops.cli.client.ClientJson;
import dev.viesti.persistence.embedded.TestDatabase;
import dev.viesti.persistence.embedded.TestPostgres;
import dev.viesti.persistence.schema.SchemaMigrator;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(300)
class BenchPostgresTest {
  private static final Bench.Sizes SIZES = new Bench.Sizes(2_000, 2_000, 20);

  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  @Test
  void measuresARealNode(@TempDir Path directory) throws Exception {
    bench(options(List.of("http-single", "backlog"), null, directory)).run();

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
    bench(options(List.of("engine"), null, directory)).run();

    Map<String, JsonNode> objects = new LinkedHashMap<>();
    objects().forEach(object -> objects.put(object.path("workload").asText(), object));
    assertThat(objects.keySet())
        .containsExactly(
            "limit",
            "emit",
            "steady",
            "blocking",
            "single",
            "async",
            "plugin",
            "latency",
            "retry",
            "drain");
    assertThat(objects.values())
        .allSatisfy(
            object -> {
              for (String figure : List.of("events", "seconds", "events_per_s")) {
                assertThat(object.path(figure).asDouble()).as(figure).isPositive();
              }
              for (String cost : List.of("wal_bytes_per_event", "pg_cpu_s_per_1k")) {
                assertThat(object.path(cost).asDouble()).as(cost).isNotNegative();
                assertThat(object.path(cost).isNumber()).as(cost).isTrue();
              }
              assertThat(object.path("client_cpu_s_per_1k").isNumber()).isTrue();
            });
    for (String bounded : List.of("emit", "drain", "steady", "async", "single", "retry")) {
      JsonNode object = Objects.requireNonNull(objects.get(bounded));
      double mean =
          (object.path("limit_before_per_s").asDouble()
                  + object.path("limit_after_per_s").asDouble())
              / 2;
      assertThat(object.path("share_of_limit").asDouble())
          .isCloseTo(object.path("events_per_s").asDouble() / mean, within(0.001));
    }
    for (String timed : List.of("steady", "single", "latency")) {
      assertThat(Objects.requireNonNull(objects.get(timed)).path("p99_ms").asDouble()).isPositive();
    }
    assertThat(directory).isEmptyDirectory();
  }

  /** Rows that were written after the checkpoint are on pages that have been written whole. */
  @Test
  void chargesADrainForNothingButTheDrain(@TempDir Path directory) throws Exception {
    bench(options(List.of("drain", "limit"), null, directory)).run();

    JsonNode limit = objects().getFirst();
    JsonNode drain = objects().getLast();
    assertThat(drain.path("workload").asText()).isEqualTo("drain");
    assertThat(drain.path("events").asInt()).isEqualTo(2_000);
    // a delete is 54 bytes of it; a page written whole would add 8 KiB for every 25 rows
    assertThat(drain.path("wal_bytes_per_event").asDouble()).isBetween(50.0, 250.0);
    assertThat(limit.path("delete_wal_bytes_per_event").asDouble()).isBetween(50.0, 250.0);
  }

  @Test
  void leavesADatabaseAloneThatIsSomebodys(@TempDir Path directory) throws Exception {
    TestDatabase database = TestPostgres.freshDatabase();
    var given = new Bench.GivenDatabase(database.url(), database.user(), database.password());
    new SchemaMigrator(database.dataSource()).migrate(SchemaMigrator.Mode.AUTO);
    database.execute("insert into viesti.app values (now(), now(), false, 'billing', null)");

    assertThatThrownBy(bench(options(List.of("single"), given, directory))::run)
        .isInstanceOf(ForeignAppsException.class)
        .hasMessageContaining("billing")
        .hasMessageContaining("--database-url");
    assertThat(database.queryText("select count(*) from viesti.event_journal")).isEqualTo("0");
    assertThat(database.queryText("select count(*) from viesti.outbox_owner")).isEqualTo("0");
    assertThat(directory).isEmptyDirectory();
  }

  @Test
  void leavesNoAppInAGivenDatabase(@TempDir Path directory) throws Exception {
    TestDatabase database = TestPostgres.freshDatabase();
    var given = new Bench.GivenDatabase(database.url(), database.user(), database.password());

    bench(options(List.of("single"), given, directory)).run();

    JsonNode single = objects().getFirst();
    assertThat(single.path("events_per_s").asDouble()).isPositive();
    assertThat(single.path("pg_cpu_s_per_1k").isNull()).isTrue();
    assertThat(database.queryText("select count(*) from viesti.app")).isEqualTo("0");
    assertThat(database.queryText("select count(*) from viesti.outbox")).isEqualTo("0");
  }

  @Test
  void measuresUnderAPinnedSnapshot(@TempDir Path directory) throws Exception {
    try (var session = new Session(directory, null)) {
      Map<String, Double> figures =
          new Bloat()
              .measure(session.engine(), Duration.ofMillis(300), Duration.ofSeconds(2))
              .figures();
      assertThat(figures.get("clean_per_s")).isPositive();
      assertThat(figures.get("share_of_clean")).isBetween(0.1, 10.0);
    }
  }

  @Test
  void measuresAppsThatSleep(@TempDir Path directory) throws Exception {
    try (var session = new Session(directory, null)) {
      var setting =
          new Workload.Setting(Duration.ofMillis(300), 1, SIZES, session, text -> {}, directory);
      Map<String, Double> figures =
          new IdleApps().measure(setting, Duration.ofSeconds(1)).figures();
      assertThat(figures.get(Measured.EVENTS)).isEqualTo(20);
      assertThat(figures.get("p99_ms")).isPositive();
      assertThat(figures.get("heap_after_mib")).isPositive();
    }
  }

  private Bench bench(Bench.Options options) {
    return new Bench(options, new PrintWriter(out, true), new PrintWriter(err, true));
  }

  private static Bench.Options options(
      List<String> workloads, Bench.@Nullable GivenDatabase database, Path directory) {
    return new Bench.Options(
        workloads, Duration.ofMillis(300), 1, SIZES, database, true, directory);
  }

  private List<JsonNode> objects() throws Exception {
    List<JsonNode> objects = new ArrayList<>();
    for (String line : out.toString().lines().toList()) {
      objects.add(ClientJson.MAPPER.readTree(line));
    }
    return objects;
  }
}
