package dev.viesti.ops.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.TextNode;
import com.fasterxml.uuid.Generators;
import com.fasterxml.uuid.NoArgGenerator;
import dev.viesti.ops.cli.client.ClientJson;
import org.jspecify.annotations.Nullable;

/**
 * One line of input, made a CloudEvent. What the line holds is passed on byte for byte; only what
 * it lacks is put in front.
 *
 * @param number 1-based
 */
record EventLine(long number, String json) {
  /** Time-ordered ids; thread-safe. */
  private static final NoArgGenerator IDS = Generators.timeBasedEpochGenerator();

  /** Viesti's extension attribute: no delivery starts before. */
  private static final String DELIVER_AT = "deliverat";

  /** Why a line cannot be sent. */
  static final class BadLineException extends Exception {
    private static final long serialVersionUID = 1L;

    BadLineException(String reason) {
      super(reason, null, false, false);
    }

    String reason() {
      return String.valueOf(getMessage());
    }
  }

  /** For lines that name none. */
  record Defaults(
      @Nullable String source,
      @Nullable String type,
      @Nullable String subject,
      @Nullable String deliverAt) {}

  static EventLine parse(long number, String text, Defaults defaults) throws BadLineException {
    JsonNode event;
    try {
      event = ClientJson.MAPPER.readTree(text);
    } catch (JsonProcessingException malformed) {
      throw new BadLineException("not JSON: " + malformed.getOriginalMessage());
    }
    if (!event.isObject()) {
      throw new BadLineException("not a JSON object");
    }
    var missing = new StringBuilder();
    addMissing(missing, event, "specversion", "1.0");
    // Without an id the server could not tell a repeated request from a second event.
    addMissing(missing, event, "id", event.has("id") ? "" : IDS.generate().toString());
    if (!event.has(DELIVER_AT) && defaults.deliverAt() != null) {
      addMissing(missing, event, DELIVER_AT, defaults.deliverAt());
    }
    addMissing(missing, event, "source", defaults.source());
    addMissing(missing, event, "type", defaults.type());
    if (!event.has("subject") && defaults.subject() != null) {
      addMissing(missing, event, "subject", defaults.subject());
    }
    if (missing.isEmpty()) {
      return new EventLine(number, text);
    }
    if (event.isEmpty()) {
      missing.setLength(missing.length() - 1);
    }
    int brace = text.indexOf('{');
    return new EventLine(number, "{" + missing + text.substring(brace + 1));
  }

  private static void addMissing(
      StringBuilder missing, JsonNode event, String attribute, @Nullable String value)
      throws BadLineException {
    if (event.has(attribute)) {
      if (!event.path(attribute).isTextual() || event.path(attribute).asText().isEmpty()) {
        throw new BadLineException("'" + attribute + "' must be a text that is not empty");
      }
      return;
    }
    if (value == null) {
      throw new BadLineException(
          "no '" + attribute + "': write it in the line, or give --" + attribute);
    }
    missing.append('"').append(attribute).append("\":").append(new TextNode(value)).append(',');
  }
}
