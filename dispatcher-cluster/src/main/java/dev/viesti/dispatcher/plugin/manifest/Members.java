package dev.viesti.dispatcher.plugin.manifest;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The members of one object of a manifest, asked for one by one. What is wrong goes to {@link
 * Faults}, and the asker gets what it would get if the member were missing. A member that is null
 * is missing.
 */
final class Members {
  /** No text of a manifest is longer, whatever its own bound. */
  private static final int TEXT_MAX = 2_048;

  private final ObjectNode node;
  private final String path;
  private final Faults faults;

  private Members(ObjectNode node, String path, Faults faults) {
    this.node = node;
    this.path = path;
    this.faults = faults;
  }

  /** Null when {@code node} is no object; members other than {@code known} are faults. */
  static @Nullable Members of(JsonNode node, String path, Faults faults, List<String> known) {
    if (!(node instanceof ObjectNode object)) {
      faults.add(path, "must be an object, not " + kind(node));
      return null;
    }
    for (String name : (Iterable<String>) object::fieldNames) {
      if (!known.contains(name)) {
        faults.add(
            Faults.below(path, name),
            "there is no member '%s' here%s; there are %s"
                .formatted(
                    Faults.shown(name), Nearest.hint(name, known), String.join(", ", known)));
      }
    }
    return new Members(object, path, faults);
  }

  String path(String name) {
    return Faults.below(path, name);
  }

  /** As {@link Faults#check} for a member. */
  <T> @Nullable T check(String name, Supplier<T> made) {
    return faults.check(path(name), made);
  }

  void fault(String name, String message) {
    faults.add(path(name), message);
  }

  /** Null when it is missing. */
  @Nullable JsonNode node(String name) {
    JsonNode value = node.get(name);
    return value == null || value.isNull() ? null : value;
  }

  /** A text that has to be there. */
  @Nullable String text(String name) {
    if (node(name) == null) {
      fault(name, name + " is missing: it is a text");
      return null;
    }
    return textOrNull(name);
  }

  /** A text that may be missing. */
  @Nullable String textOrNull(String name) {
    JsonNode value = node(name);
    return value == null ? null : text(value, path(name), faults);
  }

  /** {@code value} as a text, or null and a fault. */
  static @Nullable String text(JsonNode value, String path, Faults faults) {
    if (!value.isTextual()) {
      faults.add(path, "must be a text, not " + kind(value));
      return null;
    }
    if (value.textValue().length() > TEXT_MAX) {
      faults.add(path, "has more than " + TEXT_MAX + " characters");
      return null;
    }
    return value.textValue();
  }

  long wholeNumber(String name, long missing) {
    JsonNode value = node(name);
    if (value == null) {
      return missing;
    }
    if (!value.isIntegralNumber()) {
      fault(name, "must be a whole number, not " + kind(value));
      return missing;
    }
    if (!value.canConvertToLong()) {
      fault(name, "must be a whole number of at most 18 digits");
      return missing;
    }
    return value.longValue();
  }

  boolean flag(String name, boolean missing) {
    JsonNode value = node(name);
    if (value == null) {
      return missing;
    }
    if (!value.isBoolean()) {
      fault(name, "must be true or false, not " + kind(value));
      return missing;
    }
    return value.booleanValue();
  }

  /** One of the words that {@code values} are written as; null when it is missing or another. */
  <T> @Nullable T word(String name, T[] values, Function<T, String> written) {
    String text = textOrNull(name);
    if (text == null) {
      return null;
    }
    for (T value : values) {
      if (written.apply(value).equals(text)) {
        return value;
      }
    }
    List<String> words = Arrays.stream(values).map(written).toList();
    fault(
        name,
        words.stream().collect(Collectors.joining(", ", "must be one of ", ""))
            + ", not '%s'%s".formatted(Faults.shown(text), Nearest.hint(text, words)));
    return null;
  }

  /** What {@code read} makes of the elements, given each with its path; none when it is missing. */
  <T> List<T> list(String name, int max, BiFunction<JsonNode, String, @Nullable T> read) {
    JsonNode value = node(name);
    if (value == null) {
      return List.of();
    }
    if (!(value instanceof ArrayNode array)) {
      fault(name, "must be a list, not " + kind(value));
      return List.of();
    }
    if (array.size() > max) {
      fault(name, "has at most %d entries, not %d".formatted(max, array.size()));
      return List.of();
    }
    List<T> all = new ArrayList<>();
    for (int i = 0; i < array.size(); i++) {
      T one = read.apply(array.get(i), path(name) + "/" + i);
      if (one != null) {
        all.add(one);
      }
    }
    return all;
  }

  /** What a value is, for a sentence. */
  static String kind(JsonNode node) {
    return switch (node.getNodeType()) {
      case OBJECT -> "an object";
      case ARRAY -> "a list";
      case STRING -> "a text";
      case BOOLEAN -> "true or false";
      case NULL -> "null";
      case NUMBER -> node.isIntegralNumber() ? "a whole number" : "a number with a fraction";
      case BINARY, MISSING, POJO -> "something else";
    };
  }
}
