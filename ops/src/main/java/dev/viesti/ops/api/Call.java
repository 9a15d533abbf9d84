package dev.viesti.ops.api;

import dev.viesti.ops.api.Problem.Kind;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.delivery.DeliveryId;
import dev.viesti.protocol.event.Payload;
import dev.viesti.protocol.plugin.PluginId;
import dev.viesti.protocol.trigger.TriggerId;
import java.util.Map;
import java.util.UUID;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A whole request, admitted. Its readers throw {@link ProblemException} (422) when a parameter is
 * wrong.
 *
 * @param path parameters in the path
 * @param query parameters after the question mark
 * @param principal whose key it came with; {@code anonymous} on routes that need none
 */
record Call(
    RequestHead head,
    Map<String, String> path,
    Map<String, String> query,
    String principal,
    Payload body) {
  private static final int LIMIT_DEFAULT = 100;

  /** A page of this many dead letters with full events is some hundred MiB at worst. */
  private static final int LIMIT_MAX = 1_000;

  /** Longer ones are not the canonical form, which {@link UUID#fromString} alone would accept. */
  private static final Pattern UUID_SHAPE =
      Pattern.compile("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}");

  private static final Pattern ETAG = Pattern.compile("\"(\\d{1,18})\"");

  AppId app() {
    return inPath("app", AppId::new);
  }

  TriggerId trigger() {
    return inPath("trigger", TriggerId::new);
  }

  PluginId plugin() {
    return inPath("plugin", PluginId::new);
  }

  /** A parameter of the path as it stands there. */
  String text(String name) {
    return inPath(name, text -> text);
  }

  DeliveryId delivery() {
    return new DeliveryId(uuid());
  }

  /** The parameter {@code id} of the path. */
  UUID uuid() {
    return inPath("id", Call::parseUuid);
  }

  static UUID parseUuid(String text) {
    if (!UUID_SHAPE.matcher(text).matches()) {
      throw new IllegalArgumentException("an id is a UUID, not '" + text + "'");
    }
    return UUID.fromString(text);
  }

  /** The query's {@code app}; null when it is not there. */
  @Nullable AppId appFilter() {
    return inQuery("app", AppId::new);
  }

  /** The query's {@code trigger}; null when it is not there. */
  @Nullable TriggerId triggerFilter() {
    return inQuery("trigger", TriggerId::new);
  }

  /** A query parameter that is {@code true} or {@code false}; null when it is not there. */
  @Nullable Boolean flag(String name) {
    return inQuery(
        name,
        text ->
            switch (text) {
              case "true" -> true;
              case "false" -> false;
              default ->
                  throw new IllegalArgumentException(
                      name + " is true or false, not '" + text + "'");
            });
  }

  int limit() {
    Integer limit = inQuery("limit", Call::parseLimit);
    return limit == null ? LIMIT_DEFAULT : limit;
  }

  <T> @Nullable T cursor(Function<String, T> reader) {
    return inQuery("cursor", reader);
  }

  /**
   * The revision that the sender expects: {@code If-Match: "<revision>"}, or 0 for {@code
   * If-None-Match: *}; null when it has no opinion.
   */
  @Nullable Long expectedRevision() {
    String match = head.headers().get("if-match");
    if (match != null) {
      Matcher etag = ETAG.matcher(match.strip());
      if (!etag.matches()) {
        throw Problem.at(Kind.INVALID, "/If-Match", "If-Match is one ETag as a GET answers it")
            .exception();
      }
      return Long.valueOf(etag.group(1));
    }
    String noneMatch = head.headers().get("if-none-match");
    if (noneMatch != null && !noneMatch.strip().equals("*")) {
      throw Problem.at(Kind.INVALID, "/If-None-Match", "a change understands If-None-Match: * only")
          .exception();
    }
    return noneMatch == null ? null : 0L;
  }

  static String etag(long revision) {
    return "\"" + revision + "\"";
  }

  private static int parseLimit(String text) {
    try {
      int limit = Integer.parseInt(text);
      if (limit >= 1 && limit <= LIMIT_MAX) {
        return limit;
      }
    } catch (NumberFormatException notANumber) {
      // falls through to the one message
    }
    throw new IllegalArgumentException("limit is 1 to " + LIMIT_MAX + ", not '" + text + "'");
  }

  private <T> T inPath(String name, Function<String, T> reader) {
    String text = path.get(name);
    if (text == null) {
      throw new IllegalStateException("the route has no parameter " + name);
    }
    return read(name, text, reader);
  }

  private <T> @Nullable T inQuery(String name, Function<String, T> reader) {
    String text = query.get(name);
    return text == null ? null : read(name, text, reader);
  }

  private static <T> T read(String name, String text, Function<String, T> reader) {
    try {
      return reader.apply(text);
    } catch (IllegalArgumentException wrong) {
      String detail = String.valueOf(wrong.getMessage());
      throw Problem.at(Kind.INVALID, "/" + name, detail).exception();
    }
  }
}
