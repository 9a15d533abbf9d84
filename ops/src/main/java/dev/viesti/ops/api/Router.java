package dev.viesti.ops.api;

import dev.viesti.ops.api.Problem.Kind;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Finds the route of a request. A parameter never holds a colon: what follows one is a verb. But
 * for the names of values, which are their owners' to choose.
 */
final class Router {
  private record Entry(Route route, List<String> segments) {}

  /** A route and what stands in its path for each parameter. */
  record Match(Route route, Map<String, String> parameters) {}

  private static final Set<String> FREE = Set.of("collection", "key");

  private final List<Entry> entries;

  Router(List<Route> routes) {
    this.entries = routes.stream().map(route -> new Entry(route, route.segments())).toList();
  }

  List<Route> routes() {
    return entries.stream().map(Entry::route).toList();
  }

  /**
   * @throws ProblemException 404 when no route has this path, 405 when none has it with this method
   */
  Match match(RequestHead head) {
    List<String> segments = Paths.split(head.path()).stream().map(Paths::decode).toList();
    String method = head.method().equals("HEAD") ? "GET" : head.method();
    TreeSet<String> allowed = new TreeSet<>();
    for (Entry entry : entries) {
      Map<String, String> parameters = parameters(entry.segments(), segments);
      if (parameters != null && entry.route().method().equals(method)) {
        return new Match(entry.route(), parameters);
      }
      if (parameters != null) {
        allowed.add(entry.route().method());
      }
    }
    if (allowed.isEmpty()) {
      String detail = "nothing is served at this path; /v1/openapi.yaml lists what there is";
      throw Problem.of(Kind.NOT_FOUND, detail).exception();
    }
    String allow = String.join(", ", allowed);
    throw Problem.of(Kind.METHOD_NOT_ALLOWED, "this path answers to " + allow)
        .with("Allow", allow)
        .exception();
  }

  private static @Nullable Map<String, String> parameters(
      List<String> template, List<String> path) {
    if (template.size() != path.size()) {
      return null;
    }
    Map<String, String> parameters = new LinkedHashMap<>();
    for (int i = 0; i < path.size(); i++) {
      String pattern = template.get(i);
      String segment = path.get(i);
      if (!pattern.startsWith("{")) {
        if (!pattern.equals(segment)) {
          return null;
        }
        continue;
      }
      int brace = pattern.indexOf('}');
      String verb = pattern.substring(brace + 1);
      if (!segment.endsWith(verb)) {
        return null;
      }
      String value = segment.substring(0, segment.length() - verb.length());
      String name = pattern.substring(1, brace);
      if (value.isEmpty() || (value.indexOf(':') >= 0 && !FREE.contains(name))) {
        return null;
      }
      parameters.put(name, value);
    }
    return parameters;
  }
}
