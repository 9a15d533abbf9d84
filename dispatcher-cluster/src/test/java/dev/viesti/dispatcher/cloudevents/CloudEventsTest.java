package dev.viesti.dispatcher.cloudevents;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.viesti.dispatcher.json.Json;
import dev.viesti.protocol.event.Event;
import dev.viesti.protocol.event.Payload;
import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CloudEventsTest {
  private static final UUID FRESH = new UUID(7, 7);
  private static final String HEAD = "\"specversion\":\"1.0\",\"source\":\"/s\",\"type\":\"t\"";
  private static final String TRACEPARENT =
      "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

  private final CloudEvents events = new CloudEvents(() -> FRESH);

  private Event parse(String json) {
    return events.parseStructured(json.getBytes(StandardCharsets.UTF_8));
  }

  private static String rendered(Event event) {
    return new String(CloudEvents.renderStructured(event), StandardCharsets.UTF_8);
  }

  @Test
  void keepsDataByteForByte() {
    for (long seed = 0; seed < 5_000; seed++) {
      Random random = new Random(seed);
      NastyJson nasty = new NastyJson(random);
      String data = nasty.value(random.nextInt(6));
      List<String> members =
          new ArrayList<>(
              List.of(
                  "\"specversion\":" + nasty.space() + "\"1.0\"",
                  "\"id\" : \"" + seed + "\"",
                  "\"source\":\"/é/\\ud83d\\ude00\"",
                  "\"type\":\"t\"",
                  "\"flag\":true",
                  "\"n\":-12",
                  "\"data\"" + nasty.space() + ":" + nasty.space() + data));
      Collections.shuffle(members, random);
      String between = nasty.space();
      String body =
          nasty.space()
              + "{"
              + String.join(between + "," + between, members)
              + between
              + "}"
              + nasty.space();

      Event event = parse(body);
      assertThat(event.data().utf8()).as("seed %d: %s", seed, body).isEqualTo(data);
      assertThat(rendered(event)).as("seed %d", seed).endsWith(",\"data\":" + data + "}");
      assertThat(parse(rendered(event))).as("seed %d", seed).isEqualTo(event);

      String batch = "[" + nasty.space() + body + "," + body + "]" + nasty.space();
      assertThat(events.parseBatch(batch.getBytes(StandardCharsets.UTF_8), 2, 100_000))
          .as("seed %d", seed)
          .containsExactly(event, event);
    }
  }

  @Test
  void keepsDeeplyNestedData() {
    String deep = "[".repeat(250) + "1.00" + "]".repeat(250);
    assertThat(parse("{" + HEAD + ",\"data\":" + deep + "}").data().utf8()).isEqualTo(deep);
    String tooDeep = "[".repeat(100_000) + "]".repeat(100_000);
    assertThatThrownBy(() -> parse("{" + HEAD + ",\"data\":" + tooDeep + "}"))
        .isInstanceOf(MalformedEventException.class)
        .hasMessageContaining("nesting depth");
  }

  @Test
  void readsWhenToDeliverAndDoesNotKeepIt() {
    Event event = parse("{" + HEAD + ",\"deliverat\":\"2027-01-31t12:00:00.5+02:00\"}");
    assertThat(event.deliverAt()).isEqualTo("2027-01-31T10:00:00.500Z");
    assertThat(rendered(event)).doesNotContain("deliverat");
    for (String bad :
        List.of("\"tomorrow\"", "\"1970-01-01T00:00:00Z\"", "\"2300-01-01T00:00:00Z\"", "1")) {
      assertThatThrownBy(() -> parse("{" + HEAD + ",\"deliverat\":" + bad + "}"))
          .isInstanceOf(MalformedEventException.class)
          .hasMessageContaining("deliverat");
    }
  }

  @Test
  void readsAndWritesEveryAttribute() {
    String json =
        "{\"specversion\":\"1.0\",\"id\":\"e\\\"1\",\"source\":\"/s\",\"type\":\"t\","
            + "\"subject\":\"ü\",\"time\":\"2026-01-31T12:00:00.5+02:00\","
            + "\"datacontenttype\":\"text/plain\",\"flag\":false,\"n\":-2147483648,"
            + "\"traceparent\":\""
            + TRACEPARENT
            + "\",\"data\":\"a\\u0041\"}";
    Event event = parse(json);
    assertThat(event.id()).isEqualTo(Event.derivedId("/s", "e\"1"));
    assertThat(event.externalId()).isEqualTo("e\"1");
    assertThat(event.subject()).isEqualTo("ü");
    assertThat(event.traceparent()).isEqualTo(TRACEPARENT);
    assertThat(event.dataBinary()).isFalse();
    assertThat(event.attributes())
        .isEqualTo(
            "{\"time\":\"2026-01-31T12:00:00.5+02:00\",\"datacontenttype\":\"text/plain\","
                + "\"flag\":false,\"n\":-2147483648}");
    assertThat(rendered(event)).isEqualTo(json);
  }

  @Test
  void givesAnEventWithoutIdAFreshOne() {
    Event event = parse("{" + HEAD + "}");
    assertThat(event.id()).isEqualTo(FRESH);
    assertThat(event.externalId()).isNull();
    assertThat(event.attributes()).isNull();
    assertThat(rendered(event)).contains("\"id\":\"" + FRESH + "\"").doesNotContain("data");
    assertThat(CloudEvents.withSystemIds().parseStructured(CloudEvents.renderStructured(event)))
        .isNotNull();
    byte[] again = ("{" + HEAD + "}").getBytes(StandardCharsets.UTF_8);
    assertThat(CloudEvents.withSystemIds().parseStructured(again).id().version()).isEqualTo(7);
  }

  @Test
  void takesNullForAMissingMember() {
    Event event =
        parse(
            "{"
                + HEAD
                + ",\"id\":null,\"subject\":null,\"x\":null,\"data_base64\":null,\"data\":null}");
    assertThat(event).isEqualTo(parse("{" + HEAD + "}"));
    assertThat(event.data().isEmpty()).isTrue();
  }

  @Test
  void carriesBinaryData() {
    byte[] bytes = new byte[256];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) i;
    }
    String base64 = Base64.getEncoder().encodeToString(bytes);
    Event event = parse("{" + HEAD + ",\"id\":\"1\",\"data_base64\":\"" + base64 + "\"}");
    assertThat(event.dataBinary()).isTrue();
    assertThat(event.data()).isEqualTo(Payload.of(bytes));
    assertThat(parse(rendered(event))).isEqualTo(event);
    Event empty = parse("{" + HEAD + ",\"id\":\"1\",\"data_base64\":\"\"}");
    assertThat(parse(rendered(empty))).isEqualTo(empty);
  }

  @Test
  void keepsRealPayloads() throws IOException {
    Path file =
        Path.of(System.getProperty("viesti.test.data", "../../shared/data"))
            .resolve("github-webhooks.jsonl");
    Assumptions.assumeTrue(Files.exists(file), () -> "no " + file.toAbsolutePath());
    for (String line : Files.readAllLines(file)) {
      byte[] body =
          ("{" + HEAD + ",\"id\":\"1\",\"data\":" + line + "}").getBytes(StandardCharsets.UTF_8);
      Event event = events.parseStructured(body);
      assertThat(event.data().utf8()).isEqualTo(line);
      assertThat(Json.MAPPER.readTree(CloudEvents.renderStructured(event)))
          .isEqualTo(Json.MAPPER.readTree(body));
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "``|``",
        "not json|``",
        "[]|``",
        "{} {}|/specversion",
        "{H} {}|``",
        "{H,}|/type",
        "{\"specversion\":\"0.3\"}|/specversion",
        "{\"specversion\":1}|/specversion",
        "{\"specversion\":\"1.0\",\"type\":\"t\"}|/source",
        "{\"specversion\":\"1.0\",\"source\":\"s\"}|/type",
        "{\"specversion\":\"1.0\",\"source\":\"\",\"type\":\"t\"}|/source",
        "{\"specversion\":\"1.0\",\"source\":5,\"type\":\"t\"}|/source",
        "{H,\"id\":\"\"}|/id",
        "{H,\"id\":7}|/id",
        "{H,\"subject\":\"a\\u0000b\"}|/subject",
        "{H,\"subject\":\"\\ud800\"}|/subject",
        "{H,\"x\":\"\\udc00\"}|/x",
        "{H,\"x\":\"\\u0000\"}|/x",
        "{H,\"x\":[1]}|/x",
        "{H,\"x\":{}}|/x",
        "{H,\"x\":1.5}|/x",
        "{H,\"x\":2147483648}|/x",
        "{H,\"my-name\":\"v\"}|/my-name",
        "{H,\"a/b~c\":\"v\"}|/a~1b~0c",
        "{H,\"Source\":\"v\"}|/Source",
        "{H,\"time\":\"yesterday\"}|/time",
        "{H,\"time\":\"2026-02-30T00:00:00Z\"}|/time",
        "{H,\"time\":\"2026-02-03T00:00Z\"}|/time",
        "{H,\"time\":\"2026-02-03T24:00:00Z\"}|/time",
        "{H,\"time\":\"2026-02-03T00:00:00\"}|/time",
        "{H,\"time\":12}|/time",
        "{H,\"datacontenttype\":true}|/datacontenttype",
        "{H,\"traceparent\":\"x\"}|/traceparent",
        "{H,\"data\":1,\"data_base64\":\"AA==\"}|/data_base64",
        "{H,\"data_base64\":\"AA==\",\"data\":1}|/data",
        "{H,\"data_base64\":\"*\"}|/data_base64",
        "{H,\"data_base64\":5}|/data_base64",
        "{H,\"type\":\"u\"}|/type",
        "{H,\"data\":1,\"data\":1}|/data",
        "{H,\"data\":{\"a\":{\"b\":1,\"b\":2}}}|/data/a/b",
        "{H,\"data\":01}|/data",
        "{H,\"data\":NaN}|/data",
        "{H,\"data\":{\"a\":tru}}|/data/a",
        "{H,\"data\":\"\\x\"}|/data",
      })
  void namesWhatIsWrong(String json, String pointer) {
    assertThatThrownBy(() -> parse(json.replace("H", HEAD)))
        .isInstanceOfSatisfying(
            MalformedEventException.class,
            wrong -> {
              assertThat(wrong.pointer()).isEqualTo(pointer);
              assertThat(wrong).isNotInstanceOf(TooLargeException.class);
              assertThat(wrong.getMessage()).isNotBlank().doesNotContain("\n");
            });
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "1985-04-12T23:20:50.52Z",
        "1996-12-19T16:39:57-08:00",
        "1990-12-31T23:59:60Z",
        "1937-01-01t12:00:27.87+00:20z",
        "2024-02-29t00:00:00z"
      })
  void takesTimesOfRfc3339(String time) {
    String json = "{" + HEAD + ",\"time\":\"" + time + "\"}";
    if (time.endsWith("20z")) {
      assertThatThrownBy(() -> parse(json)).isInstanceOf(MalformedEventException.class);
    } else {
      assertThat(parse(json).attributes()).contains(time);
    }
  }

  @Test
  void namesTheEventOfABatch() {
    String good = "{" + HEAD + "}";
    byte[] bad =
        ("[" + good + "," + good + ",{\"specversion\":\"1.0\"}]").getBytes(StandardCharsets.UTF_8);
    assertThatThrownBy(() -> events.parseBatch(bad, 10, 1_000))
        .isInstanceOfSatisfying(
            MalformedEventException.class, e -> assertThat(e.pointer()).isEqualTo("/2/source"));
    byte[] mixed = ("[" + good + ",5]").getBytes(StandardCharsets.UTF_8);
    assertThatThrownBy(() -> events.parseBatch(mixed, 10, 1_000))
        .isInstanceOfSatisfying(
            MalformedEventException.class, e -> assertThat(e.pointer()).isEqualTo("/1"));
    byte[] doubled =
        ("[" + good + ",{" + HEAD + ",\"type\":\"u\"}]").getBytes(StandardCharsets.UTF_8);
    assertThatThrownBy(() -> events.parseBatch(doubled, 10, 1_000))
        .isInstanceOfSatisfying(
            MalformedEventException.class, e -> assertThat(e.pointer()).isEqualTo("/1/type"));
    assertThat(events.parseBatch("[ ]".getBytes(StandardCharsets.UTF_8), 0, 0)).isEmpty();
  }

  @Test
  void boundsABatch() {
    String event = "{" + HEAD + "}";
    byte[] three =
        ("[" + event + ", " + event + " ," + event + "]").getBytes(StandardCharsets.UTF_8);
    assertThat(events.parseBatch(three, 3, event.length())).hasSize(3);
    assertThatThrownBy(() -> events.parseBatch(three, 2, event.length()))
        .isInstanceOfSatisfying(
            TooLargeException.class, e -> assertThat(e.pointer()).isEqualTo(""));
    assertThatThrownBy(() -> events.parseBatch(three, 3, event.length() - 1))
        .isInstanceOfSatisfying(
            TooLargeException.class, e -> assertThat(e.pointer()).isEqualTo("/0"));
  }

  @Test
  void takesOnlyUtf8() {
    String json = "{" + HEAD + ",\"data\":\"é\"}";
    for (Charset charset :
        List.of(
            StandardCharsets.UTF_16,
            StandardCharsets.UTF_16BE,
            StandardCharsets.UTF_16LE,
            Charset.forName("UTF-32BE"),
            Charset.forName("UTF-32LE"),
            StandardCharsets.ISO_8859_1)) {
      assertThatThrownBy(() -> events.parseStructured(json.getBytes(charset)))
          .as(charset.name())
          .isInstanceOf(MalformedEventException.class)
          .hasMessageContaining("UTF-8");
    }
    assertThatThrownBy(() -> parse("\uFEFF" + json)).hasMessageContaining("byte order mark");
  }
}
