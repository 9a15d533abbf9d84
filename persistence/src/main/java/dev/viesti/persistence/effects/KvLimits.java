package dev.viesti.persistence.effects;

import dev.viesti.protocol.event.Payload;
import org.jspecify.annotations.Nullable;

/** What a value may be called, and how large it may be. */
public final class KvLimits {
  /**
   * Longest collection and key, in characters. With four bytes each, both and the app's name stay
   * below the 2,700 bytes that an entry of a PostgreSQL index holds.
   */
  public static final int NAME_MAX = 256;

  /** Largest value, in bytes: as large as an event's data may be made, and no file store. */
  public static final int VALUE_BYTES_MAX = 1 << 20;

  private KvLimits() {}

  /** What is wrong, naming the field and what it may be; null when nothing is. */
  public static @Nullable String problem(String collection, String key, @Nullable Payload value) {
    String name = nameProblem("collection", collection);
    if (name == null) {
      name = nameProblem("key", key);
    }
    if (name == null && value != null && value.size() > VALUE_BYTES_MAX) {
      return "value has at most %,d bytes, not %,d".formatted(VALUE_BYTES_MAX, value.size());
    }
    return name;
  }

  private static @Nullable String nameProblem(String field, String name) {
    if (name.isEmpty() || name.length() > NAME_MAX) {
      return "%s has 1 to %d characters, not %d".formatted(field, NAME_MAX, name.length());
    }
    if (!isStorable(name)) {
      return field + " must not contain control characters or half of a surrogate pair";
    }
    return null;
  }

  private static boolean isStorable(String name) {
    return name.codePoints()
        .noneMatch(
            point ->
                Character.isISOControl(point)
                    || (point >= Character.MIN_SURROGATE && point <= Character.MAX_SURROGATE));
  }
}
