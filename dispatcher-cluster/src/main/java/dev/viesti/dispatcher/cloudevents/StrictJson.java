package dev.viesti.dispatcher.cloudevents;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonPointer;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.StandardCharsets;

/** JSON as <a href="https://www.rfc-editor.org/rfc/rfc8259">RFC 8259</a> has it, and no more. */
final class StrictJson {
  /**
   * Deepest nesting: GitHub's payloads have ten levels, and whatever walks the tree later (filters,
   * receivers) may do so by recursion.
   */
  static final int NESTING_MAX = 256;

  private static final int DECODED_AT_ONCE = 8_192;

  /**
   * Doubled members are errors at every level: of two readers one would take the first, the other
   * the last. Charset detection is off because it would let UTF-16 in.
   */
  static final JsonFactory FACTORY =
      JsonFactory.builder()
          .disable(JsonFactory.Feature.CHARSET_DETECTION)
          .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .streamReadConstraints(
              StreamReadConstraints.builder().maxNestingDepth(NESTING_MAX).build())
          .build();

  private StrictJson() {}

  /** A parser of all of {@code body}, which is known to be UTF-8 when this returns. */
  static JsonParser parser(byte[] body) throws IOException {
    requireUtf8(body);
    return FACTORY.createParser(body);
  }

  /** What Jackson could not read, with the place where it was. */
  static MalformedEventException malformed(JsonParser parser, JsonProcessingException wrong) {
    JsonPointer place = JsonPointer.forPath(parser.getParsingContext(), false);
    String where =
        wrong.getLocation() == null ? "" : " (byte " + wrong.getLocation().getByteOffset() + ")";
    return new MalformedEventException(
        place.toString(),
        "not valid JSON: " + Draft.shown(firstLine(wrong.getOriginalMessage())) + where);
  }

  /** A message without what Jackson adds for itself. */
  private static String firstLine(String message) {
    int end = message.indexOf('\n');
    return end < 0 ? message : message.substring(0, end);
  }

  private static void requireUtf8(byte[] body) {
    if (startsWith(body, 0xEF, 0xBB, 0xBF)) {
      throw new MalformedEventException("", "send UTF-8 without a byte order mark");
    }
    if (startsWith(body, 0xFE, 0xFF) || startsWith(body, 0xFF, 0xFE) || holdsZero(body)) {
      throw new MalformedEventException("", "send the JSON as UTF-8, not UTF-16 or UTF-32");
    }
    CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder();
    ByteBuffer in = ByteBuffer.wrap(body);
    CharBuffer out = CharBuffer.allocate(Math.min(DECODED_AT_ONCE, body.length));
    CoderResult result;
    do {
      out.clear();
      result = decoder.decode(in, out, true);
    } while (result.isOverflow());
    if (result.isError()) {
      throw new MalformedEventException(
          "", "not valid UTF-8 at byte " + in.position() + ": send the JSON as UTF-8");
    }
  }

  private static boolean startsWith(byte[] body, int... start) {
    if (body.length < start.length) {
      return false;
    }
    for (int i = 0; i < start.length; i++) {
      if (Byte.toUnsignedInt(body[i]) != start[i]) {
        return false;
      }
    }
    return true;
  }

  /** JSON in UTF-16 or UTF-32 begins with an ASCII character, thus with a zero byte beside it. */
  private static boolean holdsZero(byte[] body) {
    for (int i = 0; i < Math.min(4, body.length); i++) {
      if (body[i] == 0) {
        return true;
      }
    }
    return false;
  }
}
