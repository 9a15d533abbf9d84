package dev.viesti.dispatcher.commit;

import dev.viesti.persistence.outbox.OwnerRepository;
import java.sql.SQLException;
import java.util.ArrayDeque;
import java.util.NoSuchElementException;
import java.util.function.LongSupplier;

/**
 * Row numbers for all apps of a node, from blocks of the database's sequence. They only grow. A
 * claim brings a fresh block, and what an older block had left is thrown away, because another node
 * may have numbered rows of that app in between. Thread-safe.
 */
public final class SeqBlocks {
  /** Blocks asked for at a time: at 100,000 rows a second the database hears of it 10 times. */
  private static final int BLOCKS_AT_ONCE = 10;

  /** Numbers {@code [next, end)}. */
  private static final class Range {
    long next;
    final long end;

    Range(long next, long end) {
      this.next = next;
      this.end = end;
    }
  }

  private final OwnerRepository repository;
  private final ArrayDeque<Range> ranges = new ArrayDeque<>();
  private long floor = Long.MIN_VALUE;

  /** Read without the lock, which is held while the database is asked. */
  private volatile long last = Long.MIN_VALUE;

  public SeqBlocks(OwnerRepository repository) {
    this.repository = repository;
  }

  /** From now on every {@link #take} gives numbers from {@code firstSeq} on. */
  public synchronized void startAt(long firstSeq) {
    floor = Math.max(floor, firstSeq);
    if (firstSeq > last && (ranges.isEmpty() || firstSeq > ranges.getLast().end)) {
      add(firstSeq); // else what we have is larger already: numbers must not go back
    }
  }

  /** The largest number that was given out; nothing smaller will be from now on. */
  public long last() {
    return last;
  }

  /**
   * Gives out {@code count} numbers, larger than all before; blocks while the database is asked.
   *
   * @return gives them one by one, growing; not thread-safe
   */
  synchronized LongSupplier take(int count) throws SQLException {
    ranges.removeIf(range -> range.next < floor);
    long have = 0;
    for (Range range : ranges) {
      have += range.end - range.next;
    }
    while (have < count) {
      for (long block : repository.nextSeqBlocks(BLOCKS_AT_ONCE)) {
        add(block);
        have += OwnerRepository.SEQ_BLOCK;
      }
    }
    ArrayDeque<Range> taken = new ArrayDeque<>();
    for (long left = count; left > 0; ) {
      Range range = ranges.getFirst();
      long part = Math.min(left, range.end - range.next);
      taken.add(new Range(range.next, range.next + part));
      last = range.next + part - 1;
      range.next += part;
      left -= part;
      if (range.next == range.end) {
        ranges.removeFirst();
      }
    }
    return () -> next(taken);
  }

  private void add(long block) {
    ranges.add(new Range(block, block + OwnerRepository.SEQ_BLOCK));
  }

  private static long next(ArrayDeque<Range> taken) {
    Range range = taken.peek();
    if (range == null) {
      throw new NoSuchElementException("more numbers are used than were taken");
    }
    long number = range.next++;
    if (range.next == range.end) {
      taken.remove();
    }
    return number;
  }
}
