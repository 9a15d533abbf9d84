package dev.viesti.dispatcher.wasm.metering;

import java.util.Arrays;

/** A binary in the making. */
final class ByteWriter {
  private byte[] bytes;
  private int length;

  ByteWriter(int capacity) {
    bytes = new byte[Math.max(16, capacity)];
  }

  int length() {
    return length;
  }

  void clear() {
    length = 0;
  }

  byte[] toByteArray() {
    return Arrays.copyOf(bytes, length);
  }

  ByteWriter u8(int value) {
    reserve(1);
    bytes[length++] = (byte) value;
    return this;
  }

  ByteWriter u32(int value) {
    int rest = value;
    while ((rest & ~0x7f) != 0) {
      u8((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    return u8(rest);
  }

  ByteWriter s64(long value) {
    long rest = value;
    while (rest < -64 || rest > 63) {
      u8((int) (rest & 0x7f) | 0x80);
      rest >>= 7;
    }
    return u8((int) (rest & 0x7f));
  }

  ByteWriter bytes(byte[] source, int start, int end) {
    reserve(end - start);
    System.arraycopy(source, start, bytes, length, end - start);
    length += end - start;
    return this;
  }

  ByteWriter bytes(byte[] source, Span span) {
    return bytes(source, span.start(), span.end());
  }

  ByteWriter all(ByteWriter other) {
    return bytes(other.bytes, 0, other.length);
  }

  private void reserve(int more) {
    if (length + more > bytes.length) {
      bytes = Arrays.copyOf(bytes, Math.max(bytes.length * 2, length + more));
    }
  }
}
