package dev.viesti.ops.api;

import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A request before its body has been read.
 *
 * @param method in capitals
 * @param path as it was sent, percent-encoded, beginning with a slash
 * @param query the text after the question mark, percent-encoded; null when there is none
 * @param headers by name in lower case
 * @param contentType null when the sender gave none
 * @param contentLength in bytes; null when the sender did not announce it
 */
public record RequestHead(
    String method,
    String path,
    @Nullable String query,
    Map<String, String> headers,
    @Nullable String contentType,
    @Nullable Long contentLength) {
  /** The media type in lower case and without parameters; empty when the sender gave none. */
  String mediaType() {
    if (contentType == null) {
      return "";
    }
    int end = contentType.indexOf(';');
    String type = end < 0 ? contentType : contentType.substring(0, end);
    return type.strip().toLowerCase(Locale.ROOT);
  }
}
