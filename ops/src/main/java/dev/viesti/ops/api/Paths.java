package dev.viesti.ops.api;

import dev.viesti.ops.api.Problem.Kind;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Paths and queries taken apart. */
final class Paths {
  private Paths() {}

  /** The segments of a path, not decoded; a slash at the end makes a last, empty one. */
  static List<String> split(String path) {
    List<String> segments = new ArrayList<>();
    int from = 1;
    for (int slash = path.indexOf('/', from); slash >= 0; slash = path.indexOf('/', from)) {
      segments.add(path.substring(from, slash));
      from = slash + 1;
    }
    segments.add(path.substring(Math.min(from, path.length())));
    return segments;
  }

  /** A segment of a request's path with its percent signs resolved; a plus stays a plus. */
  static String decode(String segment) {
    return segment.indexOf('%') < 0 ? segment : percent(segment.replace("+", "%2B"), "path");
  }

  /**
   * The parameters of a query.
   *
   * @throws ProblemException when one comes twice or is not percent-encoded UTF-8
   */
  static Map<String, String> query(@Nullable String query) {
    if (query == null || query.isEmpty()) {
      return Map.of();
    }
    Map<String, String> parameters = new LinkedHashMap<>();
    for (String pair : query.split("&", -1)) {
      if (pair.isEmpty()) {
        continue;
      }
      int equals = pair.indexOf('=');
      String name = percent(equals < 0 ? pair : pair.substring(0, equals), "query");
      String value = equals < 0 ? "" : percent(pair.substring(equals + 1), "query");
      if (parameters.putIfAbsent(name, value) != null) {
        throw Problem.at(Kind.INVALID, "/" + name, "the parameter " + name + " comes twice")
            .exception();
      }
    }
    return parameters;
  }

  private static String percent(String text, String where) {
    try {
      return URLDecoder.decode(text, StandardCharsets.UTF_8);
    } catch (IllegalArgumentException wrong) {
      throw Problem.of(Kind.INVALID, "the " + where + " is not percent-encoded UTF-8").exception();
    }
  }
}
