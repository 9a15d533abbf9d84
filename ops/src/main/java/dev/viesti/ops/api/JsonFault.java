package dev.viesti.ops.api;

import com.fasterxml.jackson.core.JsonPointer;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.exc.InvalidFormatException;
import com.fasterxml.jackson.databind.exc.InvalidTypeIdException;
import com.fasterxml.jackson.databind.exc.MismatchedInputException;
import com.fasterxml.jackson.databind.exc.UnrecognizedPropertyException;
import dev.viesti.dispatcher.json.Json;
import dev.viesti.ops.api.Problem.Kind;
import java.net.URI;
import java.net.URISyntaxException;
import java.time.Duration;
import java.util.Arrays;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Says in our words what Jackson found wrong with a body, and where. */
final class JsonFault {
  /**
   * Our records begin their sentences with the field that is wrong: {@code cap}, {@code rate.per}.
   */
  private static final Pattern FIELD =
      Pattern.compile("(?:the pattern for )?(\\w+)(?:\\.(\\w+))?\\b.*");

  /** How Jackson begins; it has no type of its own for this. */
  private static final String MISSING = "Missing required creator property";

  private static final JsonPointer TARGET = JsonPointer.compile("/target");

  private JsonFault() {}

  static Problem of(JsonMappingException fault, JsonNode body) {
    JsonPointer pointer = withTargetKind(pointer(fault), body, fault);
    String sentence = ownSentence(fault);
    if (sentence != null) {
      return Problem.at(Kind.INVALID, refine(pointer, sentence, body).toString(), sentence);
    }
    return Problem.at(Kind.INVALID, pointer.toString(), sentence(fault));
  }

  private static JsonPointer pointer(JsonMappingException fault) {
    JsonPointer pointer = JsonPointer.empty();
    for (JsonMappingException.Reference step : fault.getPath()) {
      pointer =
          step.getFieldName() == null
              ? pointer.appendIndex(Math.max(0, step.getIndex()))
              : pointer.appendProperty(step.getFieldName());
    }
    return pointer;
  }

  /** Jackson's path leaves out the member that names a target's kind. */
  private static JsonPointer withTargetKind(
      JsonPointer pointer, JsonNode body, JsonMappingException fault) {
    JsonNode kinds = body.path("target");
    if (!pointer.matchesProperty("target")
        || fault instanceof InvalidTypeIdException
        || kinds.size() != 1) {
      return pointer;
    }
    return TARGET.appendProperty(kinds.fieldNames().next()).append(pointer.tail());
  }

  /** The message of the record that refused its values; null when it was not a record. */
  private static @Nullable String ownSentence(Throwable fault) {
    for (Throwable cause = fault.getCause(); cause != null; cause = cause.getCause()) {
      if (cause.getClass() == IllegalArgumentException.class
          && !(cause.getCause() instanceof URISyntaxException)) {
        return cause.getMessage();
      }
    }
    return null;
  }

  /** Jackson knows which object was refused; the sentence's first word often says which member. */
  private static JsonPointer refine(JsonPointer pointer, String sentence, JsonNode body) {
    Matcher first = FIELD.matcher(sentence);
    if (!first.matches()) {
      return pointer;
    }
    String field = first.group(1);
    String below = first.group(2);
    if (below != null && pointer.last() != null && pointer.last().matchesProperty(field)) {
      field = below; // the object itself was refused
    }
    JsonNode object = body.at(pointer);
    boolean names =
        object.has(field) || (object.isObject() && sentence.startsWith(field + " is missing"));
    return names ? pointer.appendProperty(field) : pointer;
  }

  private static String sentence(JsonMappingException fault) {
    return switch (fault) {
      case UnrecognizedPropertyException unknown -> unknownMember(unknown);
      case InvalidTypeIdException kind ->
          "there is no target '"
              + kind.getTypeId()
              + "': give one of webhook, plugin, script, handler, log";
      case InvalidFormatException format -> format(format);
      case MismatchedInputException missing when missing.getOriginalMessage().startsWith(MISSING) ->
          missing.getPath().getLast().getFieldName() + " is missing";
      case MismatchedInputException other when other.getTargetType() != null ->
          "must be " + inWords(other.getTargetType());
      default -> firstSentence(fault.getOriginalMessage());
    };
  }

  private static String unknownMember(UnrecognizedPropertyException unknown) {
    String known =
        unknown.getKnownPropertyIds().stream()
            .map(String::valueOf)
            .sorted()
            .collect(Collectors.joining(", "));
    return "there is no member '%s' here%s"
        .formatted(unknown.getPropertyName(), known.isEmpty() ? "" : "; there are " + known);
  }

  private static String format(InvalidFormatException fault) {
    Class<?> type = fault.getTargetType();
    String value = String.valueOf(fault.getValue());
    if (type != null && type.isEnum()) {
      String words =
          Arrays.stream(type.getEnumConstants())
              .map(word -> Json.MAPPER.convertValue(word, String.class))
              .collect(Collectors.joining(", "));
      return "must be one of " + words + ", not '" + value + "'";
    }
    String message = fault.getOriginalMessage();
    int reason = message.lastIndexOf("\": ");
    if (type == Duration.class && reason >= 0) {
      return message.substring(reason + 3);
    }
    return "must be %s, not '%s'".formatted(inWords(type), value);
  }

  private static String inWords(@Nullable Class<?> type) {
    if (type == null) {
      return "something else";
    }
    if (type == int.class || type == Integer.class || type == long.class || type == Long.class) {
      return "a whole number";
    }
    if (type == double.class || type == Double.class) {
      return "a number";
    }
    if (type == boolean.class || type == Boolean.class) {
      return "true or false";
    }
    if (type == String.class || type.isEnum()) {
      return "a text";
    }
    if (type == Duration.class) {
      return "a duration such as \"30s\"";
    }
    return type == URI.class ? "an absolute URL" : "an object";
  }

  private static String firstSentence(String message) {
    int end = message.indexOf('\n');
    return end < 0 ? message : message.substring(0, end);
  }
}
