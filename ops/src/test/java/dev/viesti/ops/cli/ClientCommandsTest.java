package dev.viesti.ops.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.viesti.ops.cli.FakeServer.Reply;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ClientCommandsTest {
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
  void alignsTablesAndShowsTimesInUtc() {
    server.on(
        "GET /v1/apps?limit=50",
        """
        {"data":[
          {"id":"a","paused":false,"createdAt":"2026-01-02T03:04:05.678901Z","displayName":"A"},
          {"id":"longer-name","paused":true,"createdAt":"2026-01-02T03:04:05Z"}],
         "nextCursor":"n1"}""");
    assertThat(run.run("app", "list")).isZero();
    assertThat(run.out().lines().toList())
        .containsExactly(
            "APP          PAUSED  CREATED                   UPDATED  NAME",
            "a            false   2026-01-02T03:04:05.678Z  -        A",
            "longer-name  true    2026-01-02T03:04:05Z      -        -");
    assertThat(run.err()).contains("--cursor n1");
  }

  @Test
  void followsCursorsToTheEnd() {
    server
        .on(
            "GET /v1/apps?limit=2",
            "{\"data\":[{\"id\":\"a\"},{\"id\":\"b\"}],\"nextCursor\":\"x y\"}")
        .on("GET /v1/apps?limit=2&cursor=x%20y", "{\"data\":[{\"id\":\"c\"}],\"nextCursor\":null}");
    assertThat(run.run("app", "list", "--limit", "2", "--all", "-o", "json")).isZero();
    assertThat(run.out().replaceAll("\\s", ""))
        .isEqualTo("{\"data\":[{\"id\":\"a\"},{\"id\":\"b\"},{\"id\":\"c\"}],\"nextCursor\":null}");
  }

  @Test
  void cutsOnlyTheLastColumnToTheTerminal() {
    server.on(
        "GET /v1/apps/a/deliveries?limit=50",
        """
        {"data":[{"id":"0198a0b0-0000-7000-8000-000000000001","trigger":"t","state":"scheduled",
        "attempt":2,"dueAt":"2026-01-01T00:00:00Z","acceptedAt":"2026-01-01T00:00:00Z",
        "lastError":"a very long error that does not fit into the line at all"}]}""");
    run.columns = 140;
    assertThat(run.run("delivery", "list", "--app", "a")).isZero();
    assertThat(run.out().lines().toList().getLast())
        .startsWith("0198a0b0-0000-7000-8000-000000000001  t ")
        .endsWith("…")
        .hasSize(140);
  }

  @Test
  void takesTheKeyFromTheEnvironmentInOrder() {
    server.on("GET /v1/apps/a", "{\"id\":\"a\"}");
    run.run("app", "get", "a");
    run.env.put("VIESTI_ADMIN_KEY", "admin");
    run.run("app", "get", "a");
    run.env.put("VIESTI_KEY", "mine");
    run.run("app", "get", "a");
    assertThat(server.requests)
        .extracting(FakeServer.Request::authorization)
        .containsExactly("Bearer dev", "Bearer admin", "Bearer mine");
  }

  @Test
  void takesEveryOptionFromTheEnvironment() {
    server.on("GET /v1/apps/a/dead-letters:count?resolved=false", "{\"count\":7}");
    run.env.put("VIESTI_APP", "a");
    run.env.put("VIESTI_OUTPUT", "json");
    assertThat(run.run("dead-letter", "count")).isZero();
    assertThat(run.out()).contains("\"count\" : 7");
  }

  @Test
  void showsProblemsReadably() {
    server.on(
        "PUT /v1/apps/a",
        new Reply(
            422,
            """
            {"title":"A value is wrong","status":422,"detail":"concurrency is 1 to 10000",
             "errors":[{"pointer":"/concurrency","detail":"is 0"}]}""",
            Map.of()));
    assertThat(run.run("app", "put", "a", "--concurrency", "0")).isEqualTo(ExitCodes.REFUSED);
    assertThat(run.err())
        .contains("A value is wrong (HTTP 422)", "concurrency is 1 to 10000", "/concurrency: is 0");
  }

  @Test
  void saysHowToGetAKey() {
    server.on("GET /v1/apps/a", new Reply(401, "{\"title\":\"A valid key is needed\"}", Map.of()));
    assertThat(run.run("app", "get", "a")).isEqualTo(ExitCodes.REFUSED);
    assertThat(run.err()).contains("VIESTI_KEY");
  }

  @Test
  void saysHowToStartAServer() {
    server.close();
    assertThat(run.run("app", "list")).isEqualTo(ExitCodes.UNREACHABLE);
    assertThat(run.err()).contains("no server answers at", "connection refused", "bin/viesti dev");
  }

  @Test
  void endsWithUsageOnWrongArguments() {
    assertThat(run.run("trigger", "get", "--app", "a")).isEqualTo(ExitCodes.USAGE);
    assertThat(run.run("dead-leter")).isEqualTo(ExitCodes.USAGE);
    assertThat(run.err()).contains("Did you mean: viesti dead-letter");
    assertThat(run.run("app", "list", "--url", "ftp://x")).isEqualTo(ExitCodes.USAGE);
    assertThat(run.run("app")).isEqualTo(ExitCodes.USAGE);
  }

  @Test
  void appliesAllDocumentsOfAFile(@TempDir Path folder) throws IOException {
    server
        .on("PUT /v1/apps/shop/triggers/one", new Reply(201, "{}", Map.of()))
        .on("PUT /v1/apps/other/triggers/two", "{}");
    Path file = folder.resolve("triggers.yaml");
    Files.writeString(
        file,
        """
        id: one
        on: {type: orders.*}
        target: {log: {}}
        timeout: 5s
        ---
        app: other
        id: two
        target:
          webhook: {url: "http://localhost/x"}
        """);
    assertThat(run.run("trigger", "apply", "-f", file.toString(), "--app", "shop")).isZero();
    assertThat(run.out()).isEqualToNormalizingNewlines("created shop/one\napplied other/two\n");
    assertThat(server.requests.getFirst().body())
        .isEqualTo("{\"on\":{\"type\":\"orders.*\"},\"target\":{\"log\":{}},\"timeout\":\"5s\"}");
  }

  @Test
  void sendsNothingWhenOneDocumentIsIncomplete() {
    run.in = "[{\"app\":\"a\",\"id\":\"one\"},{\"app\":\"a\"}]";
    assertThat(run.run("trigger", "apply", "-f", "-")).isEqualTo(ExitCodes.USAGE);
    assertThat(run.err()).contains("standard input: a trigger has no 'id'");
    run.in = "{app: a, on: {type: x}}";
    assertThat(run.run("trigger", "apply", "-f", "-")).isEqualTo(ExitCodes.USAGE);
    assertThat(run.err()).doesNotContain("line 1");
    run.in = "a: [1";
    assertThat(run.run("trigger", "apply", "-f", "-")).isEqualTo(ExitCodes.USAGE);
    assertThat(run.err()).contains("standard input line ");
    assertThat(server.requests).isEmpty();
  }

  @Test
  void disablesATriggerWithoutTouchingItsSecret() {
    server
        .on(
            "GET /v1/apps/a/triggers/t",
            new Reply(
                200,
                """
                {"id":"t","on":{"type":"*"},"target":{"webhook":{"url":"http://x/","secret":"*"}},
                 "timeout":"30s","enabled":true,"revision":3,"createdAt":"2026-01-01T00:00:00Z"}""",
                Map.of("ETag", "\"3\"")))
        .on("PUT /v1/apps/a/triggers/t", "{\"id\":\"t\",\"enabled\":false}");
    assertThat(run.run("trigger", "disable", "--app", "a", "t")).isZero();
    FakeServer.Request put = server.requests.getLast();
    assertThat(put.ifMatch()).isEqualTo("\"3\"");
    assertThat(put.body())
        .isEqualTo(
            "{\"id\":\"t\",\"on\":{\"type\":\"*\"},\"target\":{\"webhook\":{\"url\":\"http://x/\"}},"
                + "\"timeout\":\"30s\",\"enabled\":false,\"revision\":3,"
                + "\"createdAt\":\"2026-01-01T00:00:00Z\"}");
  }

  @Test
  void replaysManyOnlyWhenToldWhose() {
    server.on("POST /v1/apps/a/dead-letters:replay", "{\"matched\":5,\"replayed\":0}");
    assertThat(run.run("dead-letter", "replay", "--app", "a")).isEqualTo(ExitCodes.USAGE);
    assertThat(run.run("dead-letter", "replay", "--app", "a", "id", "--all"))
        .isEqualTo(ExitCodes.USAGE);
    assertThat(run.run("dead-letter", "replay", "--app", "a", "--trigger", "t", "--dry-run"))
        .isZero();
    assertThat(server.requests.getLast().body())
        .isEqualTo("{\"trigger\":\"t\",\"limit\":1000,\"dryRun\":true}");
    assertThat(run.out()).contains("matched   5");
  }

  @Test
  void showsADeadLetterWithItsAttempts() {
    server.on(
        "GET /v1/apps/a/dead-letters/d",
        """
        {"id":"d","event":{"id":"e","data":{"amount":1.10}},"attempts":1,
         "attemptLog":[{"attempt":1,"at":"2026-01-01T00:00:00Z","outcome":"retryable","error":"503"}]}""");
    assertThat(run.run("dead-letter", "get", "--app", "a", "d")).isZero();
    assertThat(run.out())
        .contains("content        {\"id\":\"e\",\"data\":{\"amount\":1.10}}")
        .contains("1        2026-01-01T00:00:00Z  retryable");
  }

  @Test
  void followsTheStreamAndConnectsAgain() {
    String outcome =
        """
        : hello

        event: outcome
        data: {"app":"a","trigger":"t","delivery":"d","attempt":1,"settlement":"settled",
        data: "at":"2026-01-01T00:00:00Z"}

        """;
    server.on("GET /v1/stream?app=a", outcome);
    assertThat(run.run("stream", "--app", "a", "--count", "2")).isZero();
    assertThat(run.out().lines().toList())
        .hasSize(2)
        .allMatch(line -> line.startsWith("2026-01-01T00:00:00Z  a/t  d  attempt 1  settled"));
    assertThat(run.pauses).hasSize(1);
  }
}
