package dev.viesti.ops.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.viesti.ops.cli.FakeServer.Reply;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PluginCommandsTest {
  private static final String ORDERS = "/v1/apps/a/plugins/orders";
  private static final String PLUGIN =
      """
      {"id":"orders","status":"running","name":"Orders","version":"1.0","enabled":true,
       "problem":null,"quarantinedUntil":null,"trigger":"plugin-orders",
       "current":{"version":"1.0","sha256":"abababababababababab","size":4711,
        "installedAt":"2026-01-02T03:04:05.678901Z","by":"admin"},
       "candidate":null,"previous":null,
       "manifest":{"permissions":["kv:write:*","config:read"],"subscribe":[{"type":"order.*"}]},
       "config":{"n":1},"revision":3}""";

  @TempDir Path files;
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

  private String file(String name, String content) throws IOException {
    return file(name, content.getBytes(StandardCharsets.UTF_8));
  }

  private String file(String name, byte[] content) throws IOException {
    return Files.write(files.resolve(name), content).toString();
  }

  private String manifest() throws IOException {
    return file("m.toml", "id = \"orders\"\nname = \"Orders\"\nversion = \"1.0\"\n");
  }

  @Test
  void pushesAModuleWithItsManifestAndConfiguration() throws IOException {
    server.on("PUT " + ORDERS, new Reply(201, PLUGIN, Map.of()));
    int code =
        run.run(
            "plugin",
            "push",
            "--app",
            "a",
            "--manifest",
            manifest(),
            "--config",
            file("c.json", "{\"n\": 1}"),
            "--create",
            file("orders.wasm", "\0asm"));
    assertThat(run.err()).isEmpty();
    assertThat(code).isZero();
    var request = server.requests.getLast();
    assertThat(request.contentType()).startsWith("multipart/form-data; boundary=viesti-");
    assertThat(request.ifNoneMatch()).isEqualTo("*");
    assertThat(request.body())
        .contains("name=\"module\"\r\nContent-Type: application/wasm\r\n\r\n\0asm\r\n")
        .contains("name=\"manifest\"\r\nContent-Type: application/toml\r\n\r\nid = ")
        .contains("name=\"config\"\r\nContent-Type: application/json\r\n\r\n{\"n\": 1}\r\n");
    assertThat(run.out())
        .contains("installed a orders")
        .contains("running")
        .contains("1.0  abababababab…  4,711 bytes  2026-01-02T03:04:05.678Z by admin")
        .contains("kv:write:*, config:read")
        .contains("type=order.*");
  }

  @Test
  void pushesAModuleThatBringsItsManifest() throws IOException {
    server.on("PUT " + ORDERS, PLUGIN);
    byte[] name = "viesti-manifest".getBytes(StandardCharsets.UTF_8);
    byte[] manifest =
        "{\"id\":\"orders\",\"name\":\"O\",\"version\":\"1\"}".getBytes(StandardCharsets.UTF_8);
    var module = new ByteArrayOutputStream();
    module.writeBytes(new byte[] {0, 'a', 's', 'm', 1, 0, 0, 0, 0});
    module.write(1 + name.length + manifest.length);
    module.write(name.length);
    module.writeBytes(name);
    module.writeBytes(manifest);
    String file = file("orders.wasm", module.toByteArray());
    assertThat(run.run("plugin", "push", "--app", "a", file)).isZero();
    assertThat(run.out()).contains("pushed a orders");
  }

  @Test
  void saysWhatIsWrongBeforeItSendsAnything() throws IOException {
    String module = file("orders.wasm", "\0asm");
    String wrong = file("m.json", "{\"id\": \"Orders\", \"permissions\": [\"kv:eat\"]}");
    int code = run.run("plugin", "push", "--app", "a", "--manifest", wrong, module);
    assertThat(code).isEqualTo(ExitCodes.USAGE);
    assertThat(run.err())
        .contains("m.json is no valid manifest")
        .contains("/id")
        .contains("/name")
        .contains("/permissions/0");
    assertThat(run.run("plugin", "push", "--app", "a", module)).isEqualTo(ExitCodes.USAGE);
    assertThat(run.err()).contains("--manifest").contains("viesti-manifest");
    assertThat(run.run("plugin", "push", "--app", "a", "nowhere.wasm")).isEqualTo(ExitCodes.USAGE);
    assertThat(run.err()).contains("cannot read nowhere.wasm");
    assertThat(server.requests).isEmpty();
  }

  @Test
  void saysWhyAVersionWasNotTaken() throws IOException {
    server.on(
        "PUT " + ORDERS,
        new Reply(
            422,
            "{\"title\":\"The plugin could not be initialized\",\"detail\":\"init: no table\"}",
            Map.of()));
    String module = file("orders.wasm", "\0asm");
    assertThat(run.run("plugin", "push", "--app", "a", "--manifest", manifest(), module))
        .isEqualTo(ExitCodes.REFUSED);
    assertThat(run.err()).contains("could not be initialized").contains("init: no table");
  }

  @Test
  void changesHowAPluginRuns() {
    for (String verb : new String[] {"enable", "disable", "rollback"}) {
      server.on("POST " + ORDERS + ":" + verb, PLUGIN);
      assertThat(run.run("plugin", verb, "--app", "a", "orders")).isZero();
      assertThat(server.asked().getLast()).isEqualTo("POST " + ORDERS + ":" + verb);
    }
    assertThat(run.out()).contains("status").contains("running");
  }

  @Test
  void configuresFromYaml() throws IOException {
    server.on("PUT " + ORDERS + "/config", PLUGIN);
    String yaml = file("c.yaml", "prefix: X\ndigits: 4\n");
    assertThat(run.run("plugin", "config", "--app", "a", "-f", yaml, "orders")).isZero();
    assertThat(server.requests.getLast().body()).isEqualTo("{\"prefix\":\"X\",\"digits\":4}");
  }

  @Test
  void listsAndShows() {
    server
        .on("GET /v1/apps/a/plugins?limit=50", "{\"data\":[" + PLUGIN + "],\"nextCursor\":null}")
        .on("GET " + ORDERS, PLUGIN);
    assertThat(run.run("plugin", "list", "--app", "a")).isZero();
    assertThat(run.out()).contains("PLUGIN").contains("orders");
    assertThat(run.run("plugin", "get", "--app", "a", "-o", "json", "orders")).isZero();
    assertThat(run.out()).contains("\"revision\" : 3");
  }

  @Test
  void tellsAScriptWhetherAPluginIsHealthy() {
    server.on("GET " + ORDERS + "/health", "{\"healthy\":true,\"problem\":null}");
    assertThat(run.run("plugin", "health", "--app", "a", "orders")).isZero();
    server.on("GET " + ORDERS + "/health", "{\"healthy\":false,\"problem\":\"no memory\"}");
    run.run("plugin", "health", "--app", "a", "orders");
    assertThat(run.run("plugin", "health", "--app", "a", "orders")).isEqualTo(ExitCodes.REFUSED);
    assertThat(run.out()).contains("orders is healthy").contains("no memory");
  }

  @Test
  void showsMetrics() {
    server.on(
        "GET " + ORDERS + "/metrics", "{\"invocations\":9,\"errors\":{\"fuel\":2},\"fuel\":77}");
    assertThat(run.run("plugin", "metrics", "--app", "a", "orders")).isZero();
    assertThat(run.out()).contains("calls").contains("9").contains("fuel=2");
  }

  @Test
  void uninstalls() {
    server
        .on("DELETE " + ORDERS, new Reply(204, "", Map.of()))
        .on("DELETE " + ORDERS + "?purge=true", new Reply(204, "", Map.of()));
    assertThat(run.run("plugin", "delete", "--app", "a", "orders")).isZero();
    assertThat(run.run("plugin", "delete", "--app", "a", "--purge", "orders")).isZero();
    assertThat(run.out()).contains("deleted plugin orders");
    assertThat(server.asked())
        .containsExactly("DELETE " + ORDERS, "DELETE " + ORDERS + "?purge=true");
  }

  // ---- calls

  @Test
  void printsWhatACallReturns() throws IOException {
    server.on("POST /v1/apps/a/invoke/t", "{\"number\": 1.00}");
    assertThat(run.run("invoke", "--app", "a", "t", "--data", "{\"n\": 1}")).isZero();
    assertThat(server.requests.getLast().body()).isEqualTo("{\"n\": 1}");
    assertThat(run.out()).isEqualToIgnoringNewLines("{\"number\": 1.00}");
    Path reply = files.resolve("reply");
    assertThat(run.run("invoke", "--app", "a", "t", "--to", reply.toString())).isZero();
    assertThat(reply).hasContent("{\"number\": 1.00}");
    assertThat(run.run("invoke", "--app", "a", "-o", "json", "t")).isZero();
    assertThat(run.out()).contains("\"reply\" : {");
  }

  // ---- values

  @Test
  void putsAndPrintsAValue() throws IOException {
    String path = "/v1/apps/a/kv/carts/user%3A1%2Fx";
    server
        .on("PUT " + path, new Reply(204, "", Map.of("ETag", "\"7\"")))
        .on("GET " + path, new Reply(200, "{\"n\": 1}", Map.of("ETag", "\"7\"")))
        .on("DELETE " + path, new Reply(204, "", Map.of()));
    assertThat(
            run.run("kv", "put", "--app", "a", "--if-version", "6", "-d", "x", "carts", "user:1/x"))
        .isZero();
    assertThat(server.requests.getLast().ifMatch()).isEqualTo("\"6\"");
    assertThat(server.requests.getLast().body()).isEqualTo("x");
    assertThat(run.out()).contains("put carts user:1/x, version 7");
    run.in = "from standard input";
    assertThat(run.run("kv", "put", "--app", "a", "--create", "-f", "-", "carts", "user:1/x"))
        .isZero();
    assertThat(server.requests.getLast().ifNoneMatch()).isEqualTo("*");
    assertThat(server.requests.getLast().body()).isEqualTo("from standard input");
    assertThat(run.run("kv", "get", "--app", "a", "carts", "user:1/x")).isZero();
    assertThat(run.out()).contains("{\"n\": 1}");
    assertThat(run.run("kv", "get", "--app", "a", "-o", "json", "carts", "user:1/x")).isZero();
    assertThat(run.out()).contains("\"version\" : 7").contains("\"value\" : {");
    assertThat(run.run("kv", "delete", "--app", "a", "carts", "user:1/x")).isZero();
    assertThat(run.run("kv", "put", "--app", "a", "carts", "k")).isEqualTo(ExitCodes.USAGE);
    assertThat(run.err()).contains("--data or --file");
  }

  @Test
  void listsKeys() {
    server.on(
        "GET /v1/apps/a/kv/carts?prefix=u&limit=50",
        "{\"data\":[{\"key\":\"u1\",\"version\":3,\"bytes\":9}],\"nextCursor\":null}");
    assertThat(run.run("kv", "list", "--app", "a", "--prefix", "u", "carts")).isZero();
    assertThat(run.out()).contains("KEY").contains("u1").contains("3");
  }
}
