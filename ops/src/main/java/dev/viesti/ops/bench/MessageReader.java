package dev.viesti.ops.bench;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Reads HTTP/1.1 messages, requests or responses, one after the other off one connection. Knows
 * bodies with a {@code Content-Length} only, which is what a node sends and answers. It shares two
 * cores with what it measures, so it looks at each byte once and keeps no objects. For one thread.
 */
final class MessageReader {
  private static final int BUFFER_START = 8 * 1_024;

  /** Larger than any answer to a batch of 1,000 events. */
  private static final int BUFFER_MAX = 16 << 20;

  private static final byte[] LENGTH = "content-length:".getBytes(StandardCharsets.US_ASCII);
  private static final int CASE_BIT = 0x20;

  private final InputStream in;
  private byte[] buffer = new byte[BUFFER_START];
  private int start;
  private int end;
  private int headEnd;
  private int bodyEnd;

  MessageReader(InputStream in) {
    this.in = in;
  }

  /**
   * Reads the next message; what the one before held is gone.
   *
   * @return false when the connection has ended before it
   * @throws EOFException when it has ended within it
   */
  boolean next() throws IOException {
    start = bodyEnd;
    int seen = start;
    while (true) {
      int found = endOfHead(seen);
      if (found >= 0) {
        headEnd = found;
        break;
      }
      seen = Math.max(start, end - 3);
      int moved = start;
      if (!fill()) {
        if (start == end) {
          return false;
        }
        throw new EOFException("the connection ended within a head");
      }
      seen -= moved - start;
    }
    int length = contentLength();
    int headLength = headEnd - start;
    while (end - start - headLength < length) {
      if (!fill()) {
        throw new EOFException("the connection ended within a body");
      }
    }
    headEnd = start + headLength;
    bodyEnd = headEnd + length;
    return true;
  }

  /** The status of a response. */
  int status() {
    // HTTP/1.1 202 …
    int at = start + "HTTP/1.1 ".length();
    return (buffer[at] - '0') * 100 + (buffer[at + 1] - '0') * 10 + buffer[at + 2] - '0';
  }

  String body() {
    return new String(buffer, headEnd, bodyEnd - headEnd, StandardCharsets.UTF_8);
  }

  /**
   * The number, 0 or more, that follows {@code mark} in the body.
   *
   * @return -1 when there is none
   */
  int numberAfter(byte[] mark) {
    int at = indexOf(mark, headEnd, bodyEnd);
    if (at < 0) {
      return -1;
    }
    int number = -1;
    for (int i = at + mark.length; i < bodyEnd && isDigit(buffer[i]); i++) {
      number = Math.max(number, 0) * 10 + buffer[i] - '0';
    }
    return number;
  }

  private int endOfHead(int from) {
    for (int i = from; i + 3 < end; i++) {
      if (buffer[i] == '\r'
          && buffer[i + 1] == '\n'
          && buffer[i + 2] == '\r'
          && buffer[i + 3] == '\n') {
        return i + 4;
      }
    }
    return -1;
  }

  private int contentLength() {
    for (int i = start; i < headEnd; i++) {
      if (buffer[i] == '\n' && startsWith(LENGTH, i + 1)) {
        int length = 0;
        for (int at = i + 1 + LENGTH.length; buffer[at] != '\r'; at++) {
          if (isDigit(buffer[at])) {
            length = length * 10 + buffer[at] - '0';
          }
        }
        return length;
      }
    }
    return 0;
  }

  private boolean startsWith(byte[] lowercase, int at) {
    if (at + lowercase.length > headEnd) {
      return false;
    }
    for (int i = 0; i < lowercase.length; i++) {
      int b = buffer[at + i];
      if ((b >= 'A' && b <= 'Z' ? b | CASE_BIT : b) != lowercase[i]) {
        return false;
      }
    }
    return true;
  }

  private int indexOf(byte[] mark, int from, int to) {
    for (int i = from; i + mark.length <= to; i++) {
      if (Arrays.equals(buffer, i, i + mark.length, mark, 0, mark.length)) {
        return i;
      }
    }
    return -1;
  }

  private static boolean isDigit(byte b) {
    return b >= '0' && b <= '9';
  }

  /** Reads what has come; {@code start} may move, and everything with it. */
  private boolean fill() throws IOException {
    if (start == end) {
      start = 0;
      end = 0;
      bodyEnd = 0;
    }
    if (end == buffer.length) {
      if (start > 0) {
        System.arraycopy(buffer, start, buffer, 0, end - start);
        end -= start;
        start = 0;
      } else if (buffer.length >= BUFFER_MAX) {
        throw new IOException("a message of more than " + BUFFER_MAX + " bytes");
      } else {
        buffer = Arrays.copyOf(buffer, buffer.length * 2);
      }
    }
    int count = in.read(buffer, end, buffer.length - end);
    if (count < 0) {
      return false;
    }
    end += count;
    return true;
  }
}
