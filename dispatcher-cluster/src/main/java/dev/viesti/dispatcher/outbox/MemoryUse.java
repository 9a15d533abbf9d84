package dev.viesti.dispatcher.outbox;

/** How many rows are in memory, and what they weigh in bytes. Not thread-safe. */
final class MemoryUse {
  private int rows;
  private long bytes;

  int rows() {
    return rows;
  }

  long bytes() {
    return bytes;
  }

  void add(int weight) {
    rows++;
    bytes += weight;
  }

  void remove(int weight) {
    rows--;
    bytes -= weight;
  }

  /** A row weighs something else now. */
  void change(int before, int after) {
    bytes += after - before;
  }
}
