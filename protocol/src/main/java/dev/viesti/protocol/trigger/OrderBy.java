package dev.viesti.protocol.trigger;

import com.fasterxml.jackson.annotation.JsonProperty;
import dev.viesti.protocol.event.Event;
import org.jspecify.annotations.Nullable;

/** Which attribute of an event is its ordering key. Events without it are not ordered. */
public enum OrderBy {
  @JsonProperty("subject")
  SUBJECT,
  @JsonProperty("source")
  SOURCE,
  @JsonProperty("type")
  TYPE;

  /** The ordering key of {@code event}; null when it has none. */
  public @Nullable String keyOf(Event event) {
    return switch (this) {
      case SUBJECT -> event.subject();
      case SOURCE -> event.source();
      case TYPE -> event.type();
    };
  }
}
