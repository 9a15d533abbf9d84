package dev.viesti.ops.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.viesti.ops.cli.FakeServer.Reply;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class EventSendTest {
  private static final String POST = "POST /v1/apps/a/events";
  private static final String ONE =
      "{\"events\":[{\"id\":\"1\",\"deliveries\":2,\"duplicate\":false}]}";

  private FakeServer server;
  private CommandRun run;

  @BeforeEach
  void start() throws IOException {
    server = new FakeServer();
    run = CommandRun.against(server);
  }

  @AfterEach
  void stop() {
    server.close();
  }

  @Test
  void sendsOneEventFromItsParts() {
    server.on(POST, ONE);
    assertThat(
            run.run(
                "event",
                "send",
                "--app",
                "a",
                "--source",
                "s",
                "--type",
                "t",
                "--id",
                "i",
                "--data",
                "{\"n\": 1.0}"))
        .isZero();
    assertThat(server.requests.getFirst().body())
        .isEqualTo(
            "[{\"specversion\":\"1.0\",\"source\":\"s\",\"type\":\"t\",\"id\":\"i\","
                + "\"data\":{\"n\": 1.0}}]");
    assertThat(server.requests.getFirst().contentType())
        .isEqualTo("application/cloudevents-batch+json");
    assertThat(run.out()).startsWith("accepted 1, deliveries 2, duplicates 0 in ");
  }

  @Test
  void holdsAnEventBack() {
    server.on(POST, ONE);
    String[] at = {"event", "send", "-a", "a", "--deliver-at", "2026-12-24T18:00:00+01:00"};
    run.in =
        """
        {"source":"s","type":"t","id":"1"}
        {"source":"s","type":"t","id":"2","deliverat":"2027-01-01T00:00:00Z"}
        """;
    assertThat(run.run(at)).isZero();
    assertThat(server.requests.getLast().body())
        .contains("\"deliverat\":\"2026-12-24T18:00:00+01:00\",\"source\":\"s\"")
        .contains("\"id\":\"2\",\"deliverat\":\"2027-01-01T00:00:00Z\"}");
    String[] in = {
      "event",
      "send",
      "-a",
      "a",
      "--source",
      "s",
      "--type",
      "t",
      "--data",
      "1",
      "--deliver-at",
      "10m"
    };
    assertThat(run.run(in)).isZero();
    assertThat(server.requests.getLast().body()).contains("\"deliverat\":\"1970-01-01T00:10:00Z\"");
    at[5] = "tomorrow";
    assertThat(run.run(at)).isEqualTo(ExitCodes.USAGE);
    assertThat(run.err()).contains("--deliver-at", "2026-01-31T12:00:00Z", "10m", "'tomorrow'");
    assertThat(server.requests).hasSize(2);
  }

  @Test
  void sendsLinesInBatchesOfAHundred() {
    server.on(POST, ONE);
    run.in =
        IntStream.range(0, 250)
            .mapToObj(i -> "{\"source\":\"s\",\"type\":\"t\",\"id\":\"" + i + "\"}")
            .collect(Collectors.joining("\n"));
    assertThat(run.run("event", "send", "--app", "a")).isZero();
    assertThat(server.requests)
        .extracting(request -> request.body().split("\"id\"", -1).length - 1)
        .containsExactly(100, 100, 50);
  }

  @Test
  void repeatsABusyBatchWithTheSameIds() {
    server
        .on(POST, new Reply(503, "{\"title\":\"Not now\"}", Map.of("Retry-After", "3")))
        .on(POST, new Reply(503, "{\"title\":\"Not now\"}", Map.of()))
        .on(POST, ONE);
    run.in = "{\"source\":\"s\",\"type\":\"t\"}\n";
    assertThat(run.run("event", "send", "--app", "a")).isZero();
    assertThat(run.pauses).containsExactly(Duration.ofSeconds(3), Duration.ofMillis(500));
    assertThat(server.requests).extracting(FakeServer.Request::body).hasSize(3);
    assertThat(server.requests.stream().map(FakeServer.Request::body).distinct()).hasSize(1);
    assertThat(server.requests.getFirst().body()).contains("\"id\":\"");
  }

  @Test
  void givesUpOnAServerThatStaysBusy() {
    server.on(POST, new Reply(503, "{\"title\":\"Not now\"}", Map.of("Retry-After", "25")));
    run.in = "{\"source\":\"s\",\"type\":\"t\"}\n";
    assertThat(run.run("event", "send", "--app", "a")).isEqualTo(ExitCodes.REFUSED);
    assertThat(run.pauses).hasSize(2);
    assertThat(run.err()).contains("repeat the command in a moment");
  }

  @Test
  void doesNotWaitForAServerThatWasNeverThere() {
    server.close();
    run.in = "{\"source\":\"s\",\"type\":\"t\"}\n";
    assertThat(run.run("event", "send", "--app", "a")).isEqualTo(ExitCodes.UNREACHABLE);
    assertThat(run.pauses).isEmpty();
  }

  @Test
  void stopsAtABadLineAndNamesIt() {
    server.on(POST, ONE);
    run.in = "{\"source\":\"s\",\"type\":\"t\",\"id\":\"1\"}\n\n{oops\n{\"source\":\"s\"}\n";
    assertThat(run.run("event", "send", "--app", "a")).isEqualTo(ExitCodes.REFUSED);
    assertThat(run.err()).contains("line 3: not JSON").contains("--keep-going");
    assertThat(server.requests).hasSize(1);
    assertThat(run.out()).contains("accepted 1").contains("refused 1");
  }

  @Test
  void skipsBadLinesWhenToldTo() {
    server.on(POST, ONE);
    run.in = "[]\n{\"source\":\"s\"}\n{\"source\":\"s\",\"type\":\"t\",\"id\":\"1\"}\n";
    assertThat(run.run("event", "send", "--app", "a", "--keep-going", "-o", "json"))
        .isEqualTo(ExitCodes.REFUSED);
    assertThat(run.err())
        .contains("line 1: not a JSON object", "line 2: no 'type': write it in the line");
    assertThat(run.out().replaceAll("\\s", ""))
        .isEqualTo("{\"accepted\":1,\"deliveries\":2,\"duplicates\":0,\"refused\":2}");
  }

  @Test
  void namesTheLineThatTheServerRefused() {
    server
        .on(
            POST,
            new Reply(
                422,
                "{\"title\":\"wrong\",\"errors\":[{\"pointer\":\"/1/type\",\"detail\":\"too long\"}]}",
                Map.of()))
        .on(POST, ONE);
    run.in =
        """
        {"source":"s","type":"t","id":"1"}
        {"source":"s","type":"u","id":"2"}
        {"source":"s","type":"v","id":"3"}
        """;
    assertThat(run.run("event", "send", "--app", "a", "--keep-going")).isEqualTo(ExitCodes.REFUSED);
    assertThat(run.err()).contains("line 2: /type too long");
    assertThat(server.requests.getLast().body()).contains("\"1\"", "\"3\"").doesNotContain("\"2\"");
  }

  @Test
  void countsDuplicates() {
    server.on(
        POST,
        "{\"events\":[{\"id\":\"1\",\"deliveries\":1,\"duplicate\":false},"
            + "{\"id\":\"1\",\"deliveries\":0,\"duplicate\":true}]}");
    run.in = "{\"source\":\"s\",\"type\":\"t\",\"id\":\"1\"}\n".repeat(2);
    assertThat(run.run("event", "send", "--app", "a")).isZero();
    assertThat(run.out()).startsWith("accepted 1, deliveries 1, duplicates 1 in ");
  }
}
