package dev.viesti.dispatcher.plugin.manifest;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/** The names of one kind of thing, each of which may be given once. */
final class Names {
  private final String kind;
  private final Faults faults;
  private final Map<String, String> paths = new LinkedHashMap<>();

  /**
   * @param kind what they are the names of, for sentences
   */
  Names(String kind, Faults faults) {
    this.kind = kind;
    this.faults = faults;
  }

  /**
   * @param path of what has the name, in its member {@code name}
   */
  void add(String name, String path) {
    String first = paths.putIfAbsent(name, path);
    if (first != null) {
      faults.add(
          path + "/name",
          "there is a %s '%s' already, at %s".formatted(kind, Faults.shown(name), first));
    }
  }

  /** All that were given, also by things that have other faults. */
  Set<String> all() {
    return paths.keySet();
  }

  /** What there is instead of {@code wanted}, for a sentence. */
  String instead(String wanted) {
    return paths.isEmpty()
        ? "; this manifest has no " + kind
        : Nearest.hint(wanted, all()) + "; there are " + Faults.shown(String.join(", ", all()));
  }
}
