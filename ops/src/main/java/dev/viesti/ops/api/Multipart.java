package dev.viesti.ops.api;

import dev.viesti.ops.api.Problem.Kind;
import dev.viesti.protocol.event.Payload;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.apache.commons.fileupload2.core.MultipartInput;
import org.apache.commons.fileupload2.core.ParameterParser;
import org.jspecify.annotations.Nullable;

/**
 * Bodies of several named parts, {@code multipart/form-data} (<a
 * href="https://www.rfc-editor.org/rfc/rfc7578">RFC 7578</a>).
 */
final class Multipart {
  static final String MEDIA_TYPE = "multipart/form-data";

  /** As long as a line of a text that people write; browsers and curl stay far below. */
  private static final int HEADER_BYTES_MAX = 1_024;

  /**
   * A part.
   *
   * @param contentType in lower case and without parameters; empty when its sender gave none
   * @param fileName empty when its sender gave none
   */
  record Part(String contentType, String fileName, Payload content) {}

  private Multipart() {}

  /**
   * The parts by name.
   *
   * @param known names that a part may have, each once
   * @throws ProblemException 400 when it is no such body, 422 when a part is none of the known
   */
  static Map<String, Part> read(@Nullable String contentType, byte[] body, Set<String> known) {
    String boundary = parameters(contentType == null ? "" : contentType).get("boundary");
    if (boundary == null || boundary.isEmpty()) {
      throw malformed("its Content-Type names no boundary");
    }
    Map<String, Part> parts = new LinkedHashMap<>();
    try {
      MultipartInput input =
          MultipartInput.builder()
              .setInputStream(new ByteArrayInputStream(body))
              .setBoundary(boundary.getBytes(StandardCharsets.ISO_8859_1))
              .setMaxPartHeaderSize(HEADER_BYTES_MAX)
              .get();
      for (boolean more = input.skipPreamble(); more; more = input.readBoundary()) {
        Map<String, String> headers = headers(input.readHeaders());
        var bytes = new ByteArrayOutputStream();
        input.readBodyData(bytes);
        add(parts, headers, bytes.toByteArray(), known);
      }
    } catch (IOException | IllegalArgumentException broken) {
      throw malformed(String.valueOf(broken.getMessage()));
    }
    if (parts.isEmpty()) {
      throw malformed("it has no part");
    }
    return parts;
  }

  private static void add(
      Map<String, Part> parts, Map<String, String> headers, byte[] bytes, Set<String> known) {
    Map<String, String> disposition = parameters(headers.getOrDefault("content-disposition", ""));
    String name = disposition.getOrDefault("name", "");
    if (!known.contains(name)) {
      String detail =
          "there is no part '%s' here; there are %s"
              .formatted(name, String.join(", ", new TreeSet<>(known)));
      throw Problem.at(Kind.INVALID, "/" + name, detail).exception();
    }
    String type = headers.getOrDefault("content-type", "");
    int end = type.indexOf(';');
    String media = (end < 0 ? type : type.substring(0, end)).strip().toLowerCase(Locale.ROOT);
    String file = disposition.getOrDefault("filename", "");
    if (parts.putIfAbsent(name, new Part(media, file, Payload.of(bytes))) != null) {
      throw Problem.at(Kind.INVALID, "/" + name, "the part " + name + " comes twice").exception();
    }
  }

  private static Map<String, String> headers(String block) {
    Map<String, String> headers = new LinkedHashMap<>();
    for (String line : block.split("\r\n", -1)) {
      int colon = line.indexOf(':');
      if (colon > 0) {
        headers.put(
            line.substring(0, colon).strip().toLowerCase(Locale.ROOT),
            line.substring(colon + 1).strip());
      }
    }
    return headers;
  }

  /** Parameters without a value are left out. */
  private static Map<String, String> parameters(String header) {
    var parser = new ParameterParser();
    parser.setLowerCaseNames(true);
    Map<String, String> parameters = new LinkedHashMap<>();
    parser
        .parse(header, ';')
        .forEach(
            (name, value) -> {
              if (value != null) {
                parameters.put(name, value);
              }
            });
    return parameters;
  }

  private static ProblemException malformed(String why) {
    return Problem.of(Kind.MALFORMED, "the body is not " + MEDIA_TYPE + ": " + why).exception();
  }
}
