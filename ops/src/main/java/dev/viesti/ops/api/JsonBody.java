package dev.viesti.ops.api;

import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.viesti.dispatcher.json.Json;
import dev.viesti.ops.api.Problem.Kind;
import dev.viesti.protocol.trigger.Trigger;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Set;

/**
 * Bodies read as one of our records. What is not JSON at all is a 400, what is JSON but wrong is a
 * 422 that names the field.
 */
final class JsonBody {
  /**
   * Members of our answers that say how things are; a PUT may send them back and they are passed
   * over.
   */
  private static final Set<String> READ_ONLY =
      Set.of("id", "revision", "createdAt", "updatedAt", "disabledReason");

  private JsonBody() {}

  /** A body whose members are exactly those of {@code shape}. An empty one is read as {}. */
  static <T> T command(byte[] body, Class<T> shape) {
    return convert(object(body), shape);
  }

  /** A resource as a GET answers it: read-only members are passed over. */
  static <T> T resource(byte[] body, Class<T> shape) {
    ObjectNode object = object(body);
    object.remove(READ_ONLY);
    return convert(object, shape);
  }

  /** As {@link #resource}, and the target is exactly one. */
  static Trigger trigger(byte[] body) {
    ObjectNode object = object(body);
    object.remove(READ_ONLY);
    JsonNode target = object.path("target");
    if (!target.isObject() || target.size() != 1) {
      String detail = "give exactly one target: webhook, plugin, script, handler or log";
      throw Problem.at(Kind.INVALID, "/target", detail).exception();
    }
    return convert(object, Trigger.class);
  }

  /**
   * A JSON object that is kept as it was written.
   *
   * @param pointer of the object in what was sent
   * @return the text
   */
  static String object(byte[] body, String pointer) {
    try {
      if (Json.MAPPER.readTree(body) instanceof ObjectNode) {
        return new String(body, StandardCharsets.UTF_8);
      }
      throw Problem.at(Kind.INVALID, pointer, "this is to be a JSON object").exception();
    } catch (IOException malformed) {
      Problem problem = malformed(malformed);
      throw Problem.at(
              Kind.MALFORMED,
              pointer + problem.errors().getFirst().pointer(),
              problem.detail().replace("the body is", "this is"))
          .exception();
    }
  }

  private static ObjectNode object(byte[] body) {
    if (body.length == 0) {
      return Json.MAPPER.createObjectNode();
    }
    try {
      JsonNode node = Json.MAPPER.readTree(body);
      if (node instanceof ObjectNode object) {
        return object;
      }
      throw Problem.at(Kind.INVALID, "", "the body is a JSON object").exception();
    } catch (IOException malformed) {
      throw malformed(malformed).exception();
    }
  }

  private static Problem malformed(IOException failure) {
    String pointer = "";
    String detail = "the body is not JSON";
    if (failure instanceof JsonProcessingException json) {
      if (json.getProcessor() instanceof JsonParser parser) {
        pointer = parser.getParsingContext().pathAsPointer().toString();
      }
      JsonLocation at = json.getLocation();
      String where =
          at == null ? "" : " (line %d, column %d)".formatted(at.getLineNr(), at.getColumnNr());
      detail += where + ": " + firstLine(json.getOriginalMessage());
    }
    return Problem.at(Kind.MALFORMED, pointer, detail);
  }

  private static String firstLine(String text) {
    int end = text.indexOf('\n');
    return end < 0 ? text : text.substring(0, end);
  }

  private static <T> T convert(ObjectNode object, Class<T> shape) {
    try {
      return Json.MAPPER.treeToValue(object, shape);
    } catch (JsonMappingException wrong) {
      throw JsonFault.of(wrong, object).exception();
    } catch (JsonProcessingException bug) {
      throw new IllegalStateException("a tree that cannot be read", bug);
    }
  }
}
