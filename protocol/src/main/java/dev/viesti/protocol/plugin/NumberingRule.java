package dev.viesti.protocol.plugin;

import com.fasterxml.jackson.annotation.JsonValue;
import java.time.DateTimeException;
import java.time.LocalDate;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * How numbers of a series look: {@code prefix}, the date, the sequence with leading zeros, as in
 * {@code INV-2026-000042}. Days, months and years begin in UTC. Without gaps: a number is taken
 * when the call that asked for it takes effect.
 *
 * @param name 1 to 64 characters of {@code [a-z0-9_-]}, the first a letter
 * @param prefix at most 32 characters, none of them a control character; maybe empty
 * @param dateFormat as of {@link DateTimeFormatter}, at most 32 characters; null means no date
 * @param digits the least length of the sequence, 1 to 18
 * @param reset when the sequence starts at 1 again
 */
public record NumberingRule(
    String name, String prefix, @Nullable String dateFormat, int digits, Reset reset) {
  /** When a sequence starts at 1 again. */
  public enum Reset {
    NEVER,
    DAILY,
    MONTHLY,
    YEARLY;

    @JsonValue
    public String text() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  private static final Pattern NAME = Pattern.compile("[a-z][a-z0-9_-]{0,63}");
  private static final int TEXT_MAX = 32;
  private static final int DIGITS_MAX = 18;

  /** Any date with all its parts. */
  private static final LocalDate SAMPLE = LocalDate.of(2026, 12, 31);

  /**
   * @throws IllegalArgumentException naming the field that is wrong
   */
  public NumberingRule {
    if (!NAME.matcher(name).matches()) {
      throw new IllegalArgumentException(
          "name is 1 to 64 characters of a-z, 0-9, _ and -, beginning with a letter, not '"
              + name
              + "'");
    }
    if (prefix.length() > TEXT_MAX) {
      throw new IllegalArgumentException("prefix has at most " + TEXT_MAX + " characters");
    }
    if (prefix.chars().anyMatch(Character::isISOControl)) {
      throw new IllegalArgumentException("prefix has no control characters");
    }
    if (dateFormat != null) {
      checkDateFormat(dateFormat);
    }
    if (digits < 1 || digits > DIGITS_MAX) {
      throw new IllegalArgumentException("digits is 1 to " + DIGITS_MAX + ", not " + digits);
    }
  }

  private static void checkDateFormat(String dateFormat) {
    if (dateFormat.isEmpty() || dateFormat.length() > TEXT_MAX) {
      throw new IllegalArgumentException("dateFormat has 1 to " + TEXT_MAX + " characters");
    }
    try {
      String unused = DateTimeFormatter.ofPattern(dateFormat, Locale.ROOT).format(SAMPLE);
    } catch (IllegalArgumentException | DateTimeException wrong) {
      throw new IllegalArgumentException(
          "dateFormat '%s' is no pattern for a date, as yyyy-MM is: %s"
              .formatted(dateFormat, wrong.getMessage()));
    }
  }

  /** The span within which numbers are counted; the same text for all days of it. */
  public String period(LocalDate day) {
    return switch (reset) {
      case NEVER -> "";
      case DAILY -> day.toString();
      case MONTHLY -> day.toString().substring(0, 7);
      case YEARLY -> day.toString().substring(0, 4);
    };
  }

  /** The number as people see it. */
  public String format(LocalDate day, long sequence) {
    String date =
        dateFormat == null ? "" : DateTimeFormatter.ofPattern(dateFormat, Locale.ROOT).format(day);
    return prefix + date + ("%0" + digits + "d").formatted(sequence);
  }
}
