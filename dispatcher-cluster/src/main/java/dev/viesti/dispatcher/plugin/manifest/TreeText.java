package dev.viesti.dispatcher.plugin.manifest;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.cfg.JsonNodeFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.dataformat.toml.TomlFactory;
import com.fasterxml.jackson.dataformat.toml.TomlMapper;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Text into a tree that is safe to walk: at most {@link #NESTING_MAX} deep, every member once, all
 * texts storable, all numbers of a size that can be computed with.
 */
final class TreeText {
  /** Whatever walks a tree may do so by recursion. Schemas that people write have ten levels. */
  static final int NESTING_MAX = 64;

  /** Of a number, before and after the point: a {@code double} has fewer. */
  static final int DIGITS_MAX = 400;

  private static final StreamReadConstraints CONSTRAINTS =
      StreamReadConstraints.builder()
          .maxNestingDepth(NESTING_MAX)
          .maxNumberLength(2 * DIGITS_MAX)
          .build();

  private static final ObjectMapper JSON =
      JsonMapper.builder(
              JsonFactory.builder()
                  .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
                  .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                  .streamReadConstraints(CONSTRAINTS)
                  .build())
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
          .disable(JsonNodeFeature.STRIP_TRAILING_BIGDECIMAL_ZEROES)
          .build();

  private static final ObjectMapper TOML =
      TomlMapper.builder(TomlFactory.builder().streamReadConstraints(CONSTRAINTS).build())
          .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
          .disable(JsonNodeFeature.STRIP_TRAILING_BIGDECIMAL_ZEROES)
          .build();

  private TreeText() {}

  /** Null when {@code faults} has got one. */
  static @Nullable JsonNode json(String text, Faults faults) {
    return read(JSON, "JSON", text, faults);
  }

  /** Null when {@code faults} has got one. */
  static @Nullable JsonNode toml(String text, Faults faults) {
    return read(TOML, "TOML", text, faults);
  }

  /** Null, and a fault, when {@code bytes} are not UTF-8 or begin with a byte order mark. */
  static @Nullable String utf8(byte[] bytes, Faults faults) {
    try {
      String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
      if (text.startsWith("\uFEFF")) {
        faults.add("", "must be UTF-8 without a byte order mark");
        return null;
      }
      return text;
    } catch (CharacterCodingException otherEncoding) {
      faults.add("", "must be UTF-8");
      return null;
    }
  }

  /** The tree as JSON without spaces; reads back as an equal tree. */
  static String print(JsonNode node) {
    try {
      return JSON.writeValueAsString(node);
    } catch (JsonProcessingException bug) {
      throw new IllegalStateException("a tree that cannot be written", bug);
    }
  }

  private static @Nullable JsonNode read(
      ObjectMapper mapper, String language, String text, Faults faults) {
    JsonNode tree;
    try {
      tree = mapper.readTree(text);
    } catch (JsonProcessingException malformed) {
      faults.add(path(malformed), "is not valid " + language + where(malformed));
      return null;
    }
    if (tree.isMissingNode()) {
      faults.add("", "is empty");
      return null;
    }
    int before = faults.count();
    check(tree, "", 1, faults);
    return faults.count() == before ? tree : null;
  }

  private static void check(JsonNode node, String path, int depth, Faults faults) {
    if (depth > NESTING_MAX) {
      faults.add(path, "is nested deeper than " + NESTING_MAX + " levels");
      return;
    }
    switch (node.getNodeType()) {
      case OBJECT -> {
        for (Map.Entry<String, JsonNode> member : node.properties()) {
          String below = Faults.below(path, member.getKey());
          if (!isStorable(member.getKey())) {
            faults.add(below, "has a name with a zero character or half a character");
          }
          check(member.getValue(), below, depth + 1, faults);
        }
      }
      case ARRAY -> {
        for (int i = 0; i < node.size(); i++) {
          check(node.get(i), path + "/" + i, depth + 1, faults);
        }
      }
      case STRING -> {
        if (!isStorable(node.textValue())) {
          faults.add(path, "has a zero character or half a character");
        }
      }
      case NUMBER -> checkNumber(node, path, faults);
      case BOOLEAN, NULL -> {}
      case BINARY, MISSING, POJO -> faults.add(path, "is not a value that JSON has");
    }
  }

  /** PostgreSQL keeps no zero characters, and UTF-8 has no halves of surrogate pairs. */
  private static boolean isStorable(String text) {
    return text.codePoints()
        .noneMatch(point -> point == 0 || Character.getType(point) == Character.SURROGATE);
  }

  /** TOML has infinities; and 1e999999999 is short but cannot be divided by anything. */
  private static void checkNumber(JsonNode number, String path, Faults faults) {
    if (number.isFloat() || number.isDouble()) {
      if (!Double.isFinite(number.doubleValue())) {
        faults.add(path, "must be a number that JSON has, not " + number.asText());
      }
      return;
    }
    var value = number.decimalValue();
    if (Math.abs((long) value.scale()) > DIGITS_MAX
        || Math.abs((long) value.precision() - value.scale()) > DIGITS_MAX) {
      faults.add(path, "is a number of more than " + DIGITS_MAX + " digits");
    }
  }

  private static String path(JsonProcessingException malformed) {
    return malformed.getProcessor() instanceof JsonParser parser
        ? parser.getParsingContext().pathAsPointer().toString()
        : "";
  }

  private static String where(JsonProcessingException malformed) {
    JsonLocation at = malformed.getLocation();
    String place =
        at == null || at.getLineNr() < 0
            ? ""
            : " (line %d, column %d)".formatted(at.getLineNr(), at.getColumnNr());
    String reason = malformed.getOriginalMessage();
    int end = reason.indexOf('\n');
    return place + ": " + shortened(end < 0 ? reason : reason.substring(0, end));
  }

  /** Jackson quotes what it read, however long. */
  private static String shortened(String reason) {
    return reason.length() <= 300 ? reason : reason.substring(0, 300) + "…";
  }
}
