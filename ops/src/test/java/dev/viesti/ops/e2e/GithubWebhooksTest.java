package dev.viesti.ops.e2e;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.viesti.persistence.embedded.TestPostgres;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * What GitHub really sends, through the whole product. What must come of it is computed here in
 * plain Java over Jackson's trees.
 */
@Timeout(180)
class GithubWebhooksTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String APP = "github";
  private static final String BROKEN = "broken";
  private static final int BROKEN_ATTEMPTS = 3;
  private static final int BATCH = 20;
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  /** Beside the checkout; elsewhere with {@code -Dviesti.test.github-webhooks=<file>}. */
  private static final String FILE_PROPERTY = "viesti.test.github-webhooks";

  @RegisterExtension private final Nodes nodes = new Nodes();

  /**
   * A line of the file.
   *
   * @param raw the payload as it stands there, byte for byte
   */
  private record Sent(String id, String type, @Nullable String subject, String raw, JsonNode data) {
    static Sent of(int number, String line) {
      try {
        JsonNode tree = JSON.readTree(line);
        JsonNode payload = tree.path("payload");
        String start = "{\"event\":" + tree.path("event") + ",\"payload\":";
        assertThat(line).startsWith(start);
        String raw = line.substring(start.length(), line.length() - 1);
        JsonNode action = payload.path("action");
        JsonNode repository = payload.path("repository").path("full_name");
        return new Sent(
            "hook-" + number,
            tree.path("event").asText() + (action.isTextual() ? "." + action.asText() : ""),
            repository.isTextual() ? repository.asText() : null,
            raw,
            payload);
      } catch (IOException malformed) {
        throw new IllegalArgumentException("line " + number, malformed);
      }
    }

    /** Structured mode, data first and with room around it. */
    String structured() {
      return "{ \"data\" : %s , \"specversion\":\"1.0\",\"id\":\"%s\",\"source\":\"github\",%s\"type\":\"%s\"}"
          .formatted(raw, id, subject == null ? "" : "\"subject\":\"" + subject + "\",", type);
    }

    /** Binary mode: attributes as headers. */
    String[] headers() {
      List<String> headers = new ArrayList<>();
      headers.addAll(List.of("ce-specversion", "1.0", "ce-id", id, "ce-source", "github"));
      headers.addAll(List.of("ce-type", type));
      if (subject != null) {
        headers.addAll(List.of("ce-subject", subject));
      }
      return headers.toArray(String[]::new);
    }
  }

  /** A trigger and what it must match. */
  private record Rule(String on, @Nullable String filter, Predicate<Sent> matches) {}

  private static Map<String, Rule> rules() {
    Map<String, Rule> rules = new LinkedHashMap<>();
    rules.put("push", new Rule("{\"type\":\"push\"}", null, sent -> sent.type().equals("push")));
    rules.put(
        "issue-opened",
        new Rule(
            "{\"source\":\"github\",\"type\":\"issues.opened\"}",
            null,
            sent -> sent.type().equals("issues.opened")));
    rules.put(
        "issues",
        new Rule("{\"type\":\"issues.*\"}", null, sent -> sent.type().startsWith("issues.")));
    rules.put("everything", new Rule("{\"type\":\"*\"}", null, sent -> true));
    rules.put(
        "one-owner",
        new Rule(
            "{\"subject\":\"Codertocat/*\"}",
            null,
            sent -> sent.subject() != null && sent.subject().startsWith("Codertocat/")));
    rules.put("elsewhere", new Rule("{\"source\":\"gitlab*\"}", null, sent -> false));
    rules.put(
        "opened",
        new Rule(
            "{}",
            "data.action == 'opened'",
            sent -> sent.data().path("action").asText().equals("opened")));
    rules.put(
        "labelled-bug",
        new Rule(
            "{\"source\":\"git*\",\"type\":\"issue*\"}",
            "has(data.issue.labels) && data.issue.labels.exists(l, l.name == 'bug')"
                + " && data.repository.owner.login.startsWith('Coder')",
            GithubWebhooksTest::isBugOfCoders));
    rules.put(
        BROKEN,
        new Rule(
            "{\"type\":\"pull_request*\"}", null, sent -> sent.type().startsWith("pull_request")));
    return rules;
  }

  private static boolean isBugOfCoders(Sent sent) {
    boolean bug = false;
    for (JsonNode label : sent.data().path("issue").path("labels")) {
      bug |= label.path("name").asText().equals("bug");
    }
    String owner = sent.data().path("repository").path("owner").path("login").asText();
    return sent.type().startsWith("issue") && bug && owner.startsWith("Coder");
  }

  @Test
  void deliversEveryPayloadByteForByteToExactlyTheTriggersItIsFor() throws Exception {
    List<Sent> input = input();
    try (var receiver = new Receiver()) {
      receiver.answers(BROKEN, request -> 500);
      Caller caller =
          nodes
              .add(NodeProcess.serve("github", TestPostgres.freshDatabase(), List.of()))
              .ready()
              .caller();
      Map<String, Set<String>> expected = register(caller, receiver, input);

      publish(caller, input, expected);
      await(caller, expected);
      assertDelivered(receiver, input, expected);
      assertDeadLetters(caller, receiver, expected.getOrDefault(BROKEN, Set.of()));
      assertReplaySucceeds(caller, receiver, expected.getOrDefault(BROKEN, Set.of()));
      assertThat(receiver.unsigned()).isEmpty();
    }
  }

  private static List<Sent> input() throws IOException {
    Path file = file();
    assumeTrue(
        Files.isReadable(file),
        "no %s: the payloads of GitHub do not ship with the product; -D%s=<file> names them"
            .formatted(file, FILE_PROPERTY));
    List<Sent> input = new ArrayList<>();
    for (String line : Files.readAllLines(file)) {
      input.add(Sent.of(input.size(), line));
    }
    assertThat(input).hasSizeGreaterThan(200);
    return input;
  }

  private static Path file() {
    String given = System.getProperty(FILE_PROPERTY);
    if (given != null) {
      return Path.of(given);
    }
    Path root = Path.of("").toAbsolutePath();
    while (root.getParent() != null && !Files.exists(root.resolve("bin/viesti"))) {
      root = root.getParent();
    }
    return root.resolveSibling("shared").resolve("data/github-webhooks.jsonl");
  }

  /** Event ids by trigger. */
  private static Map<String, Set<String>> register(
      Caller caller, Receiver receiver, List<Sent> input) throws Exception {
    caller.app(APP, "{}");
    Map<String, Set<String>> expected = new LinkedHashMap<>();
    for (Map.Entry<String, Rule> entry : rules().entrySet()) {
      Rule rule = entry.getValue();
      Set<String> ids = new HashSet<>();
      input.stream().filter(rule.matches()).map(Sent::id).forEach(ids::add);
      expected.put(entry.getKey(), ids);
      String more = rule.filter() == null ? "" : ",\"filter\":\"" + rule.filter() + "\"";
      caller.trigger(
          APP,
          entry.getKey(),
          Caller.webhook(rule.on(), receiver.url(entry.getKey()), BROKEN_ATTEMPTS, more));
    }
    caller.trigger(APP, "off", Caller.webhook("{}", receiver.url("off"), 3, ",\"enabled\":false"));
    assertThat(expected.get("labelled-bug")).as("a filter that selects").isNotEmpty();
    assertThat(expected.get("opened")).hasSizeGreaterThan(3);
    return expected;
  }

  /** A third each in structured mode, binary mode and batches. */
  private static void publish(Caller caller, List<Sent> input, Map<String, Set<String>> expected)
      throws Exception {
    String path = "/v1/apps/" + APP + "/events";
    List<Sent> batch = new ArrayList<>();
    for (int i = 0; i < input.size(); i++) {
      Sent sent = input.get(i);
      switch (i % 3) {
        case 0 ->
            assertAccepted(
                caller.post(path, Caller.CLOUD_EVENT, sent.structured().getBytes(UTF_8)),
                List.of(sent),
                expected);
        case 1 ->
            assertAccepted(
                caller.post(path, Caller.PLAIN, sent.raw().getBytes(UTF_8), sent.headers()),
                List.of(sent),
                expected);
        default -> batch.add(sent);
      }
      if (batch.size() == BATCH || (i == input.size() - 1 && !batch.isEmpty())) {
        String body = "[" + String.join(",\n", batch.stream().map(Sent::structured).toList()) + "]";
        assertAccepted(
            caller.post(path, Caller.CLOUD_EVENTS, body.getBytes(UTF_8)), batch, expected);
        batch.clear();
      }
    }
  }

  private static void assertAccepted(
      Caller.Answer answer, List<Sent> sent, Map<String, Set<String>> expected) {
    assertThat(answer.status()).as(answer.body().toString()).isEqualTo(202);
    assertThat(answer.body().path("events")).hasSameSizeAs(sent);
    for (int i = 0; i < sent.size(); i++) {
      JsonNode receipt = answer.body().path("events").path(i);
      String id = sent.get(i).id();
      long deliveries = expected.values().stream().filter(ids -> ids.contains(id)).count();
      assertThat(receipt.path("id").asText()).isEqualTo(id);
      assertThat(receipt.path("deliveries").asLong()).as(id).isEqualTo(deliveries);
      assertThat(receipt.path("duplicate").asBoolean()).isFalse();
    }
  }

  private static void await(Caller caller, Map<String, Set<String>> expected) throws Exception {
    Set<String> broken = expected.getOrDefault(BROKEN, Set.of());
    Await.until(
        "all attempts have ended",
        PATIENCE,
        () -> caller.unresolved(APP) >= broken.size() && !caller.hasDeliveries(APP));
  }

  private static void assertDelivered(
      Receiver receiver, List<Sent> input, Map<String, Set<String>> expected) {
    Map<String, Sent> byId = new HashMap<>();
    input.forEach(sent -> byId.put(sent.id(), sent));
    for (Map.Entry<String, Set<String>> entry : expected.entrySet()) {
      String trigger = entry.getKey();
      if (!trigger.equals(BROKEN)) {
        assertThat(receiver.succeeded(trigger))
            .as(trigger)
            .containsExactlyInAnyOrderElementsOf(entry.getValue());
      }
      for (Receiver.Request request : receiver.requests(trigger)) {
        assertSameBytes(request, byId);
      }
    }
    assertThat(receiver.requests("off")).isEmpty();
    assertThat(receiver.repeated()).isEmpty();
  }

  /** Data is the last member of the body, and there are no bytes but those that were sent. */
  private static void assertSameBytes(Receiver.Request request, Map<String, Sent> byId) {
    Sent sent = byId.get(request.event());
    if (sent == null) {
      throw new AssertionError("unknown event " + request.event());
    }
    String body = request.bytes();
    int data = body.indexOf(",\"data\":");
    assertThat(data).as(body).isPositive();
    assertThat(body.substring(data + ",\"data\":".length(), body.length() - 1).getBytes(ISO_8859_1))
        .as(request.event())
        .isEqualTo(sent.raw().getBytes(UTF_8));
  }

  private static void assertDeadLetters(Caller caller, Receiver receiver, Set<String> broken)
      throws Exception {
    List<JsonNode> letters = caller.all("/v1/apps/" + APP + "/dead-letters?resolved=false");
    assertThat(letters.stream().map(letter -> letter.path("eventId").asText()))
        .containsExactlyInAnyOrderElementsOf(broken);
    for (JsonNode letter : letters) {
      assertThat(letter.path("trigger").asText()).isEqualTo(BROKEN);
      assertThat(letter.path("attempts").asInt()).isEqualTo(BROKEN_ATTEMPTS);
      assertThat(letter.path("lastError").asText()).contains("500");
      assertThat(letter.path("resolvedAt").isNull()).isTrue();
    }
    assertThat(receiver.requests(BROKEN)).hasSize(broken.size() * BROKEN_ATTEMPTS);
    assertThat(receiver.succeeded(BROKEN)).isEmpty();
    assertOneIdForEach(receiver.requests(BROKEN));
  }

  /** {@code webhook-id} names the delivery: the same in all attempts, and no other's. */
  private static void assertOneIdForEach(Collection<Receiver.Request> requests) {
    Map<String, String> eventById = new HashMap<>();
    Map<String, String> idByEvent = new HashMap<>();
    for (Receiver.Request request : requests) {
      assertThat(eventById.merge(request.delivery(), request.event(), (one, other) -> one))
          .isEqualTo(request.event());
      assertThat(idByEvent.merge(request.event(), request.delivery(), (one, other) -> one))
          .isEqualTo(request.delivery());
    }
  }

  private static void assertReplaySucceeds(Caller caller, Receiver receiver, Set<String> broken)
      throws Exception {
    receiver.answers(BROKEN, request -> 204);
    String path = "/v1/apps/" + APP + "/dead-letters:replay";
    Caller.Answer dry = caller.post(path, "{\"trigger\":\"broken\",\"dryRun\":true}");
    assertThat(dry.body().path("matched").asInt()).isEqualTo(broken.size());
    assertThat(dry.body().path("replayed").asInt()).isZero();
    assertThat(caller.unresolved(APP)).isEqualTo(broken.size());

    Caller.Answer replay = caller.post(path, "{\"trigger\":\"broken\"}");
    assertThat(replay.body().path("replayed").asInt()).isEqualTo(broken.size());
    Await.until("what was replayed is settled", PATIENCE, () -> !caller.hasDeliveries(APP));
    assertThat(receiver.succeeded(BROKEN)).containsExactlyInAnyOrderElementsOf(broken);
    assertOneIdForEach(receiver.requests(BROKEN));
    assertThat(caller.unresolved(APP)).isZero();
    assertThat(caller.all("/v1/apps/" + APP + "/dead-letters?resolved=true"))
        .hasSameSizeAs(broken)
        .allMatch(letter -> letter.path("resolution").asText().equals("replayed"));
  }
}
