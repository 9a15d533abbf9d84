package dev.viesti.dispatcher.plugin;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.cfg.JsonNodeFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.viesti.dispatcher.json.Json;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Comparator;
import org.jspecify.annotations.Nullable;

/** Texts that come out of a sandbox. */
final class JsonText {
  /** As PostgreSQL sorts with the collation "C": by bytes of UTF-8, which is by code points. */
  static final Comparator<String> BY_CODE_POINT =
      (one, other) -> {
        int end = Math.min(one.length(), other.length());
        for (int i = 0; i < end; i++) {
          char a = one.charAt(i);
          char b = other.charAt(i);
          if (a != b) {
            // a surrogate stands for a code point that is larger than all others
            return Character.isSurrogate(a) == Character.isSurrogate(b)
                ? Character.compare(a, b)
                : Boolean.compare(Character.isSurrogate(a), Character.isSurrogate(b));
          }
        }
        return Integer.compare(one.length(), other.length());
      };

  /** Numbers keep all their digits: nobody knows what they count. */
  private static final JsonMapper TREES =
      JsonMapper.builder()
          .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
          .disable(JsonNodeFeature.STRIP_TRAILING_BIGDECIMAL_ZEROES)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private JsonText() {}

  static JsonNode tree(String json) throws JsonProcessingException {
    return TREES.readTree(json);
  }

  static ObjectNode object() {
    return TREES.createObjectNode();
  }

  /** Strictly decoded; null when it is not UTF-8. */
  static @Nullable String utf8(byte[] bytes) {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException wrong) {
      return null;
    }
  }

  /** Whether it is exactly one JSON value, in UTF-8. */
  static boolean isJson(byte[] bytes) {
    if (utf8(bytes) == null) {
      return false;
    }
    try (JsonParser parser = Json.MAPPER.createParser(bytes)) {
      if (parser.nextToken() == null) {
        return false;
      }
      parser.skipChildren();
      return parser.nextToken() == null;
    } catch (IOException wrong) {
      return false;
    }
  }

  /** Cut to {@code max} characters, without what would begin another line of a log. */
  static String oneLine(String text, int max) {
    String cut = text.length() <= max ? text : text.substring(0, max) + "…";
    var line = new StringBuilder(cut.length());
    cut.codePoints().map(c -> Character.isISOControl(c) ? ' ' : c).forEach(line::appendCodePoint);
    return line.toString();
  }
}
