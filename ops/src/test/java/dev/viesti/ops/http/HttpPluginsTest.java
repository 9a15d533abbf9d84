package dev.viesti.ops.http;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.viesti.dispatcher.PluginUpload;
import dev.viesti.dispatcher.Refusal;
import dev.viesti.dispatcher.RefusedException;
import dev.viesti.dispatcher.plugin.manifest.ManifestReader.Format;
import dev.viesti.ops.http.ApiServer.Answer;
import dev.viesti.protocol.event.Payload;
import java.io.ByteArrayOutputStream;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class HttpPluginsTest {
  @AutoClose private static final ApiServer API = new ApiServer();
  private static final String ORDERS = "/v1/apps/shop/plugins/orders";
  private static final String FORM = "multipart/form-data; boundary=xyz";
  private static final String MANIFEST =
      "{\"id\": \"orders\", \"name\": \"Orders\", \"version\": \"1.0\"}";
  private static final String TOML = "id = \"orders\"\nname = \"Orders\"\nversion = \"2\"\n";

  @BeforeAll
  static void createsAnApp() {
    assertThat(API.put("/v1/apps/shop", "{}").status()).isEqualTo(201);
  }

  @AfterEach
  void forgets() {
    API.viesti.failure.set(null);
    API.delete(ORDERS);
  }

  /** A form in the making; a part's header is all that follows its name. */
  private static final class Form {
    private final ByteArrayOutputStream body = new ByteArrayOutputStream();

    Form part(String header, byte[] bytes) {
      text("--xyz\r\nContent-Disposition: form-data; name=" + header + "\r\n\r\n");
      body.writeBytes(bytes);
      text("\r\n");
      return this;
    }

    Form part(String header, String bytes) {
      return part(header, bytes.getBytes(StandardCharsets.UTF_8));
    }

    private void text(String text) {
      body.writeBytes(text.getBytes(StandardCharsets.UTF_8));
    }

    Answer put(String... headers) {
      text("--xyz--\r\n");
      return HttpPluginsTest.put(FORM, body.toByteArray(), headers);
    }
  }

  private static Answer put(String contentType, byte[] body, String... headers) {
    var request = API.request(ORDERS).header("Content-Type", contentType);
    if (headers.length > 0) {
      request.headers(headers);
    }
    return API.send(request.PUT(BodyPublishers.ofByteArray(body)).build());
  }

  private static Answer install() {
    return new Form().part("module", "\0asm").part("manifest", MANIFEST).put();
  }

  private static PluginUpload uploaded() {
    return requireNonNull(API.viesti.lastUpload.get());
  }

  @Test
  void installsWhatComesInParts() {
    byte[] module = new byte[5_000];
    for (int i = 0; i < module.length; i++) {
      module[i] = (byte) (i * 31);
    }
    Answer answer =
        new Form()
            .part("\"module\"; filename=\"orders.wasm\"\r\nContent-Type: application/wasm", module)
            .part("\"manifest\"; filename=\"manifest.json\"", MANIFEST)
            .part("\"config\"", "{\"n\": 1.00}")
            .put();
    assertThat(answer.status()).isEqualTo(201);
    assertThat(answer.header("ETag")).isEqualTo("\"1\"");
    JsonNode json = answer.json();
    assertThat(json.path("status").asText()).isEqualTo("running");
    assertThat(json.at("/current/version").asText()).isEqualTo("1.0");
    assertThat(json.at("/current/size").asInt()).isEqualTo(5_000);
    assertThat(json.at("/current/by").asText()).isEqualTo("admin");
    assertThat(json.path("candidate").isNull()).isTrue();
    assertThat(json.at("/manifest/id").asText()).isEqualTo("orders");
    assertThat(json.at("/trigger").asText()).isEqualTo("plugin-orders");
    assertThat(answer.response().body()).contains("\"config\":{\"n\": 1.00}");
    assertThat(uploaded().module().bytes()).isEqualTo(module);
    assertThat(API.viesti.lastPrincipal.get()).isEqualTo("admin");
    assertThat(API.get(ORDERS).json()).isEqualTo(json);
    assertThat(API.get(ORDERS).header("ETag")).isEqualTo("\"1\"");
  }

  @ParameterizedTest
  @CsvSource({
    "'manifest\r\nContent-Type: application/json', JSON, JSON",
    "'manifest\r\nContent-Type: application/toml', TOML, TOML",
    "'manifest; filename=x.toml\r\nContent-Type: application/octet-stream', TOML, TOML",
    "'manifest; filename=x.json\r\nContent-Type: application/octet-stream', JSON, JSON",
    "manifest, JSON, JSON",
    "manifest, TOML, TOML"
  })
  void seesHowAManifestIsWritten(String header, String text, Format format) {
    String manifest = text.equals("JSON") ? MANIFEST : TOML;
    Answer answer = new Form().part("module", "\0asm").part(header, manifest).put();
    assertThat(answer.status()).isEqualTo(201);
    assertThat(requireNonNull(uploaded().manifest()).format()).isEqualTo(format);
  }

  @Test
  void takesAModuleThatBringsItsManifest() {
    byte[] module = {0, 'a', 's', 'm', 1, 0, 0, 0};
    Answer answer = put("application/wasm", module);
    assertThat(uploaded().module()).isEqualTo(Payload.of(module));
    assertThat(uploaded().manifest()).isNull();
    assertThat(answer.pointer()).isEqualTo("/manifest"); // this one brings none
  }

  @Test
  void changesOnlyWhatIsStillAsExpected() {
    Form first = new Form().part("module", "\0asm").part("manifest", MANIFEST);
    assertThat(first.put("If-None-Match", "*").status()).isEqualTo(201);
    Form again = new Form().part("module", "\0asm").part("manifest", TOML);
    Answer stale = again.put("If-None-Match", "*");
    assertThat(stale.status()).isEqualTo(412);
    assertThat(stale.header("ETag")).isEqualTo("\"1\"");
    Form third = new Form().part("module", "\0asm").part("manifest", TOML);
    Answer upgraded = third.put("If-Match", "\"1\"");
    assertThat(upgraded.status()).isEqualTo(200);
    assertThat(upgraded.json().at("/previous/version").asText()).isEqualTo("1.0");
  }

  // ---- refusals

  @Test
  void listsAllThatIsWrongWithAManifest() {
    Answer answer =
        new Form()
            .part("module", "\0asm")
            .part("manifest", "{\"id\": \"Orders\", \"permissions\": [\"kv:eat\"], \"x\": 1}")
            .put();
    assertThat(answer.status()).isEqualTo(422);
    assertThat(answer.problem()).isEqualTo("invalid");
    List<String> pointers = new ArrayList<>();
    answer.json().path("errors").forEach(error -> pointers.add(error.path("pointer").asText()));
    assertThat(pointers)
        .contains(
            "/manifest/id",
            "/manifest/name",
            "/manifest/version",
            "/manifest/permissions/0",
            "/manifest/x");
  }

  @Test
  void saysWhatIsWrongWithAModule() {
    API.viesti.failure.set(
        new RefusedException(new Refusal.Invalid("/module", "imports env.system")));
    Answer answer = install();
    assertThat(answer.status()).isEqualTo(422);
    assertThat(answer.pointer()).isEqualTo("/module");
  }

  @ParameterizedTest
  @ValueSource(strings = {"application/json", "text/plain", "multipart/mixed; boundary=xyz"})
  void wantsAFormOrAModule(String contentType) {
    Answer answer = put(contentType, new byte[] {1});
    assertThat(answer.status()).isEqualTo(415);
    assertThat(answer.header("Accept"))
        .contains("multipart/form-data")
        .contains("application/wasm");
  }

  @Test
  void takesNoMoreThanItsLimit() {
    byte[] large = new byte[ApiServer.PLUGIN_BYTES_MAX + 1];
    assertThat(put("application/wasm", large).status()).isEqualTo(413);
    assertThat(new Form().part("module", large).put().status()).isEqualTo(413);
  }

  @ParameterizedTest
  @CsvSource({
    "multipart/form-data, '--xyz--'",
    "multipart/form-data; boundary=xyz, ''",
    "multipart/form-data; boundary=xyz, no form at all",
    "multipart/form-data; boundary=xyz, '--xyz\r\nContent-Disposition: form-data; name=module'",
    "multipart/form-data; boundary=xyz, '--xyz\r\nContent-Disposition: form-data; name=module\r\n\r\nend'"
  })
  void refusesABrokenForm(String contentType, String body) {
    Answer answer =
        put(contentType, body.replace("\\r\\n", "\r\n").getBytes(StandardCharsets.UTF_8));
    assertThat(answer.status()).isEqualTo(400);
    assertThat(answer.problem()).isEqualTo("malformed-body");
  }

  @Test
  void refusesAHeaderThatNeverEnds() {
    Answer answer = new Form().part("module; x=" + "y".repeat(4_000), "\0asm").put();
    assertThat(answer.status()).isEqualTo(400);
  }

  @Test
  void wantsEachPartOnceAndNoOther() {
    assertThat(new Form().part("manifest", MANIFEST).put().pointer()).isEqualTo("/module");
    assertThat(new Form().part("modul", "\0asm").put().pointer()).isEqualTo("/modul");
    Answer twice = new Form().part("module", "a").part("module", "b").put();
    assertThat(twice.status()).isEqualTo(422);
    assertThat(twice.pointer()).isEqualTo("/module");
  }

  @Test
  void wantsAJsonObjectAsConfiguration() {
    Form list = new Form().part("module", "a").part("manifest", MANIFEST).part("config", "[]");
    assertThat(list.put().pointer()).isEqualTo("/config");
    Form broken = new Form().part("module", "a").part("manifest", MANIFEST).part("config", "{");
    assertThat(broken.put().status()).isEqualTo(400);
    install();
    assertThat(API.put(ORDERS + "/config", "[]").status()).isEqualTo(422);
    assertThat(API.put(ORDERS + "/config", "{").status()).isEqualTo(400);
  }

  @Test
  void saysThatAVersionCouldNotBeInitialized() {
    API.viesti.failure.set(
        new RefusedException(new Refusal.CallFailed("init failed: no table", "init", "no table")));
    Answer answer = install();
    assertThat(answer.status()).isEqualTo(422);
    assertThat(answer.problem()).isEqualTo("plugin-init-failed");
    assertThat(answer.json().at("/call/message").asText()).isEqualTo("no table");
  }

  @Test
  void knowsNoOtherPlugin() {
    String other = "/v1/apps/shop/plugins/other";
    assertThat(API.get(other).status()).isEqualTo(404);
    assertThat(API.delete(other).status()).isEqualTo(404);
    assertThat(API.post(other + ":enable").status()).isEqualTo(404);
    assertThat(API.get(other + "/health").status()).isEqualTo(404);
    assertThat(API.get(other + "/metrics").status()).isEqualTo(404);
    assertThat(API.get("/v1/apps/shop/plugins/9x").pointer()).isEqualTo("/plugin");
  }

  // ---- afterwards

  @Test
  void isListed() {
    assertThat(API.get("/v1/apps/shop/plugins").json().path("data")).isEmpty();
    install();
    JsonNode page = API.get("/v1/apps/shop/plugins?limit=1").json();
    assertThat(page.at("/data/0/id").asText()).isEqualTo("orders");
    assertThat(page.at("/data/0/status").asText()).isEqualTo("running");
    assertThat(page.at("/data/0/version").asText()).isEqualTo("1.0");
    assertThat(page.path("nextCursor").isNull()).isTrue();
  }

  @Test
  void isSwitchedOffAndOn() {
    install();
    assertThat(API.post(ORDERS + ":disable").json().path("status").asText()).isEqualTo("disabled");
    assertThat(API.post(ORDERS + ":enable").json().path("status").asText()).isEqualTo("running");
    assertThat(API.get(ORDERS + ":enable").status()).isEqualTo(405);
  }

  @Test
  void isRolledBack() {
    install();
    new Form().part("module", "b").part("manifest", TOML).put();
    Answer back = API.post(ORDERS + ":rollback");
    assertThat(back.status()).isEqualTo(200);
    assertThat(back.json().at("/current/version").asText()).isEqualTo("1.0");
  }

  @Test
  void isConfigured() {
    install();
    Answer answer = API.put(ORDERS + "/config", "{\"a\":1}", "If-Match", "\"1\"");
    assertThat(answer.status()).isEqualTo(200);
    assertThat(answer.json().at("/config/a").asInt()).isEqualTo(1);
    assertThat(API.put(ORDERS + "/config", "{}", "If-Match", "\"1\"").status()).isEqualTo(412);
    assertThat(API.put(ORDERS + "/config", "").json().path("config").isNull()).isTrue();
  }

  @Test
  void saysHowItIs() {
    install();
    API.viesti.sick = null;
    assertThat(API.get(ORDERS + "/health").json().path("healthy").asBoolean()).isTrue();
    API.viesti.sick = "no memory";
    JsonNode sick = API.get(ORDERS + "/health").json();
    assertThat(sick.path("healthy").asBoolean()).isFalse();
    assertThat(sick.path("problem").asText()).isEqualTo("no memory");
    JsonNode metrics = API.get(ORDERS + "/metrics").json();
    assertThat(metrics.path("invocations").asInt()).isEqualTo(3);
    assertThat(metrics.at("/errors/fuel").asInt()).isEqualTo(1);
    assertThat(metrics.path("since").asText()).startsWith("2026-01-02T03:04:05");
  }

  @Test
  void isUninstalled() {
    install();
    assertThat(API.delete(ORDERS).status()).isEqualTo(204);
    assertThat(API.get(ORDERS).status()).isEqualTo(404);
    assertThat(API.delete(ORDERS + "?purge=true").status()).isEqualTo(204);
    assertThat(API.delete(ORDERS + "?purge=maybe").pointer()).isEqualTo("/purge");
  }

  // ---- calls

  private static Answer invoke(byte[] body) {
    return API.send(
        API.request("/v1/apps/shop/invoke/t").POST(BodyPublishers.ofByteArray(body)).build());
  }

  @Test
  void answersWhatAFunctionReturns() {
    Answer json = invoke("{\"n\": 1.00}".getBytes(StandardCharsets.UTF_8));
    assertThat(json.status()).isEqualTo(200);
    assertThat(json.header("Content-Type")).isEqualTo("application/json");
    assertThat(json.response().body()).isEqualTo("{\"n\": 1.00}");
    assertThat(invoke(new byte[] {1, 2}).header("Content-Type"))
        .isEqualTo("application/octet-stream");
    assertThat(invoke("1 2".getBytes(StandardCharsets.UTF_8)).header("Content-Type"))
        .isEqualTo("application/octet-stream");
    API.viesti.reply = Payload.NONE;
    Answer nothing = invoke(new byte[0]);
    assertThat(nothing.status()).isEqualTo(200);
    assertThat(nothing.response().body()).isEmpty();
    assertThat(invoke(new byte[(256 << 10) + 1]).status()).isEqualTo(413);
  }

  @ParameterizedTest
  @CsvSource({
    "error, 422, plugin-error, false",
    "trap, 422, plugin-trap, false",
    "stack, 422, plugin-trap, false",
    "memory, 422, plugin-trap, false",
    "contract, 422, plugin-trap, false",
    "host, 422, plugin-trap, false",
    "fuel, 422, plugin-fuel, false",
    "conflict, 409, plugin-conflict, true",
    "timeout, 504, plugin-timeout, true"
  })
  void saysHowACallFailed(String kind, int status, String problem, boolean retryable) {
    API.viesti.failure.set(
        new RefusedException(new Refusal.CallFailed("it failed", kind, "out of stock")));
    Answer answer = invoke(new byte[] {1});
    assertThat(answer.status()).isEqualTo(status);
    assertThat(answer.problem()).isEqualTo(problem);
    assertThat(answer.json().path("retryable").asBoolean()).isEqualTo(retryable);
    assertThat(answer.json().at("/call/kind").asText()).isEqualTo(kind);
    assertThat(answer.json().at("/call/message").asText()).isEqualTo("out of stock");
  }

  // ---- values

  @Test
  void keepsValues() {
    String path = "/v1/apps/shop/kv/carts/user:42%2Fb%20c";
    Answer put = API.put(path, "{\"n\": 1.00}", "If-None-Match", "*");
    assertThat(put.status()).isEqualTo(204);
    assertThat(put.header("ETag")).isEqualTo("\"1\"");
    Answer got = API.get(path);
    assertThat(got.response().body()).isEqualTo("{\"n\": 1.00}");
    assertThat(got.header("ETag")).isEqualTo("\"1\"");
    assertThat(got.header("Content-Type")).isEqualTo("application/json");
    assertThat(API.put(path, "2", "If-None-Match", "*").status()).isEqualTo(412);
    assertThat(API.put(path, "2", "If-Match", "\"1\"").header("ETag")).isEqualTo("\"2\"");
    JsonNode page = API.get("/v1/apps/shop/kv/carts?prefix=user:").json();
    assertThat(page.at("/data/0/key").asText()).isEqualTo("user:42/b c");
    assertThat(page.at("/data/0/version").asInt()).isEqualTo(2);
    assertThat(page.at("/data/0/bytes").asInt()).isEqualTo(1);
    assertThat(API.get("/v1/apps/shop/kv/carts?prefix=x").json().path("data")).isEmpty();
    var stale = API.request(path).header("If-Match", "\"1\"").DELETE().build();
    assertThat(API.send(stale).status()).isEqualTo(412);
    assertThat(API.delete(path).status()).isEqualTo(204);
    assertThat(API.get(path).status()).isEqualTo(404);
    assertThat(API.delete(path).status()).isEqualTo(404);
    assertThat(API.put(path, "x".repeat((1 << 20) + 1)).status()).isEqualTo(413);
  }

  @Test
  void listsKeysPageByPage() {
    for (String key : List.of("a", "b", "c")) {
      API.put("/v1/apps/shop/kv/pages/" + key, "1");
    }
    JsonNode first = API.get("/v1/apps/shop/kv/pages?limit=2").json();
    assertThat(first.path("data")).hasSize(2);
    String cursor = first.path("nextCursor").asText();
    JsonNode second = API.get("/v1/apps/shop/kv/pages?limit=2&cursor=" + cursor).json();
    assertThat(second.at("/data/0/key").asText()).isEqualTo("c");
    assertThat(second.path("nextCursor").isNull()).isTrue();
  }
}
