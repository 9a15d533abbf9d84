package dev.viesti.dispatcher.cloudevents;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import dev.viesti.protocol.event.Event;
import dev.viesti.protocol.event.Payload;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.UUID;
import java.util.function.Supplier;

/**
 * The <a
 * href="https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md">JSON
 * event format</a>, single and batched.
 */
final class StructuredReader {
  private final Supplier<UUID> freshIds;

  StructuredReader(Supplier<UUID> freshIds) {
    this.freshIds = freshIds;
  }

  Event one(byte[] body) {
    return reading(
        body,
        parser -> {
          if (parser.nextToken() != JsonToken.START_OBJECT) {
            throw new MalformedEventException("", "one CloudEvent is a JSON object: {…}");
          }
          return event(parser, body, "");
        });
  }

  List<Event> batch(byte[] body, int eventsMax, int eventBytesMax) {
    return reading(
        body,
        parser -> {
          if (parser.nextToken() != JsonToken.START_ARRAY) {
            throw new MalformedEventException("", "a batch is a JSON array of CloudEvents: [{…}]");
          }
          List<Event> events = new ArrayList<>();
          while (parser.nextToken() != JsonToken.END_ARRAY) {
            events.add(element(parser, body, events.size(), eventsMax, eventBytesMax));
          }
          return events;
        });
  }

  private Event element(JsonParser parser, byte[] body, int index, int eventsMax, int eventBytesMax)
      throws IOException {
    if (index == eventsMax) {
      throw new TooLargeException("", "a batch has at most " + eventsMax + " events: split it");
    }
    String at = "/" + index;
    if (parser.currentToken() != JsonToken.START_OBJECT) {
      throw new MalformedEventException(at, "a CloudEvent is a JSON object: {…}");
    }
    long start = parser.currentTokenLocation().getByteOffset();
    Event event = event(parser, body, at);
    long bytes = parser.currentLocation().getByteOffset() - start;
    if (bytes > eventBytesMax) {
      throw new TooLargeException(
          at,
          "an event has at most "
              + eventBytesMax
              + " bytes, not "
              + bytes
              + ": store the data elsewhere and send a link");
    }
    return event;
  }

  /** Reads to the end of the object whose start is the current token. */
  private Event event(JsonParser parser, byte[] body, String at) throws IOException {
    Draft draft = new Draft(at);
    boolean hasData = false;
    while (parser.nextToken() != JsonToken.END_OBJECT) {
      String name = parser.currentName();
      JsonToken value = parser.nextToken();
      if (name.equals("data") || name.equals("data_base64")) {
        if (value != JsonToken.VALUE_NULL) {
          if (hasData) {
            throw draft.error(name, "data and data_base64 exclude each other: send one of them");
          }
          hasData = true;
          if (name.equals("data")) {
            draft.data(Payload.of(bytesOfValue(parser, body)), false);
          } else {
            draft.data(Payload.of(decoded(parser, draft)), true);
          }
        }
      } else {
        attribute(parser, draft, name, value);
      }
    }
    return draft.event(freshIds);
  }

  private static void attribute(JsonParser parser, Draft draft, String name, JsonToken value)
      throws IOException {
    if (!Draft.isName(name)) {
      throw draft.error(
          name,
          "names of CloudEvents attributes have only a-z and 0-9: rename it or move it to data");
    }
    switch (value) {
      case VALUE_STRING -> draft.text(name, parser.getText());
      case VALUE_TRUE -> draft.scalar(name, true);
      case VALUE_FALSE -> draft.scalar(name, false);
      case VALUE_NUMBER_INT -> {
        if (parser.getNumberType() != JsonParser.NumberType.INT) {
          throw draft.error(name, "a number in an attribute has 32 bits: send it as a string");
        }
        draft.scalar(name, parser.getIntValue());
      }
      case VALUE_NULL -> {
        // The format lets a sender write null for an attribute that it leaves out.
      }
      default ->
          throw draft.error(
              name, "an attribute is a string, a boolean or an integer: move this to data");
    }
  }

  /** The bytes of the current value as they stand in {@code body}, and moves to its end. */
  private static byte[] bytesOfValue(JsonParser parser, byte[] body) throws IOException {
    int start = Math.toIntExact(parser.currentTokenLocation().getByteOffset());
    if (parser.currentToken().isStructStart()) {
      parser.skipChildren();
    } else {
      parser.finishToken(); // strings and numbers are read lazily
    }
    int end = Math.toIntExact(parser.currentLocation().getByteOffset());
    return Arrays.copyOfRange(body, start, end);
  }

  private static byte[] decoded(JsonParser parser, Draft draft) throws IOException {
    if (parser.currentToken() == JsonToken.VALUE_STRING) {
      try {
        return Base64.getDecoder().decode(parser.getText());
      } catch (IllegalArgumentException notBase64) {
        // falls through to the one message
      }
    }
    throw draft.error("data_base64", "data_base64 is a string of base64 (RFC 4648, section 4)");
  }

  @FunctionalInterface
  private interface Reading<T> {
    T read(JsonParser parser) throws IOException;
  }

  private static <T> T reading(byte[] body, Reading<T> reading) {
    try (JsonParser parser = StrictJson.parser(body)) {
      try {
        T read = reading.read(parser);
        if (parser.nextToken() != null) {
          throw new MalformedEventException("", "nothing may follow the JSON value");
        }
        return read;
      } catch (JsonProcessingException wrong) {
        throw StrictJson.malformed(parser, wrong);
      }
    } catch (IOException impossible) {
      throw new UncheckedIOException("an array cannot fail to be read", impossible);
    }
  }
}
