package dev.viesti.dispatcher.wasm.metering;

import dev.viesti.dispatcher.wasm.InvalidModuleException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/** Reads a part of a binary and never beyond it. */
final class ByteReader {
  private final byte[] bytes;
  private final int end;
  private int position;

  ByteReader(byte[] bytes, int start, int end) {
    this.bytes = bytes;
    this.position = start;
    this.end = end;
  }

  ByteReader(byte[] bytes, Span span) {
    this(bytes, span.start(), span.end());
  }

  int position() {
    return position;
  }

  int remaining() {
    return end - position;
  }

  int u8() throws InvalidModuleException {
    if (position >= end) {
      throw new InvalidModuleException(
          "ends in the middle of something, at byte %,d".formatted(position));
    }
    return bytes[position++] & 0xff;
  }

  /** An unsigned LEB128 of 32 bits, as a value that may look negative. */
  int u32() throws InvalidModuleException {
    int value = 0;
    for (int shift = 0; shift < 35; shift += 7) {
      int next = u8();
      if (shift == 28 && next > 0x0f) {
        break;
      }
      value |= (next & 0x7f) << shift;
      if (next < 0x80) {
        return value;
      }
    }
    throw new InvalidModuleException("has a malformed integer before byte %,d".formatted(position));
  }

  /**
   * A count or length: of things that take at least a byte each, so no more than bytes are left.
   */
  int count() throws InvalidModuleException {
    int value = u32();
    if (value < 0 || value > remaining()) {
      throw new InvalidModuleException(
          "announces more than it contains, before byte %,d".formatted(position));
    }
    return value;
  }

  /** An integer whose value does not matter, of at most {@code bytesMax} bytes. */
  void skipInteger(int bytesMax) throws InvalidModuleException {
    for (int i = 0; i < bytesMax; i++) {
      if (u8() < 0x80) {
        return;
      }
    }
    throw new InvalidModuleException("has a malformed integer before byte %,d".formatted(position));
  }

  void skip(int length) throws InvalidModuleException {
    if (length < 0 || length > remaining()) {
      throw new InvalidModuleException(
          "ends in the middle of something, at byte %,d".formatted(end));
    }
    position += length;
  }

  Span span(int length) throws InvalidModuleException {
    int start = position;
    skip(length);
    return new Span(start, position);
  }

  String name() throws InvalidModuleException {
    Span span = span(count());
    try {
      return StandardCharsets.UTF_8
          .newDecoder()
          .decode(ByteBuffer.wrap(bytes, span.start(), span.length()))
          .toString();
    } catch (CharacterCodingException e) {
      throw new InvalidModuleException(
          "has a name that is not UTF-8, before byte %,d".formatted(position));
    }
  }
}
