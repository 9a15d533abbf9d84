package dev.viesti.dispatcher.cloudevents;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.viesti.protocol.event.Event;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;

/** Writes the JSON event format. */
final class StructuredWriter {
  /** Room for the attributes, so that the buffer seldom grows. */
  private static final int HEAD_BYTES = 512;

  private StructuredWriter() {}

  static byte[] write(Event event) {
    ByteArrayOutputStream out = new ByteArrayOutputStream(HEAD_BYTES + event.data().size());
    try {
      writeAttributes(event, out);
    } catch (IOException impossible) {
      throw new UncheckedIOException("an array cannot fail to take bytes", impossible);
    }
    if (event.dataBinary()) {
      out.writeBytes(ascii(",\"data_base64\":\""));
      out.writeBytes(Base64.getEncoder().encode(event.data().bytes()));
      out.write('"');
    } else if (!event.data().isEmpty()) {
      out.writeBytes(ascii(",\"data\":"));
      out.writeBytes(event.data().bytes());
    }
    out.write('}');
    return out.toByteArray();
  }

  /** The object without its closing brace. */
  private static void writeAttributes(Event event, ByteArrayOutputStream out) throws IOException {
    try (JsonGenerator json = StrictJson.FACTORY.createGenerator(out)) {
      json.disable(JsonGenerator.Feature.AUTO_CLOSE_JSON_CONTENT);
      json.writeStartObject();
      json.writeStringField("specversion", "1.0");
      json.writeStringField("id", event.cloudEventId());
      json.writeStringField("source", event.source());
      json.writeStringField("type", event.type());
      if (event.subject() != null) {
        json.writeStringField("subject", event.subject());
      }
      if (event.attributes() != null) {
        json.writeRaw(members(event.attributes()));
      }
      if (event.traceparent() != null) {
        json.writeStringField("traceparent", event.traceparent());
      }
    }
  }

  /** The members of a JSON object's text, each with a comma before it. */
  private static String members(String object) {
    String text = object.strip();
    if (!text.startsWith("{") || !text.endsWith("}")) {
      throw new IllegalArgumentException("attributes must be the text of a JSON object");
    }
    String inner = text.substring(1, text.length() - 1).strip();
    return inner.isEmpty() ? "" : "," + inner;
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }
}
