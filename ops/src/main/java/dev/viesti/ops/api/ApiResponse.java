package dev.viesti.ops.api;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import dev.viesti.dispatcher.OutcomeNotice;
import dev.viesti.dispatcher.json.Json;
import dev.viesti.protocol.event.Payload;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Predicate;

/**
 * What to send back.
 *
 * @param headers all but {@code Content-Type} and {@code Content-Length}
 */
public record ApiResponse(int status, Map<String, String> headers, Body body) {
  static final String JSON = "application/json";

  /** What follows the headers. */
  public sealed interface Body {}

  /** Nothing. */
  public record Empty() implements Body {}

  /** All of it, now. */
  public record Bytes(String contentType, Payload payload) implements Body {}

  /** Server-sent events until the client goes: the outcomes that fit; see {@link StreamText}. */
  public record Outcomes(Predicate<OutcomeNotice> filter) implements Body {}

  static ApiResponse json(int status, Object value) {
    return new ApiResponse(status, Map.of(), new Bytes(JSON, Payload.of(write(value))));
  }

  /** Bytes of which nobody has said what they are: JSON when they can be read as that. */
  static ApiResponse data(Payload data) {
    String type = isJson(data) ? JSON : "application/octet-stream";
    return new ApiResponse(200, Map.of(), new Bytes(type, data));
  }

  private static boolean isJson(Payload data) {
    try (JsonParser parser = Json.MAPPER.createParser(data.bytes())) {
      if (parser.nextToken() == null) {
        return false;
      }
      parser.skipChildren();
      return parser.nextToken() == null;
    } catch (IOException otherwise) {
      return false;
    }
  }

  static ApiResponse noContent() {
    return new ApiResponse(204, Map.of(), new Empty());
  }

  static ApiResponse bytes(String contentType, byte[] bytes) {
    return new ApiResponse(200, Map.of(), new Bytes(contentType, Payload.of(bytes)));
  }

  ApiResponse with(String header, String value) {
    Map<String, String> more = new LinkedHashMap<>(headers);
    more.put(header, value);
    return new ApiResponse(status, more, body);
  }

  static byte[] write(Object value) {
    try {
      return Json.MAPPER.writeValueAsBytes(value);
    } catch (JsonProcessingException bug) {
      throw new UncheckedIOException("an answer that cannot be written as JSON", bug);
    }
  }
}
