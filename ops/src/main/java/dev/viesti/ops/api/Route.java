package dev.viesti.ops.api;

import dev.viesti.ops.api.Problem.Kind;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletionStage;

/**
 * One operation of the API.
 *
 * @param template path with parameters in braces, as OpenAPI writes it
 * @param query names of the query parameters; any other is refused, so that a misspelt one is not
 *     silently ignored
 * @param open true when no key is needed
 */
record Route(
    String method, String template, Set<String> query, boolean open, Body body, Handler handler) {

  /** What is done with an admitted request. */
  @FunctionalInterface
  interface Handler {
    CompletionStage<ApiResponse> answer(Call call);
  }

  /** What a route does with a body. */
  @FunctionalInterface
  interface Body {
    /** A route that has no use for one; what comes is read and ignored. */
    Body NONE = head -> Body.JSON_BYTES_MAX;

    /** Settings, triggers and small commands: a filter of 4,096 characters fits many times. */
    int JSON_BYTES_MAX = 64 * 1024;

    /** A JSON object; no {@code Content-Type} at all is taken for JSON. */
    Body JSON =
        head -> {
          String type = head.mediaType();
          if (!type.isEmpty() && !type.equals("application/json") && !type.endsWith("+json")) {
            throw unsupported(head, "application/json");
          }
          return Body.JSON_BYTES_MAX;
        };

    /**
     * @return the largest body in bytes
     * @throws ProblemException when it is not of a kind that the route reads
     */
    int bytesMax(RequestHead head);

    /** The problem 415, naming what would have been right. */
    static ProblemException unsupported(RequestHead head, String expected) {
      String type = head.mediaType().isEmpty() ? "no Content-Type" : head.mediaType();
      return Problem.of(Kind.UNSUPPORTED_MEDIA_TYPE, "send %s, not %s".formatted(expected, type))
          .with("Accept", expected)
          .exception();
    }
  }

  static Route get(String template, Handler handler) {
    return new Route("GET", template, Set.of(), false, Body.NONE, handler);
  }

  static Route put(String template, Handler handler) {
    return new Route("PUT", template, Set.of(), false, Body.JSON, handler);
  }

  static Route post(String template, Handler handler) {
    return new Route("POST", template, Set.of(), false, Body.NONE, handler);
  }

  static Route delete(String template, Handler handler) {
    return new Route("DELETE", template, Set.of(), false, Body.NONE, handler);
  }

  Route query(String... names) {
    return new Route(method, template, Set.of(names), open, body, handler);
  }

  Route body(Body rule) {
    return new Route(method, template, query, open, rule, handler);
  }

  /** The same for callers without a key. */
  Route opened() {
    return new Route(method, template, query, true, body, handler);
  }

  List<String> segments() {
    return Paths.split(template);
  }
}
