package dev.viesti.protocol.app;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.regex.Pattern;

/** Names one app; also its sharding entity id. 1–64 characters of {@code [a-z0-9-]}. */
public record AppId(@JsonValue String value) implements Comparable<AppId> {
  private static final Pattern SHAPE = Pattern.compile("[a-z0-9-]{1,64}");

  /**
   * @throws IllegalArgumentException if {@code value} has another shape
   */
  @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
  public AppId {
    if (!SHAPE.matcher(value).matches()) {
      throw new IllegalArgumentException(
          "an app id is 1 to 64 characters of a-z, 0-9 and -, not '" + value + "'");
    }
  }

  @Override
  public int compareTo(AppId other) {
    return value.compareTo(other.value);
  }

  @Override
  public String toString() {
    return value;
  }
}
