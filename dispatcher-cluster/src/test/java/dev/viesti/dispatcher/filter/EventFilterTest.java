package dev.viesti.dispatcher.filter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.viesti.protocol.event.Event;
import dev.viesti.protocol.event.Payload;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EventFilterTest {
  private static final UUID ID = new UUID(1, 2);

  private static Event event(String data) {
    return new Event(
        ID,
        "e-1",
        "github/viesti",
        "issues.opened",
        null,
        "{\"time\":\"2026-01-31T12:00:00Z\",\"tier\":\"gold\",\"retries\":3,\"urgent\":true}",
        Payload.ofJson(data),
        false,
        null,
        0,
        null,
        null);
  }

  private static FilterResult evaluate(String filter, String data) {
    return EventFilter.compile(filter).evaluate(EventView.of(event(data)));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "true",
        "data.action == 'opened'",
        "data['action'] == 'opened'",
        "type == 'issues.opened' && source.startsWith('github')",
        "subject == ''",
        "id == 'e-1'",
        "time == '2026-01-31T12:00:00Z'",
        "timestamp(time) > timestamp('2026-01-01T00:00:00Z')",
        "attributes.tier == 'gold' && attributes.retries == 3 && attributes.urgent",
        "has(data.issue.number) && !has(data.issue.nothing)",
        "data.issue.number == 7",
        "data.issue.number == 7.0",
        "data.issue.number > 6.5 && data.issue.number < 8",
        "data.price == 12.5",
        "data.price > 12",
        "data.none == null",
        "data.flag",
        "data.issue.labels.exists(l, l.name == 'bug')",
        "data.issue.labels.filter(l, l.name.matches('^b.g$')).size() == 1",
        "data.issue.labels.map(l, l.name) == ['bug', 'ui']",
        "'ui' in data.issue.labels.map(l, l.name)",
        "data.issue.labels.all(l, size(l.name) >= 2)",
        "data.issue.labels.exists_one(l, l.name.contains('u') && l.name != 'ui')",
        "data.big > 9.0e19",
        "data.long == 9223372036854775807",
        "data.huge > 1e300",
        "data.text == 'ä€😀'",
        "data.missing == 1 || type == 'issues.opened'",
      })
  void matches(String filter) {
    assertThat(evaluate(filter, SAMPLE)).isEqualTo(new FilterResult.Matched());
  }

  private static final String SAMPLE =
      """
      {"action": "opened", "price": 12.5, "none": null, "flag": true, "text": "\\u00e4€\\ud83d\\ude00",
       "big": 123456789012345678901, "long": 9223372036854775807, "huge": 1E400,
       "issue": {"number": 7, "labels": [{"name": "bug"}, {"name": "ui"}]}}
      """;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "data.action == 'closed'",
        "data.action == 1",
        "data == null",
        "data.issue.number == '7'"
      })
  void doesNotMatch(String filter) {
    assertThat(evaluate(filter, SAMPLE)).isEqualTo(new FilterResult.NotMatched());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "data.missing == 1",
        "data.action > 1",
        "data.action",
        "data.price + 'x' == 'y'",
        "attributes.missing == 'x'",
        "data.issue.labels[2].name == 'x'",
        "1 / (data.issue.number - 7) == 1",
        "int(data.action) == 1"
      })
  void failsWithAReason(String filter) {
    assertThat(evaluate(filter, SAMPLE))
        .isInstanceOfSatisfying(
            FilterResult.Failed.class, failed -> assertThat(failed.reason()).isNotBlank());
    assertThat(EventFilter.compile(filter).matches(event(SAMPLE))).isFalse();
  }

  @Test
  void takesAbsentAndBinaryDataAsNull() {
    EventFilter isNull = EventFilter.compile("data == null");
    Event absent = Event.of(ID, "s", "t", null, Payload.NONE);
    byte[] bytes = {1, 2};
    Event binary =
        new Event(ID, null, "s", "t", null, null, Payload.of(bytes), true, null, 0, null, null);
    assertThat(isNull.matches(absent)).isTrue();
    assertThat(isNull.matches(binary)).isTrue();
    assertThat(EventFilter.compile("attributes.size() == 0 && time == ''").matches(absent))
        .isTrue();
  }

  @Test
  void parsesDataOnlyWhenAFilterAsks() {
    Event broken = Event.of(ID, "s", "t", null, Payload.ofJson("{\"a\":"));
    assertThat(EventFilter.compile("type == 't'").matches(broken)).isTrue();
    assertThat(EventFilter.compile("data.a == 1").evaluate(EventView.of(broken)))
        .isInstanceOf(FilterResult.Failed.class);
  }

  @Test
  void parsesDataOnceForAllFilters() {
    byte[] bytes = SAMPLE.getBytes(StandardCharsets.UTF_8);
    Event event = Event.of(ID, "s", "t", null, Payload.of(bytes));
    EventView view = EventView.of(event);
    assertThat(EventFilter.compile("data.action == 'opened'").evaluate(view))
        .isInstanceOf(FilterResult.Matched.class);
    Arrays.fill(bytes, (byte) '!');
    assertThat(EventFilter.compile("data.issue.number == 7").evaluate(view))
        .isInstanceOf(FilterResult.Matched.class);
  }

  @Test
  void namesThePlaceOfAMistake() {
    assertThatThrownBy(() -> EventFilter.compile("type == 'x' &&\n  sorce == 'y'"))
        .isInstanceOf(InvalidFilterException.class)
        .hasMessageContaining("sorce")
        .hasMessageContaining("line 2, column 3");
    assertThatThrownBy(() -> EventFilter.compile("type == "))
        .isInstanceOf(InvalidFilterException.class)
        .hasMessageContaining("line 1, column");
    assertThatThrownBy(() -> EventFilter.compile("type"))
        .isInstanceOf(InvalidFilterException.class)
        .hasMessageContaining("bool");
    assertThatThrownBy(() -> EventFilter.compile("true && type.matches(subject)"))
        .isInstanceOf(InvalidFilterException.class)
        .hasMessageContaining("pattern of matches()")
        .hasMessageContaining("column 22");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "type == 1",
        "1 + 1",
        "unknown(type)",
        "type.matches('(')",
        "type.matches('a{900}')",
        "type.matches('((a{100}){100}){100}')",
        "type.matches('(((((((a{9}){9}){9}){9}){9}){9}){9})')"
      })
  void refuses(String filter) {
    assertThatThrownBy(() -> EventFilter.compile(filter))
        .isInstanceOf(InvalidFilterException.class)
        .message()
        .isNotBlank();
  }

  @Test
  void refusesWhatIsTooLongOrTooDeep() {
    String deep = "(".repeat(200) + "true" + ")".repeat(200);
    String unary = "-(".repeat(201) + "data.x" + ")".repeat(201) + " == 1";
    String chain = "data" + ".a".repeat(1_000) + " == 1";
    String sum = "1" + " + 1".repeat(900) + " == 1";
    String wide = "type in [" + "'a',".repeat(1_400) + "'b']";
    String lists = "size(" + "[".repeat(200) + "]".repeat(200) + ") == 1";
    String macros = "data.exists(a,".repeat(60) + "true" + ")".repeat(60);
    for (String filter : new String[] {deep, unary, chain, sum, wide, lists, macros}) {
      assertThatThrownBy(() -> EventFilter.compile(filter))
          .as(filter.substring(0, 20))
          .isInstanceOf(InvalidFilterException.class);
    }
  }
}
