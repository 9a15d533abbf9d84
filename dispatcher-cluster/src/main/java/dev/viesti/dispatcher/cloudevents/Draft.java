package dev.viesti.dispatcher.cloudevents;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.viesti.protocol.event.Event;
import dev.viesti.protocol.event.Payload;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The attributes of one event while it is read; {@link #event} checks what must be there. */
final class Draft {
  private static final String VERSION = "1.0";

  /**
   * Our extension: deliveries start no earlier. An instruction, so it is not kept with the event.
   */
  private static final String DELIVER_AT = "deliverat";

  private static final Pattern NAME = Pattern.compile("[a-z0-9]+");

  /** Longest attribute value that is not bounded by {@link Event}; a URI of a schema fits. */
  private static final int VALUE_MAX = 4_096;

  /** <a href="https://www.rfc-editor.org/rfc/rfc3339#section-5.6">RFC 3339, date-time</a>. */
  private static final Pattern TIME =
      Pattern.compile(
          "(\\d{4}-\\d\\d-\\d\\d)[Tt]([01]\\d|2[0-3]):[0-5]\\d:([0-5]\\d|60)(\\.\\d+)?"
              + "([Zz]|[+-]([01]\\d|2[0-3]):[0-5]\\d)");

  /** <a href="https://www.w3.org/TR/trace-context/#traceparent-header">W3C traceparent</a>. */
  private static final Pattern TRACEPARENT =
      Pattern.compile("[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(-[!-~]{0,200})?");

  private final String at;

  /** What {@link Event} has a field for. */
  private final Map<String, String> known = new HashMap<>();

  /** Every other attribute: String, Boolean or Integer. */
  private final Map<String, Object> others = new LinkedHashMap<>();

  private @Nullable Instant deliverAt;
  private Payload data = Payload.NONE;
  private boolean dataBinary;

  /**
   * @param at JSON Pointer of the event itself
   */
  Draft(String at) {
    this.at = at;
  }

  /** Whether {@code name} may name an attribute; the pointer of an error is the caller's. */
  static boolean isName(String name) {
    return NAME.matcher(name).matches();
  }

  void data(Payload bytes, boolean binary) {
    this.data = bytes;
    this.dataBinary = binary;
  }

  void text(String name, String value) {
    switch (name) {
      case "specversion" -> {
        if (!value.equals(VERSION)) {
          throw error(name, "specversion must be \"1.0\", not \"" + shown(value) + "\"");
        }
        known.put(name, value);
      }
      case "id" -> known.put(name, checked(name, value, Event.EXTERNAL_ID_MAX));
      case "source", "type", "subject" -> known.put(name, checked(name, value, Event.TEXT_MAX));
      case "traceparent" -> {
        if (!TRACEPARENT.matcher(value).matches()) {
          throw error(
              name,
              "traceparent must be a W3C trace context such as"
                  + " \"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\"");
        }
        known.put(name, value);
      }
      case "time" -> {
        checkTime(name, value);
        others.put(name, value);
      }
      case DELIVER_AT -> deliverAt = deliveryTime(value);
      default -> others.put(name, checked(name, value, VALUE_MAX));
    }
  }

  /**
   * @param value Boolean or Integer
   */
  void scalar(String name, Object value) {
    switch (name) {
      case "specversion",
          "id",
          "source",
          "type",
          "subject",
          "traceparent",
          "time",
          DELIVER_AT,
          "datacontenttype",
          "dataschema" ->
          throw error(name, name + " must be a string: put quotes around it");
      default -> others.put(name, value);
    }
  }

  /** Everything that was read, as an event. */
  Event event(Supplier<UUID> freshIds) {
    required("specversion", "add \"specversion\": \"1.0\"");
    String source = required("source", "add where the event comes from, such as \"/billing\"");
    String type = required("type", "add what happened, such as \"invoice.paid\"");
    String externalId = known.get("id");
    UUID id = externalId == null ? freshIds.get() : Event.derivedId(source, externalId);
    return new Event(
        id,
        externalId,
        source,
        type,
        known.get("subject"),
        others.isEmpty() ? null : othersAsJson(),
        data,
        dataBinary,
        null,
        0,
        null,
        known.get("traceparent"),
        deliverAt);
  }

  MalformedEventException error(String name, String message) {
    return new MalformedEventException(at + "/" + escaped(name), message);
  }

  /** A name as a part of a JSON Pointer. */
  static String escaped(String name) {
    return name.replace("~", "~0").replace("/", "~1");
  }

  /** Foreign text for a message: short, and nothing that breaks a line. */
  static String shown(String text) {
    String head = text.length() <= 64 ? text : text.substring(0, 64) + "…";
    return head.replaceAll("\\p{Cntrl}", "\uFFFD");
  }

  private String required(String name, String fix) {
    String value = known.get(name);
    if (value == null) {
      throw error(name, name + " is missing: " + fix);
    }
    return value;
  }

  /** The rules of {@link Event}, and of CloudEvents' type String for the other attributes. */
  private String checked(String name, String value, int max) {
    if (value.isEmpty() || value.length() > max) {
      throw error(
          name,
          name
              + " has 1 to "
              + max
              + " characters, not "
              + value.length()
              + (value.isEmpty() ? ": leave it out instead" : ""));
    }
    for (int i = 0; i < value.length(); i++) {
      if (Character.isISOControl(value.charAt(i))) {
        throw error(name, name + " must not contain control characters");
      }
    }
    if (!StandardCharsets.UTF_8.newEncoder().canEncode(value)) {
      throw error(name, name + " holds half of a surrogate pair");
    }
    return value;
  }

  private void checkTime(String name, String value) {
    Matcher matcher = TIME.matcher(value);
    if (matcher.matches() && value.length() <= 64) {
      try {
        LocalDate.parse(matcher.group(1));
        return;
      } catch (DateTimeException noSuchDay) {
        // falls through to the one message
      }
    }
    throw error(
        name,
        name + " must be RFC 3339 such as \"2026-01-31T12:00:00Z\", not \"" + shown(value) + "\"");
  }

  private Instant deliveryTime(String value) {
    checkTime(DELIVER_AT, value);
    try {
      Instant time = OffsetDateTime.parse(value.toUpperCase(Locale.ROOT)).toInstant();
      if (!time.isBefore(Event.DELIVER_AT_MIN) && !time.isAfter(Event.DELIVER_AT_MAX)) {
        return time;
      }
    } catch (DateTimeException leapSecond) {
      // falls through: no clock here shows it
    }
    throw error(
        DELIVER_AT, "deliverat is from " + Event.DELIVER_AT_MIN + " to " + Event.DELIVER_AT_MAX);
  }

  private String othersAsJson() {
    StringWriter text = new StringWriter();
    try (JsonGenerator out = StrictJson.FACTORY.createGenerator(text)) {
      out.writeStartObject();
      for (Map.Entry<String, Object> attribute : others.entrySet()) {
        out.writeFieldName(attribute.getKey());
        switch (attribute.getValue()) {
          case Boolean value -> out.writeBoolean(value);
          case Integer value -> out.writeNumber(value);
          default -> out.writeString(attribute.getValue().toString());
        }
      }
      out.writeEndObject();
    } catch (IOException impossible) {
      throw new UncheckedIOException("a string cannot fail to take text", impossible);
    }
    return text.toString();
  }
}
