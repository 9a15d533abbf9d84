package dev.viesti.protocol.trigger;

import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Durations as JSON, flags and files write them: a whole number and a unit, {@code "250ms"}. */
public final class DurationText {
  /** Eleven digits of days are the most whose milliseconds a {@code long} can hold. */
  private static final Pattern SHAPE = Pattern.compile("(\\d{1,11})(ms|s|m|h|d)");

  private DurationText() {}

  /**
   * @throws IllegalArgumentException if {@code text} is not a whole number with one of the units
   *     {@code ms}, {@code s}, {@code m}, {@code h}, {@code d}
   */
  public static Duration parse(String text) {
    Matcher matcher = SHAPE.matcher(text);
    if (!matcher.matches()) {
      throw new IllegalArgumentException(
          "a duration is a whole number with ms, s, m, h or d, such as \"30s\", not '"
              + text
              + "'");
    }
    long amount = Long.parseLong(matcher.group(1));
    return switch (matcher.group(2)) {
      case "ms" -> Duration.ofMillis(amount);
      case "s" -> Duration.ofSeconds(amount);
      case "m" -> Duration.ofMinutes(amount);
      case "h" -> Duration.ofHours(amount);
      default -> Duration.ofDays(amount);
    };
  }

  /** The shortest text that {@link #parse} reads back; what is finer than a millisecond is cut. */
  public static String print(Duration duration) {
    long ms = duration.toMillis();
    if (ms != 0 && ms % 86_400_000 == 0) {
      return ms / 86_400_000 + "d";
    }
    if (ms != 0 && ms % 3_600_000 == 0) {
      return ms / 3_600_000 + "h";
    }
    if (ms != 0 && ms % 60_000 == 0) {
      return ms / 60_000 + "m";
    }
    return ms != 0 && ms % 1_000 == 0 ? ms / 1_000 + "s" : ms + "ms";
  }
}
