package dev.viesti.ops.bench;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import dev.viesti.ops.cli.client.ClientJson;
import java.io.ByteArrayInputStream;
import java.io.EOFException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class BenchPartsTest {
  private static final String TWO_ANSWERS =
      "HTTP/1.1 202 Accepted\r\nContent-LENGTH: 5\r\nDate: x\r\n\r\nhello"
          + "HTTP/1.1 204 No Content\r\n\r\n"
          + "POST /hook HTTP/1.1\r\ncontent-length:20\r\n\r\n{\"id\":\"run-1-00042\"}";

  @Test
  void readsMessagesHoweverTheyAreCut() throws Exception {
    for (int size = 1; size <= TWO_ANSWERS.length(); size++) {
      var reader = new MessageReader(pieces(TWO_ANSWERS, size));
      assertThat(reader.next()).isTrue();
      assertThat(reader.status()).isEqualTo(202);
      assertThat(reader.body()).isEqualTo("hello");
      assertThat(reader.next()).isTrue();
      assertThat(reader.status()).isEqualTo(204);
      assertThat(reader.body()).isEmpty();
      assertThat(reader.next()).isTrue();
      assertThat(reader.numberAfter("\"run-1-".getBytes(US_ASCII))).isEqualTo(42);
      assertThat(reader.numberAfter("\"run-2-".getBytes(US_ASCII))).isEqualTo(-1);
      assertThat(reader.next()).isFalse();
    }
  }

  @Test
  void readsBodiesLargerThanItsBuffer() throws Exception {
    String body = "x".repeat(100_000);
    String answer = "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + body;
    var reader = new MessageReader(pieces(answer + answer, 7_000));
    assertThat(reader.next()).isTrue();
    assertThat(reader.body()).isEqualTo(body);
    assertThat(reader.next()).isTrue();
    assertThat(reader.body()).isEqualTo(body);
  }

  @Test
  void noticesAnAnswerThatIsCutOff() {
    var reader = new MessageReader(pieces(TWO_ANSWERS.substring(0, 55), 10));
    assertThatThrownBy(reader::next).isInstanceOf(EOFException.class);
  }

  @Test
  void rendersEventsOfOneSize() throws Exception {
    var events = new Events("run-1");
    assertThat(events.take(3)).isZero();
    Events.Body body = events.body(3);
    body.fill(events.take(3));
    JsonNode batch = ClientJson.MAPPER.readTree(body.bytes());
    assertThat(batch).hasSize(3);
    assertThat(batch.get(2).path("id").asText()).isEqualTo("run-1-000000005");
    assertThat(batch.get(2).path("data").toString()).hasSize(Events.DATA_BYTES);
    Events.Body single = events.body(1);
    single.fill(7);
    assertThat(ClientJson.MAPPER.readTree(single.bytes()).path("id").asText())
        .isEqualTo("run-1-000000007");
  }

  @Test
  void countsOnlyFirstArrivalsOfItsOwnRun() throws Exception {
    var arrivals = new Arrivals("run-1", 3);
    arrivals.note(request("run-1-000000002"), 20);
    arrivals.note(request("run-1-000000002"), 30);
    arrivals.note(request("run-0-000000001"), 40);
    arrivals.note(request("run-1-000000000"), 10);
    assertThat(arrivals.distinct()).isEqualTo(2);
    assertThat(arrivals.repeated()).isEqualTo(1);
    assertThat(arrivals.at(2)).isEqualTo(20);
    assertThat(arrivals.at(1)).isZero();
    assertThat(arrivals.last()).isEqualTo(20);
  }

  @Test
  void takesPercentilesByRank() {
    var latencies = new Latencies();
    for (int i = 10_000; i >= 1; i--) {
      latencies.add(i * 1_000_000L);
    }
    Map<String, Double> figures = new LinkedHashMap<>();
    latencies.into(figures, "");
    assertThat(figures)
        .containsEntry("p50_ms", 5_000.0)
        .containsEntry("p95_ms", 9_500.0)
        .containsEntry("p99_ms", 9_900.0);
  }

  @Test
  void reportsMediansAndNullsForWhatIsNotMeasured() throws Exception {
    Summary summary =
        Summary.of(
            "some", List.of(Measured.rate(30, 1), Measured.rate(10, 1), Measured.rate(20, 1)));
    JsonNode json = ClientJson.MAPPER.readTree(BenchReport.json(summary));
    assertThat(json.path("workload").asText()).isEqualTo("some");
    assertThat(json.path("events_per_s").asDouble()).isEqualTo(20);
    assertThat(json.path("range").path("events_per_s").toString()).isEqualTo("[10.0,30.0]");
    assertThat(json.has("p99_ms")).isTrue();
    assertThat(json.path("p99_ms").isNull()).isTrue();
    assertThat(BenchReport.table(List.of(summary)))
        .containsPattern("some +20\\.0 +1\\.00 +20\\.0 +\\(10\\.0\\.\\.30\\.0\\)");
  }

  /** Others read these names: they are compared with those of other programs. */
  @Test
  void givesEveryWorkloadTheSameKeysFirst() throws Exception {
    Summary summary = Summary.of("some", List.of(Measured.nothing().with("ready_s", 1.0)));
    JsonNode json = ClientJson.MAPPER.readTree(BenchReport.json(summary));
    List<String> keys = new ArrayList<>();
    json.fieldNames().forEachRemaining(keys::add);
    assertThat(keys)
        .containsExactly(
            "workload",
            "events",
            "seconds",
            "events_per_s",
            "p50_ms",
            "p95_ms",
            "p99_ms",
            "wal_bytes_per_event",
            "pg_cpu_s_per_1k",
            "client_cpu_s_per_1k",
            "share_of_limit",
            "runs",
            "ready_s",
            "range");
  }

  @Test
  void takesSharesOfTheMeanOfBothLimits() throws Exception {
    // the machine was half as fast at the end
    Limits limits = new Limits(limit(100_000), limit(50_000));
    Measured run = limits.share(Measured.rate(60_000, 1), Limit.DELETE);
    assertThat(run.figures())
        .containsEntry("share_of_limit", 0.8)
        .containsEntry("limit_before_per_s", 100_000.0)
        .containsEntry("limit_after_per_s", 50_000.0);
    assertThat(limits.share(Measured.rate(1, 1), null).figures())
        .doesNotContainKey("share_of_limit");
    JsonNode json = ClientJson.MAPPER.readTree(BenchReport.json(limits.summary()));
    assertThat(json.path("delete_per_s").asDouble()).isEqualTo(75_000);
    assertThat(json.path("delete_before_per_s").asDouble()).isEqualTo(100_000);
    assertThat(json.path("delete_after_per_s").asDouble()).isEqualTo(50_000);
  }

  @Test
  void startsNodesWithTheOptionsOfAServer() {
    List<String> ours =
        List.of("-Dx=1", "-Xmx2g", "-XX:+UseParallelGC", "-Dviesti.bench.server.options=-Xmx512m");
    assertThat(NodeProcess.jvmOptions(ours, "-Xmx512m -XX:+UseSerialGC"))
        .containsExactly("-Dx=1", "-Xmx512m", "-XX:+UseSerialGC");
    assertThat(NodeProcess.jvmOptions(List.of("-Xmx1g", "-agentlib:jdwp"), null))
        .containsExactly("-Xmx1g");
  }

  private static List<Measured> limit(int rate) {
    return List.of(Measured.rate(rate, 1).with(Limit.DELETE, (double) rate));
  }

  private static MessageReader request(String id) throws Exception {
    String body = "{\"id\":\"" + id + "\"}";
    var reader =
        new MessageReader(
            pieces(
                "POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n%s".formatted(body.length(), body),
                1_000));
    assertThat(reader.next()).isTrue();
    return reader;
  }

  /** Hands out at most {@code size} bytes a read, as a network does. */
  private static InputStream pieces(String text, int size) {
    return new ByteArrayInputStream(text.getBytes(US_ASCII)) {
      @Override
      public synchronized int read(byte[] bytes, int offset, int length) {
        return super.read(bytes, offset, Math.min(length, size));
      }
    };
  }
}
