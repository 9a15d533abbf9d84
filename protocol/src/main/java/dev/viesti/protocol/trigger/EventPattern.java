package dev.viesti.protocol.trigger;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.viesti.protocol.event.Event;
import org.jspecify.annotations.Nullable;

/**
 * Which events a trigger is for. Each part is an exact text, {@code prefix*} or {@code *}; a
 * missing one means {@code *}. All three must fit. An event without a subject fits only {@code *}.
 */
public record EventPattern(String source, String type, String subject) {
  /** Every event. */
  public static final EventPattern ANY = new EventPattern("*", "*", "*");

  /**
   * @throws IllegalArgumentException if a part is empty, too long, or has a {@code *} elsewhere
   *     than at its end
   */
  public EventPattern {
    check("source", source);
    check("type", type);
    check("subject", subject);
  }

  /** Reads the JSON shape: every part may be missing. */
  @JsonCreator
  public static EventPattern of(
      @JsonProperty("source") @Nullable String source,
      @JsonProperty("type") @Nullable String type,
      @JsonProperty("subject") @Nullable String subject) {
    return new EventPattern(orAny(source), orAny(type), orAny(subject));
  }

  /** Whether all three parts fit. */
  public boolean matches(Event event) {
    return fits(type, event.type())
        && fits(source, event.source())
        && fits(subject, event.subject());
  }

  private static boolean fits(String pattern, @Nullable String value) {
    int last = pattern.length() - 1;
    if (pattern.charAt(last) != '*') {
      return pattern.equals(value);
    }
    return last == 0 || (value != null && value.regionMatches(0, pattern, 0, last));
  }

  private static String orAny(@Nullable String part) {
    return part == null ? "*" : part;
  }

  private static void check(String name, String pattern) {
    if (pattern.isEmpty() || pattern.length() > Event.TEXT_MAX) {
      throw new IllegalArgumentException(
          "the pattern for " + name + " has 1 to " + Event.TEXT_MAX + " characters");
    }
    int star = pattern.indexOf('*');
    if (star >= 0 && star < pattern.length() - 1) {
      throw new IllegalArgumentException(
          "the pattern for %s is an exact text, 'prefix*' or '*': '%s' has a * before its end"
              .formatted(name, pattern));
    }
  }
}
