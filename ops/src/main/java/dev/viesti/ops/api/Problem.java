package dev.viesti.ops.api;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.viesti.dispatcher.json.Json;
import dev.viesti.protocol.event.Payload;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Why a request was not served, as <a href="https://www.rfc-editor.org/rfc/rfc9457">RFC 9457</a>
 * writes it.
 *
 * @param detail one sentence for people
 * @param errors which fields are wrong; empty when it is not about fields
 * @param headers to be sent along
 * @param call how the call of a plugin ended that this is about; null when it is about none
 */
record Problem(
    Kind kind,
    String detail,
    List<FieldError> errors,
    Map<String, String> headers,
    @Nullable FailedCall call) {
  static final String MEDIA_TYPE = "application/problem+json";
  private static final String TYPE_BASE = "https://viesti.dev/problems/";

  /**
   * @param pointer JSON Pointer into the body; {@code /name} for a parameter of path or query
   */
  record FieldError(String pointer, String detail) {}

  /**
   * @param kind a word that programs can tell apart
   * @param message what the plugin, or the sandbox, says of it
   */
  record FailedCall(String kind, String message) {}

  /** All the problems there are; slugs and statuses are part of the API. */
  enum Kind {
    MALFORMED(400, "malformed-body", "The body cannot be read", false),
    UNAUTHORIZED(401, "unauthorized", "A valid key is needed", false),
    NOT_FOUND(404, "not-found", "There is no such thing", false),
    METHOD_NOT_ALLOWED(405, "method-not-allowed", "Not with this method", false),
    CONFLICT(409, "conflict", "Not in the state that it is in", false),
    PRECONDITION_FAILED(412, "precondition-failed", "It has changed meanwhile", false),
    TOO_LARGE(413, "too-large", "The body is over a limit", false),
    UNSUPPORTED_MEDIA_TYPE(415, "unsupported-media-type", "Not this kind of body", false),
    INVALID(422, "invalid", "A value is wrong", false),
    PLUGIN_ERROR(422, "plugin-error", "The plugin has refused", false),
    PLUGIN_INIT_FAILED(422, "plugin-init-failed", "The plugin could not be initialized", false),
    PLUGIN_TRAP(422, "plugin-trap", "The plugin was stopped", false),
    PLUGIN_FUEL(422, "plugin-fuel", "The plugin has used up its fuel", false),
    PLUGIN_CONFLICT(409, "plugin-conflict", "What the plugin had read has changed", true),
    PLUGIN_TIMEOUT(504, "plugin-timeout", "The plugin took too long", true),
    INTERNAL(500, "internal", "A mistake in Viesti", true),
    UNAVAILABLE(503, "unavailable", "Not now", true);

    private final int status;
    private final String slug;
    private final String title;
    private final boolean retryable;

    Kind(int status, String slug, String title, boolean retryable) {
      this.status = status;
      this.slug = slug;
      this.title = title;
      this.retryable = retryable;
    }

    int status() {
      return status;
    }
  }

  static Problem of(Kind kind, String detail) {
    return new Problem(kind, detail, List.of(), Map.of(), null);
  }

  static Problem at(Kind kind, String pointer, String detail) {
    return new Problem(kind, detail, List.of(new FieldError(pointer, detail)), Map.of(), null);
  }

  /** Several things are wrong. */
  static Problem of(Kind kind, String detail, List<FieldError> errors) {
    return new Problem(kind, detail, List.copyOf(errors), Map.of(), null);
  }

  static Problem of(Kind kind, String detail, FailedCall call) {
    return new Problem(kind, detail, List.of(), Map.of(), call);
  }

  Problem with(String header, String value) {
    return new Problem(kind, detail, errors, Map.of(header, value), call);
  }

  ProblemException exception() {
    return new ProblemException(this);
  }

  ApiResponse response(String requestId) {
    ObjectNode body = Json.MAPPER.createObjectNode();
    body.put("type", TYPE_BASE + kind.slug);
    body.put("title", kind.title);
    body.put("status", kind.status);
    body.put("detail", detail);
    body.put("instance", "urn:viesti:request:" + requestId);
    ArrayNode list = body.putArray("errors");
    for (FieldError error : errors) {
      list.addObject().put("pointer", error.pointer()).put("detail", error.detail());
    }
    body.put("retryable", kind.retryable);
    if (call != null) {
      body.putObject("call").put("kind", call.kind()).put("message", call.message());
    }
    return new ApiResponse(
        kind.status,
        headers,
        new ApiResponse.Bytes(MEDIA_TYPE, Payload.of(ApiResponse.write(body))));
  }
}
