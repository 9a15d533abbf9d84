package dev.viesti.dispatcher.plugin.entity;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.StreamWriteFeature;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.cfg.JsonNodeFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;

/** Reads the JSON of callers: each name once, numbers exactly as they are written. */
final class EntityJson {
  /** Deeper than data is, and no danger to a stack. */
  static final int NESTING_MAX = 64;

  /** Digits of a number, and the size of its exponent: far inside what {@code numeric} holds. */
  static final int DIGITS_MAX = 1_000;

  static final JsonMapper MAPPER =
      JsonMapper.builder(
              JsonFactory.builder()
                  .streamReadConstraints(
                      StreamReadConstraints.builder()
                          .maxNestingDepth(NESTING_MAX)
                          .maxNumberLength(DIGITS_MAX)
                          .build())
                  .build())
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
          .disable(JsonNodeFeature.STRIP_TRAILING_BIGDECIMAL_ZEROES)
          .disable(StreamWriteFeature.WRITE_BIGDECIMAL_AS_PLAIN)
          .disable(JsonWriteFeature.ESCAPE_NON_ASCII.mappedFeature())
          .build();

  private EntityJson() {}

  /**
   * @throws InvalidEntityException when it is no JSON object
   */
  static JsonNode object(String path, String json) {
    try {
      JsonNode node = MAPPER.readTree(json);
      if (!node.isObject()) {
        throw new InvalidEntityException(path, "must be a JSON object");
      }
      return node;
    } catch (JsonProcessingException malformed) {
      throw new InvalidEntityException(
          path, "is no JSON that can be read: " + malformed.getOriginalMessage());
    }
  }
}
