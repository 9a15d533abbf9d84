package dev.viesti.protocol.trigger;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.regex.Pattern;

/** Names a trigger inside its app. 1–64 characters of {@code [a-z0-9-]}. */
public record TriggerId(@JsonValue String value) implements Comparable<TriggerId> {
  private static final Pattern SHAPE = Pattern.compile("[a-z0-9-]{1,64}");

  /**
   * @throws IllegalArgumentException if {@code value} has another shape
   */
  @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
  public TriggerId {
    if (!SHAPE.matcher(value).matches()) {
      throw new IllegalArgumentException(
          "a trigger id is 1 to 64 characters of a-z, 0-9 and -, not '" + value + "'");
    }
  }

  @Override
  public int compareTo(TriggerId other) {
    return value.compareTo(other.value);
  }

  @Override
  public String toString() {
    return value;
  }
}
