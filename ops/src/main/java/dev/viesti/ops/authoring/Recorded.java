package dev.viesti.ops.authoring;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.viesti.dispatcher.cloudevents.CloudEvents;
import dev.viesti.dispatcher.cloudevents.MalformedEventException;
import dev.viesti.ops.cli.client.ClientJson;
import dev.viesti.protocol.event.Event;
import dev.viesti.protocol.event.Payload;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A line of recorded input: an event or a function to be called, and what shall come of it.
 *
 * @param where file and line, for people
 * @param at when it was recorded; null when it does not say
 * @param expect null when it does not say
 */
record Recorded(String where, Input input, @Nullable Instant at, @Nullable Expectation expect) {
  /** What is given to the plugin. */
  sealed interface Input {
    /** In one word or two. */
    String name();

    record OfEvent(Event event) implements Input {
      @Override
      public String name() {
        return event.type();
      }
    }

    record OfCall(String function, Payload payload) implements Input {
      @Override
      public String name() {
        return "invoke " + function;
      }
    }
  }

  private static final JsonMapper MAPPER = ClientJson.MAPPER;
  private static final String EVENT = "event";
  private static final String INVOKE = "invoke";
  private static final String PAYLOAD = "payload";
  private static final String EXPECT = "expect";

  /**
   * @param github whether lines may be {@code {"event": "issues", "payload": {…}}}, as GitHub
   *     delivers them
   * @throws AuthoringException naming the line that is wrong
   */
  static List<Recorded> read(Path file, boolean github) throws AuthoringException, IOException {
    List<Recorded> all = new ArrayList<>();
    int number = 0;
    for (String line : lines(file)) {
      number++;
      if (!line.isBlank()) {
        all.add(parse(file + ":" + number, line, github));
      }
    }
    if (all.isEmpty()) {
      throw new AuthoringException(file + " holds no event");
    }
    return all;
  }

  private static List<String> lines(Path file) throws AuthoringException, IOException {
    try {
      return Files.readAllLines(file, StandardCharsets.UTF_8);
    } catch (CharacterCodingException wrong) {
      throw new AuthoringException(file + " is not UTF-8");
    }
  }

  private static Recorded parse(String where, String line, boolean github)
      throws AuthoringException {
    try {
      if (!(MAPPER.readTree(line) instanceof ObjectNode object)) {
        throw new AuthoringException(where + ": not a JSON object");
      }
      Expectation expect = Expectation.of(object.remove(EXPECT), where);
      if (object.path(INVOKE).isTextual()) {
        String payload = object.has(PAYLOAD) ? object.path(PAYLOAD).toString() : "";
        var call = new Input.OfCall(object.path(INVOKE).asText(), Payload.ofJson(payload));
        return new Recorded(where, call, time(object, where), expect);
      }
      JsonNode event = object.path(EVENT);
      if (event.isTextual()) {
        event = ofGithub(object, where, github);
      } else if (!event.isObject()) {
        event = object;
      }
      byte[] structured = MAPPER.writeValueAsBytes(event);
      var parsed = CloudEvents.withSystemIds().parseStructured(structured);
      return new Recorded(where, new Input.OfEvent(parsed), time(event, where), expect);
    } catch (JsonProcessingException malformed) {
      throw new AuthoringException(where + ": not JSON: " + malformed.getOriginalMessage());
    } catch (MalformedEventException wrong) {
      throw new AuthoringException(where + ": no CloudEvent: " + wrong.getMessage());
    }
  }

  private static JsonNode ofGithub(ObjectNode line, String where, boolean github)
      throws AuthoringException {
    if (!github) {
      throw new AuthoringException(
          where + ": 'event' is a text, as in what GitHub delivers: give --github to read it");
    }
    JsonNode payload = line.path(PAYLOAD);
    String action = payload.path("action").asText("");
    ObjectNode event = MAPPER.createObjectNode();
    event.put("specversion", "1.0");
    event.put("source", "github");
    event.put(
        "type", "github." + line.path(EVENT).asText() + (action.isEmpty() ? "" : "." + action));
    String repository = payload.at("/repository/full_name").asText("");
    if (!repository.isEmpty()) {
      event.put("subject", repository);
    }
    event.set("data", payload);
    return event;
  }

  private static @Nullable Instant time(JsonNode event, String where) throws AuthoringException {
    JsonNode time = event.path("time");
    if (!time.isTextual()) {
      return null;
    }
    try {
      return OffsetDateTime.parse(time.asText()).toInstant();
    } catch (DateTimeParseException wrong) {
      throw new AuthoringException(where + ": 'time' is no time of RFC 3339: " + time.asText());
    }
  }
}
