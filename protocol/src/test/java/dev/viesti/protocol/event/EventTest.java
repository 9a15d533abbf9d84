package dev.viesti.protocol.event;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.nio.charset.StandardCharsets;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class EventTest {
  private static final UUID ID = new UUID(1, 2);

  /** An event with one text set; null where it may be. */
  private static Event with(String name, @Nullable String text) {
    boolean required = name.equals("source") || name.equals("type");
    String filled = required && text == null ? "x" : text;
    return new Event(
        ID,
        name.equals("id") ? text : null,
        name.equals("source") && filled != null ? filled : "/s",
        name.equals("type") && filled != null ? filled : "t",
        name.equals("subject") ? text : null,
        name.equals("attributes") ? text : null,
        Payload.NONE,
        false,
        name.equals("principal") ? text : null,
        0,
        null,
        name.equals("traceparent") ? text : null);
  }

  @ParameterizedTest
  @ValueSource(strings = {"id", "source", "type", "subject"})
  void limitsItsNamesAndSaysWhich(String name) {
    int max = name.equals("id") ? 256 : 1_024;
    assertThat(with(name, "ä".repeat(max))).isNotNull();
    for (String bad :
        new String[] {"", "a".repeat(max + 1), "a\u0000", "a\n", "\u0085", "\uD83D"}) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> with(name, bad))
          .withMessageStartingWith(name + " ");
    }
  }

  /** One such character and the transaction of a whole group of events is refused. */
  @ParameterizedTest
  @ValueSource(
      strings = {"id", "source", "type", "subject", "attributes", "principal", "traceparent"})
  void cannotHoldWhatPostgresqlCannotStore(String name) {
    for (String bad : new String[] {"a\u0000b", "\u0000", "a\uD83Db", "\uDE00"}) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> with(name, bad))
          .withMessageStartingWith(name + " ");
    }
    assertThat(with(name, "a😀")).isNotNull();
  }

  @Test
  void mayHaveAttributesOfSeveralLines() {
    assertThat(with("attributes", "{\n  \"time\": \"\\u0000\"\n}").attributes()).contains("\n");
  }

  @ParameterizedTest
  @ValueSource(ints = {-1, 32_768})
  void limitsItsDepthToWhatTheTableHolds(int depth) {
    assertThatIllegalArgumentException()
        .isThrownBy(
            () ->
                new Event(
                    ID, null, "/s", "t", null, null, Payload.NONE, false, null, depth, null, null))
        .withMessageStartingWith("depth");
  }

  @Test
  void isCalledByTheSendersIdIfThereIsOne() {
    assertThat(with("id", "e-1").cloudEventId()).isEqualTo("e-1");
    assertThat(with("id", null).cloudEventId()).isEqualTo(ID.toString());
  }

  @Test
  void isItsOwnRootUnlessItDescends() {
    Event own = Event.of(ID, "/s", "t", null, Payload.NONE);
    assertThat(own.root()).isEqualTo(ID);
    UUID root = new UUID(3, 4);
    assertThat(
            new Event(ID, null, "/s", "t", null, null, Payload.NONE, false, null, 1, root, null)
                .root())
        .isEqualTo(root);
  }

  @Test
  void weighsMoreWithMoreData() {
    Event small = Event.of(ID, "/s", "t", null, Payload.NONE);
    Event large = Event.of(ID, "/s", "t", null, Payload.of(new byte[10_000]));
    assertThat(large.weight() - small.weight()).isEqualTo(10_000);
  }

  @Test
  void keepsItsDataOutOfLogs() {
    Payload data = Payload.ofJson("{\"card\":\"4111\"}");
    assertThat(Event.of(ID, "/s", "t", null, data).toString())
        .doesNotContain("4111")
        .contains("Payload[15 bytes]");
  }

  @Test
  void hasDataThatIsEqualByItsBytes() {
    Payload data = Payload.ofJson("\"ä\"");
    assertThat(data).isEqualTo(Payload.of("\"ä\"".getBytes(StandardCharsets.UTF_8)));
    assertThat(data).hasSameHashCodeAs(Payload.ofJson("\"ä\""));
    assertThat(data).isNotEqualTo(Payload.ofJson("\"a\""));
    assertThat(data.utf8()).isEqualTo("\"ä\"");
    assertThat(Payload.of(new byte[0])).isSameAs(Payload.NONE);
  }
}
