package dev.viesti.ops.bench;

import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The CloudEvents of a run: {@code data} of 200 bytes, an id of the sender's own each, as senders
 * that may repeat themselves give. Thread-safe; buffers are not.
 */
final class Events {
  /** Bytes of each event's {@code data}. */
  static final int DATA_BYTES = 200;

  /** Digits of an index: no two events differ in their size. */
  private static final int INDEX_DIGITS = 9;

  private static final byte[] AFTER_ID =
      ("\",\"source\":\"bench\",\"type\":\"bench.event\",\"subject\":\"subject-1\",\"data\":"
              + data()
              + "}")
          .getBytes(StandardCharsets.US_ASCII);

  private final String run;
  private final byte[] beforeIndex;
  private final AtomicInteger next = new AtomicInteger();

  /**
   * @param run unique within the data directory: the start of all ids
   */
  Events(String run) {
    this.run = run;
    this.beforeIndex =
        ("{\"specversion\":\"1.0\",\"id\":\"" + run + "-").getBytes(StandardCharsets.US_ASCII);
  }

  String run() {
    return run;
  }

  /** Numbers for {@code count} more events; the first of them. */
  int take(int count) {
    return next.getAndAdd(count);
  }

  /** A body for batches of {@code batch}, to be filled again and again. */
  Body body(int batch) {
    return new Body(batch);
  }

  private static String data() {
    String start = "{\"text\":\"";
    String end = "\"}";
    return start + "x".repeat(DATA_BYTES - start.length() - end.length()) + end;
  }

  /** For one thread. */
  final class Body {
    private final int batch;
    private final int eventBytes = beforeIndex.length + INDEX_DIGITS + AFTER_ID.length;
    private final byte[] bytes;

    private Body(int batch) {
      this.batch = batch;
      this.bytes = new byte[batch == 1 ? eventBytes : batch * (eventBytes + 1) + 1];
    }

    String contentType() {
      return batch == 1 ? "application/cloudevents+json" : "application/cloudevents-batch+json";
    }

    byte[] bytes() {
      return bytes;
    }

    /** Renders events {@code first} and following. */
    void fill(int first) {
      if (batch == 1) {
        write(first, 0);
        return;
      }
      int at = 0;
      for (int i = 0; i < batch; i++) {
        bytes[at] = (byte) (i == 0 ? '[' : ',');
        at = write(first + i, at + 1);
      }
      bytes[at] = ']';
    }

    private int write(int index, int at) {
      System.arraycopy(beforeIndex, 0, bytes, at, beforeIndex.length);
      int digits = at + beforeIndex.length;
      int rest = index;
      for (int i = INDEX_DIGITS - 1; i >= 0; i--) {
        bytes[digits + i] = (byte) ('0' + rest % 10);
        rest /= 10;
      }
      System.arraycopy(AFTER_ID, 0, bytes, digits + INDEX_DIGITS, AFTER_ID.length);
      return digits + INDEX_DIGITS + AFTER_ID.length;
    }
  }
}
