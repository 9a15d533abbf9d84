package dev.viesti.persistence.outbox;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * An array of one dimension as PostgreSQL's {@code array_recv} reads it: number of dimensions,
 * whether there are nulls, type of the elements, length, first index; then the elements, each after
 * its length in bytes, -1 for null. Numbers are big-endian.
 */
final class BinaryArray {
  private static final int HEAD = 5 * Integer.BYTES;
  private static final int NULL = -1;

  /** A guess: numbers fit, and texts make it grow. */
  private static final int ELEMENT_BYTES = 12;

  private final int elementType;
  private ByteBuffer buffer;
  private int length;
  private int nulls;

  /**
   * @param elementType its oid
   * @param expected about how many elements will be added
   */
  BinaryArray(int elementType, int expected) {
    this.elementType = elementType;
    this.buffer = ByteBuffer.allocate(HEAD + expected * ELEMENT_BYTES).position(HEAD);
  }

  void add(byte @Nullable [] value) {
    if (value == null) {
      addNull();
    } else {
      element(value.length).put(value);
    }
  }

  void add(@Nullable UUID value) {
    if (value == null) {
      addNull();
    } else {
      element(2 * Long.BYTES)
          .putLong(value.getMostSignificantBits())
          .putLong(value.getLeastSignificantBits());
    }
  }

  void add(@Nullable Long value) {
    if (value == null) {
      addNull();
    } else {
      element(Long.BYTES).putLong(value);
    }
  }

  void add(int value) {
    element(Integer.BYTES).putInt(value);
  }

  void add(boolean value) {
    element(1).put((byte) (value ? 1 : 0));
  }

  private void addNull() {
    nulls++;
    element(NULL);
  }

  private ByteBuffer element(int bytes) {
    int needed = Integer.BYTES + Math.max(0, bytes);
    if (buffer.remaining() < needed) {
      int grown = Math.max(2 * buffer.capacity(), buffer.position() + needed);
      buffer = ByteBuffer.wrap(Arrays.copyOf(buffer.array(), grown)).position(buffer.position());
    }
    length++;
    return buffer.putInt(bytes);
  }

  /** The whole array; the empty one when all its elements are null. */
  byte[] bytes() {
    boolean empty = nulls == length;
    int end = buffer.position();
    buffer.position(0);
    buffer.putInt(empty ? 0 : 1).putInt(empty || nulls == 0 ? 0 : 1).putInt(elementType);
    if (empty) {
      return Arrays.copyOf(buffer.array(), buffer.position());
    }
    buffer.putInt(length).putInt(1);
    return Arrays.copyOf(buffer.array(), end);
  }
}
