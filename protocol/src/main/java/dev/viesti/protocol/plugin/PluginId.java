package dev.viesti.protocol.plugin;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.regex.Pattern;

/** Names a plugin inside its app. 1–56 characters of {@code [a-z0-9-]}, the first a letter. */
public record PluginId(@JsonValue String value) implements Comparable<PluginId> {
  /** Shorter than a trigger's id, by the prefix of the trigger that a plugin brings along. */
  private static final Pattern SHAPE = Pattern.compile("[a-z][a-z0-9-]{0,55}");

  /**
   * @throws IllegalArgumentException if {@code value} has another shape
   */
  @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
  public PluginId {
    if (!SHAPE.matcher(value).matches()) {
      throw new IllegalArgumentException(
          "a plugin id is 1 to 56 characters of a-z, 0-9 and -, beginning with a letter, not '"
              + value
              + "'");
    }
  }

  @Override
  public int compareTo(PluginId other) {
    return value.compareTo(other.value);
  }

  @Override
  public String toString() {
    return value;
  }
}
