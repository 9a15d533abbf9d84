package dev.viesti.ops.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.viesti.ops.cli.FakeServer.Reply;
import dev.viesti.ops.cli.client.ClientJson;
import dev.viesti.protocol.app.AppSettings;
import dev.viesti.protocol.trigger.Trigger;
import java.io.IOException;
import java.lang.reflect.RecordComponent;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Commands that change something that is there: the rest of it stays as it is. */
class ChangeCommandsTest {
  private static final String APP =
      """
      {"id":"a","displayName":"A","concurrency":7,"weight":5,"rate":{"permits":9,"per":"1m"},
       "paused":false,"retry":{"maxAttempts":3},"revision":4}""";

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
  void switchesATriggerOffAndLosesNothing() throws IOException {
    ObjectNode trigger = everyField(Trigger.class).put("enabled", true).put("later", "a new one");
    server
        .on("GET /v1/apps/a/triggers/t", revision(trigger.toString()))
        .on("PUT /v1/apps/a/triggers/t", "{}");
    assertThat(run.run("trigger", "disable", "--app", "a", "t")).isZero();
    assertThat(sent()).isEqualTo(trigger.put("enabled", false));
    assertThat(server.requests.getLast().ifMatch()).isEqualTo("\"4\"");
  }

  @Test
  void showsEveryFieldOfATriggerAndOfAnApp() {
    server
        .on("GET /v1/apps/a/triggers/t", everyField(Trigger.class).toString())
        .on("GET /v1/apps/a", everyField(AppSettings.class).toString());
    assertThat(run.run("trigger", "get", "--app", "a", "t")).isZero();
    assertThat(run.run("app", "get", "a")).isZero();
    for (RecordComponent field : Trigger.class.getRecordComponents()) {
      assertThat(run.out()).as("of a trigger").contains("value-of-Trigger-" + field.getName());
    }
    for (RecordComponent field : AppSettings.class.getRecordComponents()) {
      assertThat(run.out()).as("of an app").contains("value-of-AppSettings-" + field.getName());
    }
  }

  @Test
  void pausesAnAppAndLosesNothing() throws IOException {
    server.on("GET /v1/apps/a", revision(APP)).on("PUT /v1/apps/a", "{}");
    assertThat(run.run("app", "pause", "a")).isZero();
    assertThat(sent()).isEqualTo(((ObjectNode) json(APP)).put("paused", true));
    assertThat(server.requests.getLast().ifMatch()).isEqualTo("\"4\"");
    assertThat(run.run("app", "resume", "a")).isZero();
    assertThat(sent()).isEqualTo(json(APP));
  }

  @Test
  void createsAnAppOnlyWhereThereIsNone() throws IOException {
    server
        .on("PUT /v1/apps/a", new Reply(201, "{\"id\":\"a\"}", Map.of()))
        .on("PUT /v1/apps/a", new Reply(412, "{\"title\":\"It is another revision\"}", Map.of()));
    String[] command = {"app", "create", "a", "--weight", "5", "--rate", "100/1s", "--paused"};
    assertThat(run.run(command)).isZero();
    assertThat(sent())
        .isEqualTo(
            json("{\"weight\":5,\"rate\":{\"permits\":100,\"per\":\"1s\"},\"paused\":true}"));
    assertThat(server.requests.getLast().ifNoneMatch()).isEqualTo("*");
    assertThat(run.run(command)).isEqualTo(ExitCodes.REFUSED);
    assertThat(run.err()).contains("app a exists", "app update").doesNotContain("meanwhile");
  }

  @Test
  void updatesOnlyWhatIsNamed() throws IOException {
    server.on("GET /v1/apps/a", revision(APP)).on("PUT /v1/apps/a", "{}");
    assertThat(run.run("app", "update", "a", "--weight", "1", "--rate", "20/250ms")).isZero();
    assertThat(sent())
        .isEqualTo(
            ((ObjectNode) json(APP))
                .put("weight", 1)
                .set("rate", json("{\"permits\":20,\"per\":\"250ms\"}")));
    assertThat(run.run("app", "update", "a", "--rate", "none", "--concurrency", "9")).isZero();
    assertThat(sent()).isEqualTo(((ObjectNode) json(APP)).put("concurrency", 9).set("rate", null));
    assertThat(run.run("app", "update", "a")).isEqualTo(ExitCodes.USAGE);
    assertThat(run.err()).contains("nothing to change: give --display-name");
  }

  @Test
  void updatesWithTheMembersOfAFile(@TempDir Path folder) throws IOException {
    server.on("GET /v1/apps/a", revision(APP)).on("PUT /v1/apps/a", "{}");
    Path file = Files.writeString(folder.resolve("app.yaml"), "retry: {maxAttempts: 8}\nid: a\n");
    assertThat(run.run("app", "update", "a", "-f", file.toString())).isZero();
    assertThat(sent())
        .isEqualTo(((ObjectNode) json(APP)).set("retry", json("{\"maxAttempts\":8}")));
  }

  @Test
  void saysHowARateIsWritten() {
    for (String rate : new String[] {"fast", "100/", "100/soon", "/1s", "-1/1s", "1.5/1s"}) {
      assertThat(run.run("app", "create", "a", "--rate", rate)).isEqualTo(ExitCodes.USAGE);
    }
    assertThat(run.err()).contains("--rate is PERMITS/TIME such as 100/1s, or none, not 'fast'");
    assertThat(server.requests).isEmpty();
  }

  @Test
  void answersADeletionInJson() throws IOException {
    server
        .on("DELETE /v1/apps/a", new Reply(204, "", Map.of()))
        .on("DELETE /v1/apps/a/triggers/t", new Reply(204, "", Map.of()));
    assertThat(run.run("app", "delete", "a", "-o", "json")).isZero();
    assertThat(json(run.out())).isEqualTo(json("{\"deleted\":\"a\"}"));
    run = CommandRun.against(server);
    assertThat(run.run("trigger", "delete", "--app", "a", "t", "-o", "json")).isZero();
    assertThat(json(run.out())).isEqualTo(json("{\"deleted\":\"t\"}"));
  }

  /** A field is never called like this by accident. */
  private static ObjectNode everyField(Class<? extends Record> type) {
    ObjectNode json = ClientJson.MAPPER.createObjectNode();
    for (RecordComponent field : type.getRecordComponents()) {
      String value = "value-of-" + type.getSimpleName() + "-" + field.getName();
      if (field.getType().isRecord() || field.getType().isInterface()) {
        json.putObject(field.getName()).put("x", value);
      } else {
        json.put(field.getName(), value);
      }
    }
    return json;
  }

  private static Reply revision(String body) {
    return new Reply(200, body, Map.of("ETag", "\"4\""));
  }

  private JsonNode sent() throws IOException {
    return json(server.requests.getLast().body());
  }

  private static JsonNode json(String text) throws IOException {
    return ClientJson.MAPPER.readTree(text);
  }
}
