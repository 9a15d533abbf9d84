package dev.viesti.dispatcher.plugin.manifest;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.re2j.Pattern;
import com.google.re2j.PatternSyntaxException;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PatternSizeTest {
  private static final String[] PIECES = {
    "a",
    "bc",
    ".",
    "\\d",
    "\\.",
    "\\pL",
    "\\p{Greek}",
    "\\x{41}",
    "\\Q){9}(\\E",
    "[a-z]",
    "[^]x]",
    "[[:alpha:]{2}]",
    "[\\]]",
    "[(]",
    "(",
    "(?:",
    "(?i)",
    ")",
    ")",
    "|",
    "*",
    "+",
    "?",
    "{3}",
    "{2,}",
    "{0,7}",
    "{12}",
    "{,4}",
    "{",
    "}",
    "^",
    "$",
    "\\b",
    "\uD83D\uDE00"
  };

  @Test
  void isNeverBelowWhatTheCompilerMakes() {
    Random random = new Random(7);
    int compiled = 0;
    for (int i = 0; i < 10_000; i++) {
      StringBuilder pattern = new StringBuilder();
      for (int pieces = 1 + random.nextInt(9); pieces > 0; pieces--) {
        pattern.append(PIECES[random.nextInt(PIECES.length)]);
      }
      String text = pattern.toString();
      long most = PatternSize.of(text);
      if (most < 100_000 && compiles(text)) {
        compiled++;
        assertThat((long) Pattern.compile(text).programSize()).as(text).isLessThanOrEqualTo(most);
      }
    }
    assertThat(compiled).isGreaterThan(2_000);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "((a{1000}){1000}){1000}",
        "(\\Q)\\E(a{1000}){1000}){1000}",
        "([)](a{1000}){1000}){1000}",
        "((((((((((a{9}){9}){9}){9}){9}){9}){9}){9}){9}){9}){9}",
        "(((a{0,1000}){0,1000}){0,1000})",
      })
  void seesWhatWouldTakeAllMemory(String pattern) {
    assertThat(PatternSize.of(pattern)).isGreaterThan(900_000_000);
  }

  /** What people write must not be refused by a bound of ten thousand. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$",
        "^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\\.)+[a-z]{2,63}$",
        "^\\+?[0-9 ()-]{6,20}$",
      })
  void isNearEnough(String pattern) {
    assertThat(PatternSize.of(pattern)).isLessThan(4L * Pattern.compile(pattern).programSize());
  }

  private static boolean compiles(String text) {
    try {
      return Pattern.compile(text).programSize() > 0;
    } catch (PatternSyntaxException no) {
      return false;
    }
  }
}
