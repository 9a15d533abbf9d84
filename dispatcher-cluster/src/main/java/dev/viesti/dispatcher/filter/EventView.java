package dev.viesti.dispatcher.filter;

import com.fasterxml.jackson.core.JsonProcessingException;
import dev.cel.common.values.NullValue;
import dev.viesti.protocol.event.Event;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * An event as filters see it. Parses {@code data} and the attributes when the first filter asks for
 * them and keeps them for the next one: make one view per event. Not thread-safe.
 */
public final class EventView {
  private final Event event;
  private @Nullable Object data;
  private @Nullable Object attributes;

  private EventView(Event event) {
    this.event = event;
  }

  public static EventView of(Event event) {
    return new EventView(event);
  }

  /** A variable of the language, null when there is none of that name. */
  @Nullable Object variable(String name) {
    return switch (name) {
      case "id" -> event.cloudEventId();
      case "source" -> event.source();
      case "type" -> event.type();
      case "subject" -> event.subject() == null ? "" : event.subject();
      case "time" -> attributes().get("time") instanceof String time ? time : "";
      case "attributes" -> attributes();
      case "data" -> data();
      default -> null;
    };
  }

  private Object data() {
    Object parsed = data;
    if (parsed == null) {
      parsed =
          event.dataBinary() || event.data().isEmpty()
              ? NullValue.NULL_VALUE
              : parse("data", event.data().bytes());
      data = parsed;
    }
    return parsed;
  }

  private Map<?, ?> attributes() {
    Object parsed = attributes;
    if (parsed == null) {
      String text = event.attributes() == null ? "{}" : event.attributes();
      parsed = parse("attributes", text.getBytes(StandardCharsets.UTF_8));
      attributes = parsed;
    }
    if (parsed instanceof Map<?, ?> map) {
      return map;
    }
    throw new UnreadableException("attributes is not a JSON object");
  }

  private static Object parse(String what, byte[] json) {
    try {
      return DataTree.parse(json);
    } catch (JsonProcessingException wrong) {
      throw new UnreadableException(what + " is not JSON: " + wrong.getOriginalMessage());
    }
  }

  /** The event cannot be looked into; becomes {@link FilterResult.Failed}. */
  static final class UnreadableException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    UnreadableException(String message) {
      super(message, null, false, false);
    }
  }
}
