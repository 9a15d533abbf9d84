package dev.viesti.ops.bench;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.viesti.ops.cli.client.ClientJson;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
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
        new Bench.Options(
            List.of("http-single", "backlog"), Duration.ofSeconds(1), 1, 2_000, true, directory),
        new PrintWriter(out, true),
        new PrintWriter(err, true));

    List<JsonNode> objects = new ArrayList<>();
    for (String line : out.toString().lines().toList()) {
      objects.add(ClientJson.MAPPER.readTree(line));
    }
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
}
