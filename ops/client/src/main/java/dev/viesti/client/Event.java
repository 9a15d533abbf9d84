package dev.viesti.client;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.StringJoiner;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A fact in an app, in the words of <a
 * href="https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md">CloudEvents 1.0</a>.
 * Immutable. What is too long or cannot be stored is refused when it is built, with an {@link
 * IllegalArgumentException} that names the attribute.
 *
 * <pre>{@code
 * Event.of("shop", "orders.created").id("order-1").subject("customer-7").json("{\"n\":1}").build()
 * }</pre>
 */
public final class Event {
  /** Longest source, type, subject and principal, in characters. */
  public static final int TEXT_MAX = 1_024;

  /** Longest id, in characters. */
  public static final int ID_MAX = 256;

  /** Longest value of every other attribute, in characters. */
  public static final int ATTRIBUTE_MAX = 4_096;

  /** Largest data, in bytes: what the HTTP API takes as one event. */
  public static final int DATA_MAX = 262_144;

  private static final Instant DELIVER_AT_MIN = Instant.parse("1971-01-01T00:00:00Z");
  private static final Instant DELIVER_AT_MAX = Instant.parse("2200-01-01T00:00:00Z");
  private static final Pattern NAME = Pattern.compile("[a-z0-9]+");
  private static final Pattern TRACEPARENT =
      Pattern.compile("[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(-[!-~]{0,200})?");

  private final Builder from;
  private final @Nullable String attributes;

  private Event(Builder from) {
    this.from = from.copy();
    this.attributes = from.attributesAsJson();
  }

  /** Begins an event: where it comes from and what happened, 1 to {@value #TEXT_MAX} characters. */
  public static Builder of(String source, String type) {
    return new Builder(source, type);
  }

  public String source() {
    return from.source;
  }

  public String type() {
    return from.type;
  }

  /** The caller's own; null when Viesti shall make one. */
  public @Nullable String id() {
    return from.id;
  }

  public @Nullable String subject() {
    return from.subject;
  }

  @Nullable String attributes() {
    return attributes;
  }

  @Nullable String principal() {
    return from.principal;
  }

  @Nullable String traceparent() {
    return from.traceparent;
  }

  @Nullable Instant deliverAt() {
    return from.deliverAt;
  }

  byte @Nullable [] data() {
    return from.data;
  }

  boolean binary() {
    return from.binary;
  }

  /** Without the data: it does not belong into logs. */
  @Override
  public String toString() {
    return "Event[source=" + source() + ", type=" + type() + ", id=" + id() + "]";
  }

  /** Collects what an event is made of. Not thread-safe. */
  public static final class Builder {
    private final String source;
    private final String type;
    private final Map<String, String> others = new LinkedHashMap<>();
    private @Nullable String id;
    private @Nullable String subject;
    private @Nullable String principal;
    private @Nullable String traceparent;
    private @Nullable Instant deliverAt;
    private byte @Nullable [] data;
    private boolean binary;

    private Builder(String source, String type) {
      this.source = checked("source", source, TEXT_MAX);
      this.type = checked("type", type, TEXT_MAX);
    }

    /**
     * The caller's own id, 1 to {@value #ID_MAX} characters: an event with the same source and id
     * counts once, however often it is appended.
     */
    public Builder id(String value) {
      id = checked("id", value, ID_MAX);
      return this;
    }

    /** What it is about; triggers may order by it. */
    public Builder subject(String value) {
      subject = checked("subject", value, TEXT_MAX);
      return this;
    }

    /** The data as JSON text, which is kept as it is; at most {@value #DATA_MAX} bytes of UTF-8. */
    public Builder json(String text) {
      requirePaired("data", text);
      JsonText.require(text);
      return data(text.getBytes(StandardCharsets.UTF_8), false);
    }

    /**
     * Data that is not JSON, at most {@value #DATA_MAX} bytes; the array is copied.
     *
     * @param contentType what it is, such as {@code image/png}
     */
    public Builder binary(byte[] bytes, String contentType) {
      others.put("datacontenttype", quoted("datacontenttype", contentType));
      return data(bytes.clone(), true);
    }

    private Builder data(byte[] bytes, boolean notJson) {
      if (bytes.length > DATA_MAX) {
        throw new IllegalArgumentException(
            "data has at most " + DATA_MAX + " bytes, not " + bytes.length);
      }
      data = bytes.length == 0 ? null : bytes;
      binary = notJson;
      return this;
    }

    /** When it happened. */
    public Builder time(Instant value) {
      if (value.isBefore(Instant.parse("0000-01-01T00:00:00Z"))
          || !value.isBefore(Instant.parse("9999-12-31T23:59:59Z"))) {
        throw new IllegalArgumentException("time is a year of four digits");
      }
      others.put("time", JsonText.quoted(value.toString()));
      return this;
    }

    /** URI of the schema of the data. */
    public Builder dataSchema(String uri) {
      others.put("dataschema", quoted("dataschema", uri));
      return this;
    }

    /**
     * A CloudEvents extension.
     *
     * @param name {@code a-z} and {@code 0-9}
     * @param value 1 to {@value #ATTRIBUTE_MAX} characters
     */
    public Builder extension(String name, String value) {
      others.put(extensionName(name), quoted(name, value));
      return this;
    }

    /** A CloudEvents extension of type Integer. */
    public Builder extension(String name, int value) {
      others.put(extensionName(name), Integer.toString(value));
      return this;
    }

    /** A CloudEvents extension of type Boolean. */
    public Builder extension(String name, boolean value) {
      others.put(extensionName(name), Boolean.toString(value));
      return this;
    }

    /** On whose behalf the event is published. */
    public Builder principal(String value) {
      principal = checked("principal", value, TEXT_MAX);
      return this;
    }

    /** <a href="https://www.w3.org/TR/trace-context/#traceparent-header">W3C trace context</a>. */
    public Builder traceparent(String value) {
      if (!TRACEPARENT.matcher(value).matches()) {
        throw new IllegalArgumentException(
            "traceparent must be a W3C trace context such as"
                + " \"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\"");
      }
      traceparent = value;
      return this;
    }

    /** Its deliveries start no earlier, to the microsecond; from 1971 to 2199. */
    public Builder deliverAt(Instant time) {
      if (time.isBefore(DELIVER_AT_MIN) || time.isAfter(DELIVER_AT_MAX)) {
        throw new IllegalArgumentException(
            "deliverAt is from " + DELIVER_AT_MIN + " to " + DELIVER_AT_MAX);
      }
      deliverAt = time;
      return this;
    }

    public Event build() {
      return new Event(this);
    }

    private Builder copy() {
      var copy = new Builder(source, type);
      copy.others.putAll(others);
      copy.id = id;
      copy.subject = subject;
      copy.principal = principal;
      copy.traceparent = traceparent;
      copy.deliverAt = deliverAt;
      copy.data = data;
      copy.binary = binary;
      return copy;
    }

    private @Nullable String attributesAsJson() {
      if (others.isEmpty()) {
        return null;
      }
      var json = new StringJoiner(",", "{", "}");
      others.forEach((name, value) -> json.add('"' + name + "\":" + value));
      return json.toString();
    }

    private static String extensionName(String name) {
      switch (name) {
        case "specversion",
            "id",
            "source",
            "type",
            "subject",
            "time",
            "traceparent",
            "datacontenttype",
            "dataschema",
            "data" ->
            throw new IllegalArgumentException(name + " is no extension: it has a method here");
        default -> {
          if (!NAME.matcher(name).matches() || name.length() > ATTRIBUTE_MAX) {
            throw new IllegalArgumentException(
                "names of extensions have only a-z and 0-9, not '" + name + "'");
          }
          return name;
        }
      }
    }

    private static String quoted(String name, String value) {
      return JsonText.quoted(checked(name, value, ATTRIBUTE_MAX));
    }

    private static String checked(String name, String value, int max) {
      if (value.isEmpty() || value.length() > max) {
        throw new IllegalArgumentException(
            name + " has 1 to " + max + " characters, not " + value.length());
      }
      for (int i = 0; i < value.length(); i++) {
        if (Character.isISOControl(value.charAt(i))) {
          throw new IllegalArgumentException(name + " must not contain control characters");
        }
      }
      requirePaired(name, value);
      return value;
    }

    private static void requirePaired(String name, String value) {
      if (!StandardCharsets.UTF_8.newEncoder().canEncode(value)) {
        throw new IllegalArgumentException(name + " holds half of a surrogate pair");
      }
    }
  }
}
