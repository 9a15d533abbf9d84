package dev.viesti.ops.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.viesti.dispatcher.Refusal;
import dev.viesti.dispatcher.RefusedException;
import dev.viesti.ops.http.ApiServer.Answer;
import dev.viesti.protocol.trigger.TriggerId;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class HttpApiTest {
  @AutoClose private static final ApiServer API = new ApiServer();
  private static final String HOOK =
      "{\"target\":{\"webhook\":{\"url\":\"https://example.org/h\"}}}";

  @BeforeAll
  static void createsAnApp() {
    assertThat(API.put("/v1/apps/shop", "{}").status()).isEqualTo(201);
  }

  @AfterEach
  void forgetsWhatIsWaiting() {
    API.viesti.failure.set(null);
    API.viesti.deliveries.clear();
    API.viesti.deadLetters.clear();
  }

  @Test
  void asksForAKey() {
    Answer none = API.send(HttpRequest.newBuilder(API.uri("/v1/apps")).build());
    assertThat(none.status()).isEqualTo(401);
    assertThat(none.problem()).isEqualTo("unauthorized");
    assertThat(none.header("WWW-Authenticate")).startsWith("Bearer");
    HttpRequest wrong =
        HttpRequest.newBuilder(API.uri("/v1/apps")).header("Authorization", "Bearer x").build();
    assertThat(API.send(wrong).status()).isEqualTo(401);
    HttpRequest lower =
        HttpRequest.newBuilder(API.uri("/v1/apps"))
            .header("Authorization", "bearer " + ApiServer.KEY)
            .build();
    assertThat(API.send(lower).status()).isEqualTo(200);
  }

  @ParameterizedTest
  @ValueSource(strings = {"/", "/metrics", "/v1/openapi.yaml"})
  void isOpenWhereThereIsNoSecret(String path) {
    Answer answer = API.send(HttpRequest.newBuilder(API.uri(path)).build());
    assertThat(answer.status()).isEqualTo(200);
    assertThat(answer.header("X-Request-Id")).isNotEmpty();
    assertThat(answer.header("X-Content-Type-Options")).isEqualTo("nosniff");
  }

  @Test
  void keepsTheSendersRequestId() {
    Answer kept = API.send(API.request("/v1/apps").header("X-Request-Id", "abc-1").build());
    assertThat(kept.header("X-Request-Id")).isEqualTo("abc-1");
    Answer odd = API.send(API.request("/nowhere").header("X-Request-Id", "a b").build());
    assertThat(odd.header("X-Request-Id")).hasSize(36);
    assertThat(odd.json().path("instance").asText())
        .isEqualTo("urn:viesti:request:" + odd.header("X-Request-Id"));
  }

  @Test
  void saysWhatIsWrongWithPathAndMethod() {
    Answer nowhere = API.get("/v1/nothing");
    assertThat(nowhere.status()).isEqualTo(404);
    assertThat(nowhere.header("Content-Type")).isEqualTo("application/problem+json");
    Answer method = API.post("/v1/apps/shop");
    assertThat(method.status()).isEqualTo(405);
    assertThat(method.header("Allow")).isEqualTo("DELETE, GET, PUT");
    assertThat(API.get("/v1/apps/").status()).isEqualTo(404);
    assertThat(API.get("/v1/apps?limt=3").pointer()).isEqualTo("/limt");
    assertThat(API.get("/v1/apps?limit=3&limit=4").status()).isEqualTo(422);
    assertThat(API.get("/v1/apps/Shop%20x").pointer()).isEqualTo("/app");
  }

  @Test
  void answersHeadLikeGet() {
    HttpRequest head = API.request("/v1/apps").method("HEAD", BodyPublishers.noBody()).build();
    Answer answer = API.send(head);
    assertThat(answer.status()).isEqualTo(200);
    assertThat(answer.response().body()).isEmpty();
  }

  @Test
  void createsReadsReplacesAndDeletesAnApp() {
    Answer created = API.put("/v1/apps/a-1", "{\"displayName\":\"A\"}", "If-None-Match", "*");
    assertThat(created.status()).isEqualTo(201);
    assertThat(created.header("ETag")).isEqualTo("\"1\"");
    assertThat(created.json().path("retry").path("base").asText()).isEqualTo("1s");
    assertThat(created.json().path("createdAt").asText()).isEqualTo("2026-01-02T03:04:05.678901Z");
    assertThat(API.viesti.lastPrincipal).hasValue("admin");

    String sentBack = API.get("/v1/apps/a-1").response().body();
    Answer replaced = API.put("/v1/apps/a-1", sentBack, "If-Match", "\"1\"");
    assertThat(replaced.status()).isEqualTo(200);
    assertThat(replaced.json().path("revision").asLong()).isEqualTo(2);

    Answer late = API.put("/v1/apps/a-1", "{}", "If-Match", "\"1\"");
    assertThat(late.status()).isEqualTo(412);
    assertThat(late.header("ETag")).isEqualTo("\"2\"");
    assertThat(API.put("/v1/apps/a-1", "{}", "If-None-Match", "*").status()).isEqualTo(412);
    assertThat(API.put("/v1/apps/a-1", "{}", "If-Match", "2").pointer()).isEqualTo("/If-Match");

    HttpRequest bare = API.request("/v1/apps/a-1").PUT(BodyPublishers.noBody()).build();
    assertThat(API.send(bare).status()).isEqualTo(200);

    API.viesti.delivery(new TriggerId("t"), 1, null);
    assertThat(API.delete("/v1/apps/a-1").status()).isEqualTo(409);
    assertThat(API.delete("/v1/apps/a-1?cancelDeliveries=maybe").status()).isEqualTo(422);
    assertThat(API.delete("/v1/apps/a-1?cancelDeliveries=true").status()).isEqualTo(204);
    assertThat(API.get("/v1/apps/a-1").status()).isEqualTo(404);
  }

  @Test
  void acceptsATriggerAsItWasAnswered() {
    Answer created = API.put("/v1/apps/shop/triggers/hook", HOOK);
    assertThat(created.status()).isEqualTo(201);
    Answer read = API.get("/v1/apps/shop/triggers/hook");
    assertThat(read.json().at("/target/webhook/url").asText()).isEqualTo("https://example.org/h");
    assertThat(read.json().path("disabledReason").isNull()).isTrue();
    Answer again = API.put("/v1/apps/shop/triggers/hook", read.response().body());
    assertThat(again.status()).isEqualTo(200);
    assertThat(API.delete("/v1/apps/shop/triggers/hook").status()).isEqualTo(204);
    assertThat(API.get("/v1/apps/shop/triggers/hook").status()).isEqualTo(404);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{}|/target|give exactly one",
        "{\"target\":{\"log\":{},\"handler\":{\"name\":\"x\"}}}|/target|give exactly one",
        "{\"target\":{\"ftp\":{}}}|/target|there is no target 'ftp'",
        "{\"target\":{\"webhook\":{\"url\":\"ftp://x\"}}}|/target/webhook/url|url must start",
        "{\"target\":{\"webhook\":{\"url\":\"ht tp://x\"}}}|/target/webhook/url|must be an absolute URL",
        "{\"target\":{\"webhook\":{}}}|/target/webhook/url|url is missing",
        "{\"target\":{\"handler\":{\"name\":\"a b\"}}}|/target/handler/name|name is 1 to 128",
        "{\"target\":{\"log\":{}},\"timeout\":\"soon\"}|/timeout|a duration is",
        "{\"target\":{\"log\":{}},\"timeout\":\"2h\"}|/timeout|timeout is 10ms to 15m",
        "{\"target\":{\"log\":{}},\"retry\":{\"maxAttempts\":0}}|/retry/maxAttempts|maxAttempts is 1",
        "{\"target\":{\"log\":{}},\"retry\":{\"maxAttempts\":\"x\"}}|/retry/maxAttempts|must be a whole",
        "{\"target\":{\"log\":{}},\"retry\":{\"strategy\":\"slow\"}}|/retry/strategy|must be one of exp",
        "{\"target\":{\"log\":{}},\"on\":{\"type\":\"a*b\"}}|/on/type|the pattern for type",
        "{\"target\":{\"log\":{}},\"rate\":{\"permits\":0}}|/rate/permits|rate.permits is 1 to",
        "{\"target\":{\"log\":{}},\"rate\":{\"permits\":1,\"per\":\"2h\"}}|/rate/per|rate.per is 1ms",
        "{\"target\":{\"log\":{}},\"rate\":{\"permits\":1,\"per\":\"x\"}}|/rate/per|a duration is",
        "{\"target\":{\"log\":{}},\"rate\":{\"permits\":\"x\"}}|/rate/permits|must be a whole",
        "{\"target\":{\"log\":{}},\"rate\":{\"per\":\"1s\"}}|/rate/permits|permits is missing",
        "{\"target\":{\"log\":{}},\"rate\":{\"permits\":null}}|/rate/permits|must be a whole",
        "{\"target\":{\"log\":{}},\"rate\":\"100/1s\"}|/rate|must be an object",
        "{\"target\":{\"log\":{}},\"priority\":10}|/priority|priority is 0 to 9",
        "{\"target\":{\"log\":{}},\"onFailure\":\"stop\"}|/onFailure|must be one of skip",
        "{\"target\":{\"log\":{}},\"retry\":{\"cap\":\"1ms\"}}|/retry/cap|cap is at least",
        "{\"target\":{\"log\":{}},\"orderBy\":\"key\"}|/orderBy|must be one of subject",
        "{\"target\":{\"log\":{}},\"enabled\":[]}|/enabled|must be true or false",
        "{\"target\":{\"log\":{}},\"colour\":1}|/colour|there is no member 'colour'",
        "{\"target\":{\"log\":{\"x\":1}}}|/target/log/x|there is no member 'x'",
        "[]|``|the body is a JSON object",
      })
  void namesTheFieldThatIsWrong(String body, String pointer, String detail) {
    Answer answer = API.put("/v1/apps/shop/triggers/t", body);
    assertThat(answer.status()).as(answer.response().body()).isEqualTo(422);
    assertThat(answer.pointer()).isEqualTo(pointer);
    assertThat(answer.detail()).startsWith(detail).doesNotContain("java", "jackson", "\n");
    assertThat(answer.json().path("retryable").asBoolean()).isFalse();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{\"rate\":{\"permits\":100001}}|/rate/permits|rate.permits is 1 to",
        "{\"rate\":{\"permits\":1,\"per\":\"0s\"}}|/rate/per|rate.per is 1ms",
        "{\"weight\":101}|/weight|weight is 1 to 100",
        "{\"concurrency\":0}|/concurrency|concurrency is 1 to",
        "{\"retry\":{\"jitter\":2}}|/retry/jitter|jitter is 0 to 1",
      })
  void namesTheSettingThatIsWrong(String body, String pointer, String detail) {
    Answer answer = API.put("/v1/apps/shop", body);
    assertThat(answer.status()).as(answer.response().body()).isEqualTo(422);
    assertThat(answer.pointer()).isEqualTo(pointer);
    assertThat(answer.detail()).startsWith(detail);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{\"target\":|/target",
        "{\"on\":{\"type\":tru}}|/on/type",
        "{} x|''",
        "{\"a\":1,\"a\":2}|/a"
      })
  void saysWhereTheBodyIsNotJson(String body, String pointer) {
    Answer answer = API.put("/v1/apps/shop/triggers/t", body);
    assertThat(answer.status()).isEqualTo(400);
    assertThat(answer.problem()).isEqualTo("malformed-body");
    assertThat(answer.pointer()).isEqualTo(pointer);
    assertThat(answer.detail()).contains("line 1").doesNotContain("com.fasterxml");
  }

  @Test
  void readsOnlyTheMediaTypesThatItKnows() {
    HttpRequest form =
        API.request("/v1/apps/shop")
            .header("Content-Type", "application/x-www-form-urlencoded")
            .PUT(BodyPublishers.ofString("a=b"))
            .build();
    Answer answer = API.send(form);
    assertThat(answer.status()).isEqualTo(415);
    assertThat(answer.header("Accept")).isEqualTo("application/json");
  }

  @Test
  void mapsRefusals() {
    API.viesti.failure.set(
        new RefusedException(new Refusal.Unavailable("a takeover", Duration.ofMillis(1_001))));
    Answer later = API.get("/v1/apps/shop");
    assertThat(later.status()).isEqualTo(503);
    assertThat(later.header("Retry-After")).isEqualTo("2");
    assertThat(later.json().path("retryable").asBoolean()).isTrue();
    API.viesti.failure.set(new RefusedException(new Refusal.Invalid("/filter", "no such name")));
    assertThat(API.put("/v1/apps/shop/triggers/t", HOOK).pointer()).isEqualTo("/filter");
    API.viesti.failure.set(new IllegalStateException("secret details"));
    Answer bug = API.get("/v1/apps/shop");
    assertThat(bug.status()).isEqualTo(500);
    assertThat(bug.response().body()).doesNotContain("secret details");
  }

  @Test
  void pagesThroughLists() {
    for (String app : new String[] {"p-1", "p-2", "p-3"}) {
      API.put("/v1/apps/" + app, "{}");
    }
    Answer first = API.get("/v1/apps?limit=2");
    assertThat(first.json().path("data")).hasSize(2);
    String cursor = first.json().path("nextCursor").asText();
    Answer second = API.get("/v1/apps?limit=100&cursor=" + cursor);
    assertThat(second.json().at("/data/0/id").asText()).isEqualTo("p-3");
    assertThat(second.json().path("nextCursor").isNull()).isTrue();
    for (String wrong : new String[] {"limit=0", "limit=1001", "limit=x"}) {
      assertThat(API.get("/v1/apps?" + wrong).pointer()).isEqualTo("/limit");
    }
    for (String wrong : new String[] {"x", "%21", "bnVsbA", "e30", "eyJhZnRlciI6IkEgQiJ9"}) {
      Answer refused = API.get("/v1/apps?cursor=" + wrong);
      assertThat(refused.status()).isEqualTo(422);
      assertThat(refused.pointer()).isEqualTo("/cursor");
    }
  }

  @Test
  void showsDeliveries() {
    TriggerId trigger = new TriggerId("t");
    API.viesti.delivery(trigger, 1, null);
    API.viesti.delivery(trigger, 2, null);
    var third = API.viesti.delivery(trigger, 3, Instant.parse("2026-01-02T03:04:05.000001Z"));
    API.viesti.delivery(trigger, 4, Instant.parse("2026-01-02T03:04:06Z"));
    Answer first = API.get("/v1/apps/shop/deliveries?limit=1&trigger=t");
    assertThat(first.json().at("/data/0/dueAt").isNull()).isTrue();
    assertThat(first.json().at("/data/0").has("event")).isFalse();
    Answer second = next("/v1/apps/shop/deliveries?limit=2", first);
    assertThat(second.json().at("/data/1/state").asText()).isEqualTo("scheduled");
    assertThat(next("/v1/apps/shop/deliveries?limit=2", second).json().path("data")).hasSize(1);

    String one = "/v1/apps/shop/deliveries/" + third.delivery().id();
    Answer detail = API.get(one);
    assertThat(detail.response().body()).contains("\"data\":{\"n\":1.50}");
    assertThat(detail.json().at("/attempts/0/n").asInt()).isEqualTo(1);
    assertThat(API.post(one + ":retry").status()).isEqualTo(200);
    assertThat(API.post(one + "%3Acancel").status()).isEqualTo(204);
    assertThat(API.get(one).status()).isEqualTo(404);
    assertThat(API.get("/v1/apps/shop/deliveries/1-1-1-1-1").pointer()).isEqualTo("/id");
  }

  private static Answer next(String path, Answer page) {
    return API.get(path + "&cursor=" + page.json().path("nextCursor").asText());
  }

  @Test
  void resolvesAndReplaysDeadLetters() {
    TriggerId trigger = new TriggerId("t");
    for (int number = 1; number <= 3; number++) {
      API.viesti.deadLetter(trigger, number);
    }
    String all = "/v1/apps/shop/dead-letters";
    Answer page = API.get(all + "?limit=2&resolved=false");
    assertThat(page.json().at("/data/0/event/type").asText()).isEqualTo("order.paid");
    assertThat(page.json().at("/data/0/attemptLog")).isEmpty();
    assertThat(next(all + "?limit=2", page).json().path("data")).hasSize(1);
    assertThat(API.get(all + ":count?resolved=false").json().path("count").asInt()).isEqualTo(3);
    assertThat(API.get(all + "?resolved=no").pointer()).isEqualTo("/resolved");

    Answer dry =
        API.post(all + ":replay", "{\"trigger\":\"t\",\"dryRun\":true}", "application/json");
    assertThat(dry.json().toString()).isEqualTo("{\"matched\":3,\"replayed\":0}");
    Answer some = API.post(all + ":replay", "{\"limit\":2}", "application/json");
    assertThat(some.json().toString()).isEqualTo("{\"matched\":3,\"replayed\":2}");
    assertThat(API.post(all + ":replay", "{\"limit\":0}", "application/json").pointer())
        .isEqualTo("/limit");

    String one = all + "/" + API.viesti.deadLetters.getFirst().id();
    String wish = "{\"resolution\":\"ignored\",\"note\":\"gone\"}";
    Answer resolved = API.post(one + ":resolve", wish, "application/json");
    assertThat(resolved.status()).isEqualTo(200);
    assertThat(resolved.json().path("note").asText()).isEqualTo("gone");
    assertThat(API.post(one + ":resolve", wish, "application/json").status()).isEqualTo(409);
    assertThat(API.post(one + ":resolve", "{}", "application/json").pointer())
        .isEqualTo("/resolution");
    String two = all + "/" + API.viesti.deadLetters.getLast().id();
    Answer replayed = API.post(two + ":replay");
    assertThat(replayed.status()).isEqualTo(202);
    assertThat(replayed.json().path("delivery").asText())
        .isEqualTo(API.viesti.deadLetters.getLast().delivery().toString());
  }

  @Test
  void showsTheClusterAndTheMetrics() {
    assertThat(API.get("/v1/cluster").json().at("/members/0/status").asText()).isEqualTo("up");
    API.get("/v1/apps/shop");
    assertThat(API.get("/metrics").response().body())
        .contains("viesti_http_request_duration_seconds_count")
        .contains("route=\"/v1/apps/{app}\"")
        .contains("viesti_build_info")
        .contains("jvm_memory_used_bytes");
  }
}
