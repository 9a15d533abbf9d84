package dev.viesti.protocol.trigger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.viesti.protocol.event.Event;
import dev.viesti.protocol.event.Payload;
import java.util.SplittableRandom;
import java.util.UUID;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class EventPatternTest {
  @ParameterizedTest
  @CsvSource({
    // pattern, value, fits
    "*,        a,        true",
    "a,        a,        true",
    "a,        ab,       false",
    "ab,       a,        false",
    "a,        A,        false",
    "a*,       a,        true",
    "a*,       ab,       true",
    "a*,       b,        false",
    "ab*,      a,        false",
    "issues.*, issues.,  true",
    "issues.*, issues,   false",
    "a.c,      abc,      false",
    "a?,       ab,       false",
    "[ab],     a,        false",
    "a,        a*,       false",
    "ä€*,      ä€x,      true",
  })
  void comparesOnePart(String pattern, String value, boolean fits) {
    assertThat(new EventPattern(pattern, "*", "*").matches(event(value, "t", "s"))).isEqualTo(fits);
    assertThat(new EventPattern("*", pattern, "*").matches(event("/s", value, "s")))
        .isEqualTo(fits);
    assertThat(new EventPattern("*", "*", pattern).matches(event("/s", "t", value)))
        .isEqualTo(fits);
  }

  @Test
  void needsAllThreeParts() {
    var pattern = new EventPattern("a", "b", "c");
    assertThat(pattern.matches(event("a", "b", "c"))).isTrue();
    assertThat(pattern.matches(event("x", "b", "c"))).isFalse();
    assertThat(pattern.matches(event("a", "x", "c"))).isFalse();
    assertThat(pattern.matches(event("a", "b", "x"))).isFalse();
  }

  @Test
  void fitsAnEventWithoutSubjectOnlyWithStar() {
    assertThat(EventPattern.ANY.matches(event("a", "b", null))).isTrue();
    assertThat(new EventPattern("*", "*", "c*").matches(event("a", "b", null))).isFalse();
    assertThat(new EventPattern("*", "*", "null").matches(event("a", "b", null))).isFalse();
    assertThat(new EventPattern("*", "*", "null*").matches(event("a", "b", null))).isFalse();
  }

  @Test
  void readsMissingPartsAsStar() {
    assertThat(EventPattern.of(null, null, null)).isEqualTo(EventPattern.ANY);
    assertThat(EventPattern.of("a", null, "c*")).isEqualTo(new EventPattern("a", "*", "c*"));
  }

  /** Three letters and short texts, so that fits and misses both come up often. */
  @Test
  void agreesWithARegularExpression() {
    int fits = 0;
    for (long seed = 0; seed < 20_000; seed++) {
      var random = new SplittableRandom(seed);
      String prefix = text(random);
      String pattern = random.nextInt(3) > 0 ? prefix + "*" : prefix.isEmpty() ? "a" : prefix;
      String value = text(random) + "a";
      boolean expected = reference(pattern).matcher(value).matches();
      assertThat(new EventPattern("*", pattern, "*").matches(event("/s", value, null)))
          .as("seed %d: %s against %s", seed, pattern, value)
          .isEqualTo(expected);
      fits += expected ? 1 : 0;
    }
    assertThat(fits).isBetween(2_000, 18_000);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "*a", "a*b", "**", "a**"})
  void refusesAndNamesThePart(String pattern) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new EventPattern(pattern, "*", "*"))
        .withMessageContaining("source");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new EventPattern("*", pattern, "*"))
        .withMessageContaining("type");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new EventPattern("*", "*", pattern))
        .withMessageContaining("subject");
  }

  @Test
  void isAsLongAsATextOfAnEvent() {
    assertThat(new EventPattern("a".repeat(Event.TEXT_MAX), "*", "*").source()).hasSize(1_024);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new EventPattern("a".repeat(Event.TEXT_MAX + 1), "*", "*"))
        .withMessageContaining("source")
        .withMessageContaining("1024");
  }

  private static Pattern reference(String pattern) {
    return pattern.endsWith("*")
        ? Pattern.compile(
            Pattern.quote(pattern.substring(0, pattern.length() - 1)) + ".*", Pattern.DOTALL)
        : Pattern.compile(Pattern.quote(pattern));
  }

  private static String text(SplittableRandom random) {
    var text = new StringBuilder();
    for (int length = random.nextInt(4); length > 0; length--) {
      text.append("ab.".charAt(random.nextInt(3)));
    }
    return text.toString();
  }

  private static Event event(String source, String type, @Nullable String subject) {
    return Event.of(new UUID(1, 1), source, type, subject, Payload.NONE);
  }
}
