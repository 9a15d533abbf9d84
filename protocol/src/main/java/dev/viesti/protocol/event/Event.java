package dev.viesti.protocol.event;

import java.time.Instant;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A fact in an app, in the words of <a
 * href="https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md">CloudEvents 1.0</a>.
 *
 * @param id Viesti's own id; derived from {@code (source, externalId)} when the sender gave an id
 *     ({@link #derivedId}), else a fresh UUIDv7
 * @param externalId the sender's CloudEvents {@code id}, 1 to 256 characters; null when it gave
 *     none
 * @param source CloudEvents {@code source}, 1 to 1,024 characters
 * @param type CloudEvents {@code type}, 1 to 1,024 characters
 * @param subject CloudEvents {@code subject}, at most 1,024 characters
 * @param attributes every other CloudEvents attribute ({@code time}, {@code datacontenttype},
 *     extensions …) as one JSON object; null when there is none
 * @param data raw JSON text, or with {@code dataBinary} any bytes
 * @param dataBinary true when {@code data} is not JSON; it then leaves as {@code data_base64}
 * @param principal on whose behalf the event was published
 * @param depth 0 for an event from outside, one more for each event that an execution publishes, at
 *     most 32,767 (a smallint)
 * @param rootId the first event of the chain; null when that is this one
 * @param traceparent W3C trace context of the sender
 * @param deliverAt its deliveries start no earlier; null means at once. An instruction, no part of
 *     the fact: it becomes the due time of the deliveries and is not kept beside it
 */
public record Event(
    UUID id,
    @Nullable String externalId,
    String source,
    String type,
    @Nullable String subject,
    @Nullable String attributes,
    Payload data,
    boolean dataBinary,
    @Nullable String principal,
    int depth,
    @Nullable UUID rootId,
    @Nullable String traceparent,
    @Nullable Instant deliverAt) {
  /**
   * Longest {@code source}, {@code type} and {@code subject}: far beyond real names, far below a
   * page of the table.
   */
  public static final int TEXT_MAX = 1_024;

  /** Earlier is no time that a computer of today would name. */
  public static final Instant DELIVER_AT_MIN = Instant.parse("1971-01-01T00:00:00Z");

  /** Later, the table cannot tell two times apart by a microsecond any more. */
  public static final Instant DELIVER_AT_MAX = Instant.parse("2200-01-01T00:00:00Z");

  /** Longest {@code id} of a sender. */
  public static final int EXTERNAL_ID_MAX = 256;

  /**
   * @throws IllegalArgumentException naming the attribute that is missing, too long or holds a
   *     control character (PostgreSQL cannot store U+0000, HTTP headers none of them), or half of a
   *     surrogate pair
   */
  public Event {
    if (externalId != null) {
      requireText("id", externalId, EXTERNAL_ID_MAX);
    }
    requireText("source", source, TEXT_MAX);
    requireText("type", type, TEXT_MAX);
    if (subject != null) {
      requireText("subject", subject, TEXT_MAX);
    }
    requireStorable("attributes", attributes);
    requireStorable("principal", principal);
    requireStorable("traceparent", traceparent);
    if (deliverAt != null
        && (deliverAt.isBefore(DELIVER_AT_MIN) || deliverAt.isAfter(DELIVER_AT_MAX))) {
      throw new IllegalArgumentException(
          "deliverAt is from " + DELIVER_AT_MIN + " to " + DELIVER_AT_MAX);
    }
    if (depth < 0 || depth > Short.MAX_VALUE) {
      throw new IllegalArgumentException("depth is 0 to " + Short.MAX_VALUE + ", not " + depth);
    }
  }

  /** An event that is delivered at once. */
  public Event(
      UUID id,
      @Nullable String externalId,
      String source,
      String type,
      @Nullable String subject,
      @Nullable String attributes,
      Payload data,
      boolean dataBinary,
      @Nullable String principal,
      int depth,
      @Nullable UUID rootId,
      @Nullable String traceparent) {
    this(
        id,
        externalId,
        source,
        type,
        subject,
        attributes,
        data,
        dataBinary,
        principal,
        depth,
        rootId,
        traceparent,
        null);
  }

  /** The same, delivered at {@code time} at the earliest; null means at once. */
  public Event deliveredAt(@Nullable Instant time) {
    return new Event(
        id,
        externalId,
        source,
        type,
        subject,
        attributes,
        data,
        dataBinary,
        principal,
        depth,
        rootId,
        traceparent,
        time);
  }

  /** An event with JSON data from inside the JVM, without an id of the caller's own. */
  public static Event of(
      UUID id, String source, String type, @Nullable String subject, Payload data) {
    return new Event(id, null, source, type, subject, null, data, false, null, 0, null, null);
  }

  /** The same for the same {@code (source, externalId)} on every node and at any time. */
  public static UUID derivedId(String source, String externalId) {
    return Derived.uuid(source, externalId);
  }

  /** The CloudEvents {@code id}: the sender's if it gave one, else ours. */
  public String cloudEventId() {
    return externalId == null ? id.toString() : externalId;
  }

  /** The first event of this event's chain. */
  public UUID root() {
    return rootId == null ? id : rootId;
  }

  /**
   * What the event weighs in memory and in a message, in bytes: text and data, and a flat 400 for
   * the objects around them (measured with JOL-like counting; it only has to be in proportion).
   */
  public int weight() {
    return 400
        + data.size()
        + source.length()
        + type.length()
        + length(externalId)
        + length(subject)
        + length(attributes);
  }

  private static int length(@Nullable String text) {
    return text == null ? 0 : text.length();
  }

  private static void requireText(String name, String value, int max) {
    if (value.isEmpty() || value.length() > max) {
      throw new IllegalArgumentException(
          name + " has 1 to " + max + " characters, not " + value.length());
    }
    for (int i = 0; i < value.length(); i++) {
      if (Character.isISOControl(value.charAt(i))) {
        throw new IllegalArgumentException(name + " must not contain control characters");
      }
    }
    requireStorable(name, value);
  }

  /** One text that PostgreSQL refuses would fail the whole group that its event is in. */
  private static void requireStorable(String name, @Nullable String value) {
    if (value == null) {
      return;
    }
    if (value.indexOf('\0') >= 0) {
      throw new IllegalArgumentException(name + " must not contain the character U+0000");
    }
    for (int i = 0; i < value.length(); i++) {
      if (Character.isSurrogate(value.charAt(i))) {
        if (!Character.isSupplementaryCodePoint(value.codePointAt(i))) {
          throw new IllegalArgumentException(name + " holds half of a surrogate pair");
        }
        i++;
      }
    }
  }
}
