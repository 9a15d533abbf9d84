package dev.viesti.dispatcher.outbox;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.viesti.dispatcher.json.Json;
import dev.viesti.protocol.delivery.Outcome;
import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * The failed attempts of a delivery as a JSON array in its row, newest last: {@code
 * [{"attempt":1,"at":"…","durationMs":12,"outcome":"retryable","error":"…","status":500,"body":"…"}]}.
 * Bounded: the newest {@value #ENTRIES_MAX}, and only the newest keeps its whole error and body.
 */
final class AttemptLog {
  private static final int ENTRIES_MAX = 20;
  private static final int OLD_TEXT_MAX = 200;
  private static final int ERROR_MAX = 2_000;
  private static final String CRASHED = new Outcome.Crashed().word();

  private AttemptLog() {}

  static String append(
      @Nullable String log, int attempt, Instant startedAt, Instant endedAt, Outcome outcome) {
    ArrayNode entries = read(log);
    for (JsonNode entry : entries) {
      cut((ObjectNode) entry, "error");
      cut((ObjectNode) entry, "body");
    }
    while (entries.size() >= ENTRIES_MAX) {
      entries.remove(0);
    }
    ObjectNode entry = entries.addObject();
    entry.put("attempt", attempt);
    entry.put("at", startedAt.toString());
    entry.put("durationMs", Duration.between(startedAt, endedAt).toMillis());
    entry.put("outcome", outcome.word());
    switch (outcome) {
      case Outcome.Succeeded(var response) -> respond(entry, response);
      case Outcome.Retryable(var reason, var wish, var response) -> {
        entry.put("error", shortened(reason, ERROR_MAX));
        respond(entry, response);
      }
      case Outcome.Permanent(var reason, var disables, var response) -> {
        entry.put("error", shortened(reason, ERROR_MAX));
        respond(entry, response);
      }
      case Outcome.Postponed(var reason, var by) ->
          entry.put("error", shortened(reason, ERROR_MAX));
      case Outcome.Snoozed snoozed -> {}
      case Outcome.Deferred deferred -> {}
      case Outcome.Crashed crashed -> entry.put("error", Outcome.Crashed.REASON);
      case Outcome.TimedOut(var after) ->
          entry.put("error", "timed out after " + after.toMillis() + " ms");
    }
    return entries.toString();
  }

  /** How many attempts ended with the node going away; 0 for nearly all rows, at no cost. */
  static int crashes(@Nullable String log) {
    if (log == null || !log.contains(CRASHED)) {
      return 0;
    }
    int crashes = 0;
    for (JsonNode entry : read(log)) {
      crashes += CRASHED.equals(entry.path("outcome").textValue()) ? 1 : 0;
    }
    return crashes;
  }

  private static void respond(ObjectNode entry, Outcome.@Nullable Response response) {
    if (response != null) {
      entry.put("status", response.status());
      entry.put("body", response.body());
    }
  }

  private static ArrayNode read(@Nullable String log) {
    if (log != null) {
      try {
        if (Json.MAPPER.readTree(log) instanceof ArrayNode entries) {
          return entries;
        }
      } catch (JsonProcessingException foreign) {
        return Json.MAPPER.createArrayNode(); // somebody edited the row: start anew
      }
    }
    return Json.MAPPER.createArrayNode();
  }

  private static void cut(ObjectNode entry, String field) {
    JsonNode text = entry.get(field);
    if (text != null && text.isTextual()) {
      entry.put(field, shortened(text.textValue(), OLD_TEXT_MAX));
    }
  }

  private static String shortened(String text, int max) {
    return text.length() <= max ? text : text.substring(0, max);
  }
}
