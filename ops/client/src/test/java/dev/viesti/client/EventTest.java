package dev.viesti.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class EventTest {
  @Test
  void namesWhatItRefuses() {
    refuses("source has 1 to 1024 characters, not 0", () -> Event.of("", "t"));
    refuses("type has 1 to 1024 characters, not 1025", () -> Event.of("s", "t".repeat(1025)));
    refuses("id has 1 to 256 characters, not 257", () -> event().id("i".repeat(257)));
    refuses("subject must not contain control characters", () -> event().subject("a\nb"));
    refuses("subject must not contain control characters", () -> event().subject("a\0b"));
    refuses("principal holds half of a surrogate pair", () -> event().principal("\uD83D"));
    refuses("data holds half of a surrogate pair", () -> event().json("\"\uDE00\""));
    refuses("traceparent must be a W3C trace context", () -> event().traceparent("00-1"));
    refuses("deliverAt is from", () -> event().deliverAt(Instant.parse("2200-01-01T00:00:01Z")));
    refuses("data has at most 262144 bytes", () -> event().binary(new byte[262_145], "a/b"));
    refuses(
        "data has at most 262144 bytes, not 262145",
        () -> event().json('"' + "ä".repeat(131_071) + "x\""));
    refuses("tenant-id", () -> event().extension("tenant-id", "x"));
    refuses("source is no extension", () -> event().extension("source", "x"));
    refuses("datacontenttype has 1 to 4096", () -> event().binary(new byte[1], ""));
    assertThat(event().json('"' + "ä".repeat(131_071) + '"').build().data()).hasSize(262_144);
  }

  @Test
  void isNotChangedByWhatItsBuilderDoesLater() {
    Event.Builder builder = event().id("one").extension("a", "1");
    Event first = builder.build();
    builder.id("two").extension("b", 2);
    assertThat(first.id()).isEqualTo("one");
    assertThat(first.attributes()).isEqualTo("{\"a\":\"1\"}");
    assertThat(builder.build().attributes()).isEqualTo("{\"a\":\"1\",\"b\":2}");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{}",
        "[]",
        " {\"a\" : [1, -0, 2.5e+3, 0.1E-2]} ",
        "\"\\u00e4\\n\\\"\"",
        "null",
        "true",
        "0",
        "{\"a\":{\"a\":1},\"b\":[{}]}"
      })
  void takesJson(String text) {
    assertThat(event().json(text).build().data())
        .isEqualTo(text.getBytes(java.nio.charset.StandardCharsets.UTF_8));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        " ",
        "{",
        "[1,]",
        "{\"a\":1,}",
        "{a:1}",
        "'a'",
        "01",
        "1.",
        ".5",
        "+1",
        "1e",
        "nul",
        "tru e",
        "\"a",
        "\"\t\"",
        "\"\\x\"",
        "\"\\u12g4\"",
        "1 2",
        "{}{}",
        "NaN",
        "[1 2]",
        "{\"a\" 1}",
        "{\"a\":1,\"\\u0061\":2}",
        "\uFEFF{}",
        "//x\n1",
        "-"
      })
  void refusesWhatIsNotJson(String text) {
    refuses("data is not JSON", () -> event().json(text));
  }

  @Test
  void refusesWhatIsNestedTooDeep() {
    assertThat(event().json("[".repeat(256) + "]".repeat(256)).build()).isNotNull();
    refuses("deeper than 256", () -> event().json("[".repeat(257) + "]".repeat(257)));
    refuses("deeper than 256", () -> event().json("[".repeat(200_000)));
  }

  @Test
  void makesIdsOfItsOwnThatSortByTime() {
    List<UUID> ids = new ArrayList<>();
    for (long millis = 1_700_000_000_000L; millis < 1_700_000_000_100L; millis++) {
      ids.add(EventIds.fresh(millis));
    }
    assertThat(ids).allMatch(id -> id.version() == 7 && id.variant() == 2);
    assertThat(ids.stream().map(UUID::toString)).isSorted();
    assertThat(ids.getFirst().getMostSignificantBits() >>> 16).isEqualTo(1_700_000_000_000L);
    assertThat(new HashSet<>(ids)).hasSize(100);
  }

  private static Event.Builder event() {
    return Event.of("s", "t");
  }

  private static void refuses(String message, Runnable build) {
    assertThatThrownBy(build::run)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(message);
  }
}
