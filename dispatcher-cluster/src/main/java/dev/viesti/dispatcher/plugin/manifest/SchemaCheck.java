package dev.viesti.dispatcher.plugin.manifest;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.re2j.Pattern;
import com.google.re2j.PatternSyntaxException;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Whether a tree is a <a href="https://json-schema.org/draft/2020-12/schema">JSON Schema
 * 2020-12</a> of the kind that configurations have: complete in itself, with no keyword that would
 * be passed over in silence (but for those that begin with {@code x-}), and with patterns that
 * match in linear time. One walk, in time linear to the text.
 */
final class SchemaCheck {
  /** Of a pattern's text. */
  private static final int PATTERN_MAX = 512;

  /**
   * Of all compiled patterns together, in instructions: each is tried at each character, so with a
   * configuration of 64 KiB this is well below a second a pattern.
   */
  private static final int PROGRAM_MAX = 10_000;

  private static final String DIALECT = "https://json-schema.org/draft/2020-12/schema";
  private static final List<String> TYPES =
      List.of("null", "boolean", "object", "array", "number", "string", "integer");
  private static final java.util.regex.Pattern ANCHOR =
      java.util.regex.Pattern.compile("[A-Za-z_][-A-Za-z0-9._]{0,127}");

  private final Faults faults;

  /** Paths of all schemas, and the names that anchors give them: what a reference may point to. */
  private final Set<String> places = new HashSet<>();

  private final Set<String> anchors = new HashSet<>();
  private final Map<String, String> references = new LinkedHashMap<>();
  private int program;

  private SchemaCheck(Faults faults) {
    this.faults = faults;
  }

  /**
   * @param schema from {@link TreeText}: not nested too deeply
   */
  static void check(JsonNode schema, Faults faults) {
    SchemaCheck check = new SchemaCheck(faults);
    check.schema(schema, "");
    check.references.forEach(check::reference);
  }

  private void schema(JsonNode node, String path) {
    places.add(path);
    if (node.isBoolean()) {
      return;
    }
    if (!(node instanceof ObjectNode object)) {
      faults.add(path, "must be a schema: an object, true or false, not " + Members.kind(node));
      return;
    }
    for (Map.Entry<String, JsonNode> member : object.properties()) {
      String name = member.getKey();
      SchemaKeyword keyword = SchemaKeyword.of(name);
      if (keyword != null) {
        value(keyword, member.getValue(), path, Faults.below(path, name));
      } else if (!name.startsWith("x-")) {
        faults.add(
            Faults.below(path, name),
            "JSON Schema 2020-12 has no keyword '%s'%s; one of your own begins with x-"
                .formatted(Faults.shown(name), Nearest.hint(name, SchemaKeyword.names())));
      }
    }
  }

  private void value(SchemaKeyword keyword, JsonNode value, String schema, String path) {
    switch (keyword.kind()) {
      case SCHEMA -> schema(value, path);
      case SCHEMAS -> schemas(value, path);
      case NAMED_SCHEMAS -> namedSchemas(value, path);
      case PATTERN_SCHEMAS -> {
        if (namedSchemas(value, path)) {
          value.fieldNames().forEachRemaining(name -> pattern(name, Faults.below(path, name)));
        }
      }
      case PATTERN -> {
        if (text(value, path)) {
          pattern(value.textValue(), path);
        }
      }
      case REFERENCE -> {
        if (text(value, path)) {
          references.put(path, value.textValue());
        }
      }
      case ANCHOR -> anchor(value, path);
      case ROOT_ID -> rootId(value, schema, path);
      case DIALECT -> dialect(value, path);
      case TYPE -> type(value, path);
      case TEXT -> text(value, path);
      case TEXTS -> texts(value, path);
      case NAMED_TEXTS -> namedTexts(value, path);
      case FLAG -> require(value.isBoolean(), path, "must be true or false", value);
      case NUMBER -> require(value.isNumber(), path, "must be a number", value);
      case ABOVE_ZERO ->
          require(
              value.isNumber() && value.decimalValue().signum() > 0,
              path,
              "must be a number above 0",
              value);
      case COUNT ->
          require(isCount(value), path, "must be a whole number, 0 to 2,147,483,647", value);
      case LIST -> require(value.isArray(), path, "must be a list", value);
      case ANY -> {}
    }
  }

  /** {@code 2.0} is a whole number to JSON Schema, too. */
  private static boolean isCount(JsonNode value) {
    return value.isNumber()
        && value.decimalValue().signum() >= 0
        && value.canConvertToInt()
        && value.canConvertToExactIntegral();
  }

  private boolean require(boolean holds, String path, String expected, JsonNode value) {
    if (!holds) {
      faults.add(path, expected + ", not " + Faults.shown(TreeText.print(value)));
    }
    return holds;
  }

  private boolean text(JsonNode value, String path) {
    return require(value.isTextual(), path, "must be a text", value);
  }

  private void schemas(JsonNode value, String path) {
    if (require(value.isArray() && !value.isEmpty(), path, "must be a list of schemas", value)) {
      for (int i = 0; i < value.size(); i++) {
        schema(value.get(i), path + "/" + i);
      }
    }
  }

  private boolean namedSchemas(JsonNode value, String path) {
    if (!require(value.isObject(), path, "must be an object of schemas", value)) {
      return false;
    }
    for (Map.Entry<String, JsonNode> member : value.properties()) {
      schema(member.getValue(), Faults.below(path, member.getKey()));
    }
    return true;
  }

  private void texts(JsonNode value, String path) {
    Set<String> seen = new HashSet<>();
    boolean fine = value.isArray();
    for (JsonNode one : value) {
      fine = fine && one.isTextual() && seen.add(one.textValue());
    }
    require(fine, path, "must be a list of texts, each once", value);
  }

  private void namedTexts(JsonNode value, String path) {
    if (require(value.isObject(), path, "must be an object of lists of texts", value)) {
      for (Map.Entry<String, JsonNode> member : value.properties()) {
        texts(member.getValue(), Faults.below(path, member.getKey()));
      }
    }
  }

  private void type(JsonNode value, String path) {
    boolean fine = value.isArray() && !value.isEmpty();
    Set<String> seen = new HashSet<>();
    for (JsonNode one : value) {
      fine = fine && TYPES.contains(one.asText()) && seen.add(one.asText());
    }
    String hint = value.isTextual() ? Nearest.hint(value.textValue(), TYPES) : "";
    if (!fine && !(value.isTextual() && TYPES.contains(value.textValue()))) {
      faults.add(
          path,
          "must be one of %s, or a list of some, not %s%s"
              .formatted(String.join(", ", TYPES), Faults.shown(TreeText.print(value)), hint));
    }
  }

  private void dialect(JsonNode value, String path) {
    String text = value.asText();
    require(text.equals(DIALECT) || text.equals(DIALECT + "#"), path, "must be " + DIALECT, value);
  }

  private void rootId(JsonNode value, String schema, String path) {
    if (text(value, path) && !schema.isEmpty()) {
      faults.add(path, "only the outermost schema has $id; use $anchor or $defs");
    }
  }

  private void anchor(JsonNode value, String path) {
    if (!require(
        value.isTextual() && ANCHOR.matcher(value.textValue()).matches(),
        path,
        "must be a name of at most 128 letters, digits, -, _ and ., beginning with a letter or _",
        value)) {
      return;
    }
    if (!anchors.add(value.textValue())) {
      faults.add(path, "there is an anchor '" + value.textValue() + "' already");
    }
  }

  private void pattern(String text, String path) {
    if (text.length() > PATTERN_MAX) {
      faults.add(path, "a pattern has at most " + PATTERN_MAX + " characters");
      return;
    }
    if (PatternSize.of(text) > PROGRAM_MAX) {
      faults.add(path, "is too large a pattern: repeat fewer things, or less often");
      return;
    }
    Pattern compiled = compiled(text, path);
    if (compiled != null && program <= PROGRAM_MAX) {
      program += compiled.programSize();
      if (program > PROGRAM_MAX) {
        faults.add(path, "the patterns up to here are too large together: repeat less often");
      }
    }
  }

  private @Nullable Pattern compiled(String text, String path) {
    try {
      return Pattern.compile(text);
    } catch (PatternSyntaxException wrong) {
      faults.add(
          path,
          "is no pattern in the syntax of RE2, which has no lookaround and no backreferences: "
              + Faults.shown(wrong.getDescription()));
      return null;
    }
  }

  private void reference(String path, String target) {
    if (!target.startsWith("#")) {
      faults.add(
          path,
          "must point into this schema, as in #/$defs/name, not to '%s': nothing is fetched"
              .formatted(Faults.shown(target)));
      return;
    }
    String fragment = fragment(target);
    if (fragment == null || !(places.contains(fragment) || anchors.contains(fragment))) {
      faults.add(path, "there is no schema at '" + Faults.shown(target) + "'");
    }
  }

  private static @Nullable String fragment(String target) {
    try {
      return new URI(target).getFragment();
    } catch (URISyntaxException noReference) {
      return null;
    }
  }
}
