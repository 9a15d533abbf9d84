package dev.viesti.protocol.trigger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.time.Duration;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class DurationTextTest {
  @ParameterizedTest
  @CsvSource({
    "0ms, 0",
    "250ms, 250",
    "30s, 30000",
    "90s, 90000",
    "5m, 300000",
    "2h, 7200000",
    "1d, 86400000"
  })
  void readsAndPrintsTheSameText(String text, long ms) {
    assertThat(DurationText.parse(text)).isEqualTo(Duration.ofMillis(ms));
    assertThat(DurationText.print(Duration.ofMillis(ms))).isEqualTo(text);
  }

  @Test
  void readsBackWhateverItPrints() {
    for (long seed = 0; seed < 5_000; seed++) {
      var random = new SplittableRandom(seed);
      // any magnitude: most of the numbers below 2^36 are far from a whole day
      Duration duration = Duration.ofMillis(random.nextLong(1L << random.nextInt(1, 36)));
      assertThat(DurationText.parse(DurationText.print(duration)))
          .as("seed %d", seed)
          .isEqualTo(duration);
    }
  }

  @Test
  void printsTheLongestThatItReads() {
    String longest = "9".repeat(11) + "d";
    assertThat(DurationText.print(DurationText.parse(longest))).isEqualTo(longest);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "30",
        "s",
        "-1s",
        "+1s",
        "1.5s",
        "1 s",
        " 1s",
        "1s ",
        "1S",
        "1w",
        "PT1S",
        "1m30s",
        "999999999999d",
        "٣s"
      })
  void refusesAnythingElseAndShowsIt(String text) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> DurationText.parse(text))
        .withMessageContaining("duration")
        .withMessageContaining("'" + text + "'");
  }
}
