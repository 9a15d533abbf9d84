package dev.viesti.dispatcher.cloudevents;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.viesti.protocol.event.Event;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class BinaryModeTest {
  private final CloudEvents events = new CloudEvents(() -> new UUID(7, 7));

  private Event parse(Map<String, String> more, @Nullable String contentType, String body) {
    Map<String, String> headers =
        new HashMap<>(Map.of("ce-specversion", "1.0", "ce-source", "/s", "ce-type", "t"));
    headers.putAll(more);
    return events.parseBinary(headers, contentType, body.getBytes(StandardCharsets.UTF_8));
  }

  @Test
  void takesAttributesFromHeaders() {
    Event event =
        parse(
            Map.of(
                "ce-id", "1", "ce-zone", "b", "ce-subject", "x", "accept", "*/*", "ce-area", "a"),
            "application/json",
            " {\"a\": 1.00}\n");
    assertThat(event.id()).isEqualTo(Event.derivedId("/s", "1"));
    assertThat(event.subject()).isEqualTo("x");
    assertThat(event.attributes())
        .isEqualTo("{\"datacontenttype\":\"application/json\",\"area\":\"a\",\"zone\":\"b\"}");
    assertThat(event.data().utf8()).isEqualTo(" {\"a\": 1.00}\n");
    assertThat(event.dataBinary()).isFalse();
    assertThat(events.parseStructured(CloudEvents.renderStructured(event)).id())
        .isEqualTo(event.id());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "application/json",
        "Application/JSON; charset=UTF-8",
        "application/vnd.github.v3+json;charset=\"utf-8\"",
        "text/json"
      })
  void takesJsonTypesAsJson(String contentType) {
    assertThat(parse(Map.of(), contentType, "[1]").dataBinary()).isFalse();
    assertThatThrownBy(() -> parse(Map.of(), contentType, "[1"))
        .isInstanceOf(MalformedEventException.class);
  }

  @Test
  void takesABodyWithoutTypeAsJson() {
    assertThat(parse(Map.of(), null, "-0.0").data().utf8()).isEqualTo("-0.0");
    assertThat(parse(Map.of(), null, "").data().isEmpty()).isTrue();
    assertThat(parse(Map.of(), null, "null").data().isEmpty()).isTrue();
    for (String broken :
        new String[] {" ", "1 2", "{\"a\":1,\"a\":2}", "{", "\"\\q\"", "[\"\\q\"]"}) {
      assertThatThrownBy(() -> parse(Map.of(), null, broken))
          .as(broken)
          .isInstanceOf(MalformedEventException.class);
    }
  }

  @Test
  void takesOtherTypesAsBytes() {
    Event event = parse(Map.of("ce-id", "1"), "text/plain", "é{");
    assertThat(event.dataBinary()).isTrue();
    assertThat(event.attributes()).isEqualTo("{\"datacontenttype\":\"text/plain\"}");
    assertThat(events.parseStructured(CloudEvents.renderStructured(event))).isEqualTo(event);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "plain|plain",
        "Euro%20%E2%82%AC%20%F0%9F%98%80|Euro € 😀",
        "100%25|100%",
        "%2525|%25",
        "\"a \\\"b\\\" \\\\ c\"|a \"b\" \\ c",
        "\"%41\"|A",
        "ü%41|üA"
      })
  void decodesHeaders(String header, String text) {
    assertThat(parse(Map.of("ce-subject", header), null, "").subject()).isEqualTo(text);
  }

  @ParameterizedTest
  @ValueSource(strings = {"100%", "%4", "%zz", "%ff", "%c3%28", "\"open", "\"a\"b", "\"a\\", "%00"})
  void refusesBrokenHeaders(String header) {
    assertThatThrownBy(() -> parse(Map.of("ce-subject", header), null, ""))
        .isInstanceOfSatisfying(
            MalformedEventException.class, e -> assertThat(e.pointer()).isEqualTo("/subject"));
  }

  @Test
  void refusesWhatHasAnotherPlace() {
    assertThatThrownBy(() -> parse(Map.of("ce-datacontenttype", "text/plain"), null, ""))
        .hasMessageContaining("Content-Type");
    assertThatThrownBy(() -> parse(Map.of("ce-data", "1"), null, "")).hasMessageContaining("body");
    assertThatThrownBy(() -> parse(Map.of("ce-my_name", "1"), null, ""))
        .hasMessageContaining("a-z");
    assertThatThrownBy(() -> parse(Map.of(), "application/json; charset=utf-16", "1"))
        .hasMessageContaining("UTF-8");
  }
}
