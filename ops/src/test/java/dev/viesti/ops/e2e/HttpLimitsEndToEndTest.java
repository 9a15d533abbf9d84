package dev.viesti.ops.e2e;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.viesti.persistence.embedded.TestPostgres;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Bad input, full outboxes and endpoints that are gone, on a node with small limits. */
@Timeout(120)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class HttpLimitsEndToEndTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final HttpClient CLIENT = HttpClient.newHttpClient();
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final int PENDING_MAX = 200;
  private static final int EVENT_BYTES_MAX = 256 * 1024;
  private static final int BATCH_BYTES_MAX = 4 * 1024 * 1024;
  private static final String LOG = "\"target\":{\"log\":{}}";

  private final NodeProcess node;
  private final Receiver receiver;
  private Caller caller = new Caller(URI.create("http://127.0.0.1:1"));

  HttpLimitsEndToEndTest() throws Exception {
    receiver = new Receiver();
    node =
        NodeProcess.serve(
            "limits",
            TestPostgres.freshDatabase(),
            List.of(
                "-Dviesti.outbox.pending-max=" + PENDING_MAX,
                "-Dviesti.outbox.window-rows=" + PENDING_MAX,
                "-Dviesti.outbox.page-rows=50"));
  }

  @BeforeAll
  void start() throws Exception {
    caller = node.ready().caller();
    caller.app("limits", "{}");
  }

  @AfterAll
  void end() throws Exception {
    receiver.close();
    node.end(false);
  }

  @Test
  void refusesWhatIsBeyondAnAppsPendingLimitAndNothingOfOtherApps() throws Exception {
    caller.app("full", "{\"paused\":true}");
    caller.trigger("full", "all", "{" + LOG + "}");
    caller.trigger("limits", "noted", "{\"on\":{\"type\":\"noted\"}," + LOG + "}");
    int accepted = 0;
    Caller.Answer answer = caller.publish("full", batch(0));
    for (int n = 1; answer.status() == 202 && n < 100; n++) {
      accepted += 20;
      answer = caller.publish("full", batch(n));
    }
    assertThat(answer.status()).isEqualTo(503);
    assertThat(answer.headers().firstValue("Retry-After")).isPresent();
    assertThat(answer.body().path("retryable").asBoolean()).isTrue();
    assertThat(accepted).isEqualTo(PENDING_MAX);
    assertThat(caller.all("/v1/apps/full/deliveries")).hasSize(PENDING_MAX);
    assertThat(caller.publish("limits", Caller.event("elsewhere", "noted")).status())
        .isEqualTo(202);

    caller.app("full", "{\"paused\":false}");
    Await.until("it is worked off", PATIENCE, () -> !caller.hasDeliveries("full"));
    assertThat(caller.publish("full", batch(1_000)).status()).isEqualTo(202);
  }

  private static String batch(int number) {
    return IntStream.range(0, 20)
        .mapToObj(i -> Caller.event("full-" + number + "-" + i, "load"))
        .toList()
        .toString();
  }

  @Test
  void refusesBodiesOverTheLimits() throws Exception {
    String event = Caller.event("big", "x");
    String filler = "x".repeat(EVENT_BYTES_MAX);
    assertThat(publish(Caller.CLOUD_EVENT, event.replace("\"of\":\"big", "\"of\":\"" + filler)))
        .isEqualTo(413);
    String fits = "x".repeat(EVENT_BYTES_MAX - event.length());
    assertThat(publish(Caller.CLOUD_EVENT, event.replace("\"of\":\"big", "\"of\":\"" + fits)))
        .isEqualTo(202);
    assertThat(publish(Caller.CLOUD_EVENTS, "[" + event + " ".repeat(BATCH_BYTES_MAX) + "]"))
        .isEqualTo(413);
    assertThat(
            publish(
                Caller.CLOUD_EVENTS,
                "[" + event.replace("\"of\":\"big", "\"of\":\"" + filler) + "]"))
        .isEqualTo(413);
    assertThat(
            caller
                .put("/v1/apps/limits/triggers/big", "{" + LOG + "}" + " ".repeat(8 << 20))
                .status())
        .isEqualTo(413);
  }

  private int publish(String type, String body) throws Exception {
    return caller.post("/v1/apps/limits/events", type, body.getBytes(UTF_8)).status();
  }

  @Test
  void wantsTheKey() throws Exception {
    for (String key : List.of("", "wrong", Caller.KEY + "x", Caller.KEY.substring(1))) {
      var stranger = new Caller(node.api(), key);
      assertThat(stranger.get("/v1/apps").status()).isEqualTo(401);
      Caller.Answer answer = stranger.publish("limits", Caller.event("stranger", "x"));
      assertThat(answer.status()).isEqualTo(401);
      assertThat(answer.headers().firstValue("WWW-Authenticate")).isPresent();
    }
  }

  @Test
  void knowsWhatIsNotThere() throws Exception {
    assertThat(caller.publish("nobody", Caller.event("x", "x")).status()).isEqualTo(404);
    assertThat(caller.put("/v1/apps/nobody/triggers/t", "{" + LOG + "}").status()).isEqualTo(404);
    for (String path :
        List.of(
            "/v1/apps/nobody",
            "/v1/apps/nobody/triggers",
            "/v1/apps/limits/triggers/nothing",
            "/v1/apps/limits/deliveries/0190a1b2-0000-7000-8000-000000000000",
            "/v1/apps/limits/dead-letters/0190a1b2-0000-7000-8000-000000000000",
            "/v1/nothing")) {
      Caller.Answer answer = caller.get(path);
      assertThat(answer.status()).as(path).isEqualTo(404);
      assertThat(answer.headers().firstValue("Content-Type"))
          .hasValueSatisfying(type -> assertThat(type).startsWith("application/problem+json"));
    }
  }

  static Stream<Arguments> malformedEvents() {
    return Stream.of(
        Arguments.of("{\"specversion\":\"1.0\",", ""),
        Arguments.of("[1]", "/0"),
        Arguments.of("{\"id\":\"a\",\"source\":\"s\",\"type\":\"t\"}", "/specversion"),
        Arguments.of(
            "{\"specversion\":\"0.3\",\"id\":\"a\",\"source\":\"s\",\"type\":\"t\"}",
            "/specversion"),
        Arguments.of("{\"specversion\":\"1.0\",\"id\":\"a\",\"source\":\"s\"}", "/type"),
        Arguments.of("{\"specversion\":\"1.0\",\"id\":\"a\",\"type\":\"t\"}", "/source"),
        Arguments.of("{\"specversion\":\"1.0\",\"id\":7,\"source\":\"s\",\"type\":\"t\"}", "/id"),
        Arguments.of("[" + Caller.event("a", "t") + ",{\"specversion\":\"1.0\"}]", "/1/"));
  }

  @ParameterizedTest
  @MethodSource("malformedEvents")
  void pointsAtTheFieldOfAMalformedEvent(String body, String pointer) throws Exception {
    Caller.Answer answer = caller.publish("limits", body);
    assertThat(answer.status()).as(answer.body().toString()).isEqualTo(400);
    assertThat(answer.body().path("errors").path(0).path("pointer").asText()).startsWith(pointer);
  }

  static Stream<Arguments> invalidTriggers() {
    String webhook = "{\"target\":{\"webhook\":{\"url\":\"%s\"}}}";
    return Stream.of(
        Arguments.of("{\"on\":{\"type\":\"a*b\"}," + LOG + "}", "/on"),
        Arguments.of("{\"on\":{\"source\":\"\"}," + LOG + "}", "/on"),
        Arguments.of("{\"filter\":\"data.action ==\"," + LOG + "}", "/filter"),
        Arguments.of("{\"filter\":\"\"," + LOG + "}", "/filter"),
        Arguments.of(webhook.formatted("ftp://example.org/"), "/target/webhook"),
        Arguments.of(webhook.formatted("not a url"), "/target/webhook/url"),
        Arguments.of(webhook.formatted("http://user:pw@example.org/"), "/target/webhook"),
        Arguments.of("{\"timeout\":\"soon\"," + LOG + "}", "/timeout"),
        Arguments.of("{\"timeout\":\"99h\"," + LOG + "}", "/timeout"),
        Arguments.of("{\"retry\":{\"base\":\"-1s\"}," + LOG + "}", "/retry"),
        Arguments.of("{\"retry\":{\"maxAttempts\":0}," + LOG + "}", "/retry"),
        Arguments.of("{\"retry\":{\"strategy\":\"often\"}," + LOG + "}", "/retry/strategy"),
        Arguments.of("{\"orderBy\":\"mood\"," + LOG + "}", "/orderBy"),
        Arguments.of(
            "{\"target\":{\"log\":{},\"webhook\":{\"url\":\"http://example.org/\"}}}", "/target"),
        Arguments.of("{\"target\":{\"pigeon\":{}}}", "/target"),
        Arguments.of("{}", "/target"));
  }

  @ParameterizedTest
  @MethodSource("invalidTriggers")
  void namesTheFieldOfATriggerThatIsWrong(String body, String pointer) throws Exception {
    Caller.Answer answer = caller.put("/v1/apps/limits/triggers/wrong", body);
    assertThat(answer.status()).as(answer.body().toString()).isEqualTo(422);
    JsonNode error = answer.body().path("errors").path(0);
    assertThat(error.path("pointer").asText()).as(error.toString()).startsWith(pointer);
    assertThat(caller.get("/v1/apps/limits/triggers/wrong").status()).isEqualTo(404);
  }

  @Test
  void namesTheIdThatIsWrong() throws Exception {
    for (String id : List.of("Upper", "a_b", "x".repeat(65))) {
      Caller.Answer app = caller.put("/v1/apps/" + id, "{}");
      assertThat(app.status()).as(id).isEqualTo(422);
      assertThat(app.body().path("errors").path(0).path("pointer").asText()).isEqualTo("/app");
    }
    Caller.Answer trigger =
        caller.put("/v1/apps/limits/triggers/" + "x".repeat(300), "{" + LOG + "}");
    assertThat(trigger.status()).isEqualTo(422);
    assertThat(trigger.body().path("errors").path(0).path("pointer").asText())
        .isEqualTo("/trigger");
  }

  @Test
  void deliversADuplicateOnce() throws Exception {
    caller.trigger(
        "limits", "twice", Caller.webhook("{\"type\":\"twice\"}", receiver.url("twice"), 2, ""));
    String event = Caller.event("the-same", "twice");
    assertReceipt(caller.publish("limits", event), false);
    assertReceipt(caller.publish("limits", event), true);
    Await.until(
        "it is delivered", PATIENCE, () -> receiver.succeeded("twice").contains("the-same"));
    assertReceipt(caller.publish("limits", event), true);
    assertReceipt(caller.publish("limits", Caller.event("another", "twice")), false);
    Await.until(
        "the other one, too", PATIENCE, () -> receiver.succeeded("twice").contains("another"));
    assertThat(receiver.requests("twice")).hasSize(2);
  }

  private static void assertReceipt(Caller.Answer answer, boolean duplicate) {
    assertThat(answer.status()).isEqualTo(202);
    JsonNode receipt = answer.body().path("events").path(0);
    assertThat(receipt.path("duplicate").asBoolean()).isEqualTo(duplicate);
    assertThat(receipt.path("deliveries").asInt()).isEqualTo(duplicate ? 0 : 1);
  }

  @Test
  void streamsOutcomes() throws Exception {
    caller.app("streamed", "{}");
    receiver.answers("flaky", request -> request.attempt() == 1 ? 500 : 204);
    caller.trigger("streamed", "flaky", Caller.webhook("{}", receiver.url("flaky"), 3, ""));
    HttpRequest request =
        HttpRequest.newBuilder(node.api().resolve("/v1/stream?app=streamed"))
            .header("Authorization", "Bearer " + Caller.KEY)
            .build();
    HttpResponse<InputStream> stream = CLIENT.send(request, BodyHandlers.ofInputStream());
    assertThat(stream.statusCode()).isEqualTo(200);
    Queue<JsonNode> outcomes = new ConcurrentLinkedQueue<>();
    try (var lines = new BufferedReader(new InputStreamReader(stream.body(), UTF_8))) {
      assertThat(lines.readLine()).startsWith(":");
      Thread.ofVirtual().start(() -> read(lines, outcomes));
      var number = new AtomicInteger();
      // the node learns a moment after the first line that somebody listens
      Await.until(
          "outcomes arrive",
          PATIENCE,
          () -> {
            var unused =
                caller.publish("streamed", Caller.event("s-" + number.incrementAndGet(), "x"));
            Await.pause(Duration.ofMillis(300));
            return outcomes.stream()
                .map(outcome -> outcome.path("settlement").asText())
                .toList()
                .containsAll(List.of("retried", "settled"));
          });
      stream.body().close();
    }
    assertThat(outcomes)
        .allSatisfy(
            outcome -> {
              assertThat(outcome.path("app").asText()).isEqualTo("streamed");
              assertThat(outcome.path("trigger").asText()).isEqualTo("flaky");
              boolean first = outcome.path("attempt").asInt() == 1;
              assertThat(outcome.path("outcome").asText())
                  .isEqualTo(first ? "retryable" : "succeeded");
            });
  }

  private static void read(BufferedReader lines, Queue<JsonNode> outcomes) {
    try {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        if (line.startsWith("data: ")) {
          outcomes.add(JSON.readTree(line.substring("data: ".length())));
        }
      }
    } catch (IOException closed) {
      // the test has seen enough
    }
  }

  @Test
  void switchesATriggerOffWhoseEndpointIsGone() throws Exception {
    caller.app("gone", "{}");
    receiver.answers("gone", request -> 410);
    caller.trigger("gone", "gone", Caller.webhook("{}", receiver.url("gone"), 5, ""));
    assertThat(caller.publish("gone", Caller.event("last", "x")).status()).isEqualTo(202);
    Await.until(
        "the trigger is off",
        PATIENCE,
        () -> {
          JsonNode trigger = caller.get("/v1/apps/gone/triggers/gone").body();
          return !trigger.path("enabled").asBoolean(true)
              && trigger.path("disabledReason").asText().contains("410");
        });
    Await.until("a dead letter", PATIENCE, () -> caller.unresolved("gone") == 1);
    Caller.Answer next = caller.publish("gone", Caller.event("unheard", "x"));
    assertThat(next.body().path("events").path(0).path("deliveries").asInt()).isZero();
    assertThat(receiver.requests("gone")).hasSize(1);
    assertThat(caller.hasDeliveries("gone")).isFalse();
  }
}
