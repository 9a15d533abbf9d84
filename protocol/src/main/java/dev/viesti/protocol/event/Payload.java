package dev.viesti.protocol.event;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * The bytes of an event's {@code data}, exactly as they came in. Immutable by agreement: the array
 * is not copied, so neither the giver nor a reader may change it.
 */
public final class Payload {
  /** No data at all; on the wire the {@code data} member is missing. */
  public static final Payload NONE = new Payload(new byte[0]);

  private final byte[] bytes;

  private Payload(byte[] bytes) {
    this.bytes = bytes;
  }

  /** Wraps without copying. */
  @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
  public static Payload of(byte[] bytes) {
    return bytes.length == 0 ? NONE : new Payload(bytes);
  }

  /** UTF-8 bytes of {@code json}. */
  public static Payload ofJson(String json) {
    return of(json.getBytes(StandardCharsets.UTF_8));
  }

  /** The array itself, not a copy. */
  @JsonValue
  public byte[] bytes() {
    return bytes;
  }

  /** Length in bytes. */
  public int size() {
    return bytes.length;
  }

  public boolean isEmpty() {
    return bytes.length == 0;
  }

  /** The bytes read as UTF-8. */
  public String utf8() {
    return new String(bytes, StandardCharsets.UTF_8);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Payload that && Arrays.equals(bytes, that.bytes);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(bytes);
  }

  /** The length only: payloads do not belong into logs. */
  @Override
  public String toString() {
    return "Payload[" + bytes.length + " bytes]";
  }
}
