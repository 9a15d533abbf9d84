package dev.viesti.dispatcher.cloudevents;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import dev.viesti.protocol.event.Event;
import dev.viesti.protocol.event.Payload;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Binary mode of the HTTP binding: attributes in {@code ce-} headers, data in the body. */
final class BinaryReader {
  private static final String PREFIX = "ce-";
  private static final Pattern JSON_TYPE =
      Pattern.compile("application/json|text/json|[^/\\s]+/[^/\\s]+\\+json");
  private static final Pattern CHARSET =
      Pattern.compile(";\\s*charset\\s*=\\s*\"?([^\";\\s]*)\"?", Pattern.CASE_INSENSITIVE);

  private final Supplier<UUID> freshIds;

  BinaryReader(Supplier<UUID> freshIds) {
    this.freshIds = freshIds;
  }

  Event read(Map<String, String> headers, @Nullable String contentType, byte[] body) {
    Draft draft = new Draft("");
    if (contentType != null) {
      draft.text("datacontenttype", contentType.strip());
    }
    // Sorted: headers have no order of their own, and the same event shall always look the same.
    new TreeMap<>(headers)
        .forEach(
            (header, value) -> {
              if (header.startsWith(PREFIX)) {
                attribute(draft, header.substring(PREFIX.length()), value);
              }
            });
    if (contentType != null && !isJson(contentType)) {
      draft.data(Payload.of(body), true);
    } else if (body.length > 0 && !requireOneValue(body)) {
      draft.data(Payload.of(body), false);
    }
    return draft.event(freshIds);
  }

  private static void attribute(Draft draft, String name, String value) {
    if (name.equals("datacontenttype")) {
      throw draft.error(name, "in binary mode datacontenttype is the header Content-Type");
    }
    if (!Draft.isName(name) || name.equals("data")) {
      throw draft.error(
          name, "names of CloudEvents attributes have only a-z and 0-9, and data is the body");
    }
    String decoded = HeaderText.decode(value);
    if (decoded == null) {
      throw draft.error(
          name,
          "the header's value is percent-encoded UTF-8: write a percent sign as %25 and close"
              + " quotes");
    }
    draft.text(name, decoded);
  }

  private static boolean isJson(String contentType) {
    int end = contentType.indexOf(';');
    String type = end < 0 ? contentType : contentType.substring(0, end);
    if (!JSON_TYPE.matcher(type.strip().toLowerCase(Locale.ROOT)).matches()) {
      return false;
    }
    var charset = CHARSET.matcher(contentType);
    if (charset.find()) {
      String name = charset.group(1).toLowerCase(Locale.ROOT);
      if (!name.equals("utf-8") && !name.equals("us-ascii")) {
        throw new MalformedEventException(
            "/datacontenttype", "JSON is UTF-8: send it so, and leave charset out");
      }
    }
    return true;
  }

  /**
   * Checks that the body is one JSON value.
   *
   * @return whether that is {@code null}, which stands for no data in structured mode, too
   */
  private static boolean requireOneValue(byte[] body) {
    try (JsonParser parser = StrictJson.parser(body)) {
      try {
        JsonToken first = parser.nextToken();
        if (first == null) {
          throw new MalformedEventException(
              "", "the body is blank: send JSON, or no body at all for an event without data");
        }
        parser.skipChildren();
        if (parser.nextToken() != null) {
          throw new MalformedEventException("", "nothing may follow the JSON value");
        }
        return first == JsonToken.VALUE_NULL;
      } catch (JsonProcessingException wrong) {
        throw StrictJson.malformed(parser, wrong);
      }
    } catch (IOException impossible) {
      throw new UncheckedIOException("an array cannot fail to be read", impossible);
    }
  }
}
