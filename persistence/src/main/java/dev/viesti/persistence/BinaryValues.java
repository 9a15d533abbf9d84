package dev.viesti.persistence;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Arrays;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Values in PostgreSQL's binary form, one after the other, each after its length in bytes, -1 for
 * null. Numbers are big-endian. Not thread-safe.
 */
public abstract sealed class BinaryValues permits BinaryArray, BinaryCopy {
  /** PostgreSQL counts time from 2000-01-01 on. */
  private static final long EPOCH_MICROS = 946_684_800_000_000L;

  /** The smallest number stands for {@code -infinity}. */
  private static final long BEFORE_ALL = Long.MIN_VALUE;

  private static final int NULL = -1;

  private ByteBuffer buffer;
  private int count;
  private int nulls;

  /**
   * @param head bytes that the subclass fills in
   * @param expected about how many bytes will follow
   */
  BinaryValues(int head, int expected) {
    this.buffer = ByteBuffer.allocate(head + expected).position(head);
  }

  public final void add(byte @Nullable [] value) {
    if (value == null) {
      addNull();
    } else {
      element(value.length).put(value);
    }
  }

  public final void add(@Nullable String value) {
    add(value == null ? null : value.getBytes(StandardCharsets.UTF_8));
  }

  public final void add(@Nullable UUID value) {
    if (value == null) {
      addNull();
    } else {
      element(2 * Long.BYTES)
          .putLong(value.getMostSignificantBits())
          .putLong(value.getLeastSignificantBits());
    }
  }

  public final void add(@Nullable Long value) {
    if (value == null) {
      addNull();
    } else {
      element(Long.BYTES).putLong(value);
    }
  }

  /**
   * A time, cut to the microsecond.
   *
   * @param value null means {@code -infinity}
   * @throws ArithmeticException 292,000 years from now
   */
  public final void addTime(@Nullable Instant value) {
    long micros =
        value == null
            ? BEFORE_ALL
            : Math.addExact(
                    Math.multiplyExact(value.getEpochSecond(), 1_000_000L), value.getNano() / 1_000)
                - EPOCH_MICROS;
    element(Long.BYTES).putLong(micros);
  }

  public final void add(int value) {
    element(Integer.BYTES).putInt(value);
  }

  public final void add(short value) {
    element(Short.BYTES).putShort(value);
  }

  public final void add(boolean value) {
    element(1).put((byte) (value ? 1 : 0));
  }

  private void addNull() {
    nulls++;
    element(NULL);
  }

  private ByteBuffer element(int bytes) {
    count++;
    return room(Integer.BYTES + Math.max(0, bytes)).putInt(bytes);
  }

  /** The buffer, at its end, with room for so many bytes more. */
  final ByteBuffer room(int bytes) {
    if (buffer.remaining() < bytes) {
      int grown = Math.max(2 * buffer.capacity(), buffer.position() + bytes);
      buffer = ByteBuffer.wrap(Arrays.copyOf(buffer.array(), grown)).position(buffer.position());
    }
    return buffer;
  }

  /** The bytes up to the end of {@link #room}, and free ones after it. */
  final byte[] bytes() {
    return buffer.array();
  }

  /** How many values there are. */
  final int count() {
    return count;
  }

  /** How many of them are null. */
  final int nulls() {
    return nulls;
  }
}
