package dev.viesti.dispatcher.commit;

import dev.viesti.persistence.outbox.OutboxRepository;
import java.sql.SQLException;
import java.util.ArrayDeque;

/**
 * Row numbers for all apps of a node, from blocks of the database's sequence. An app's numbers only
 * grow: a claim brings a fresh block, and what an older block had left is thrown away, because
 * another node may have numbered rows of that app in between.
 */
public final class SeqBlocks {
  private final OutboxRepository repository;
  private final ArrayDeque<Long> blocks = new ArrayDeque<>();
  private long next;
  private long end;
  private long floor = Long.MIN_VALUE;

  public SeqBlocks(OutboxRepository repository) {
    this.repository = repository;
  }

  /** From now on every {@link #reserve} gives numbers from {@code firstSeq} on. */
  public synchronized void startAt(long firstSeq) {
    if (firstSeq > floor) {
      floor = firstSeq;
      blocks.add(firstSeq);
    }
  }

  /** Makes sure of {@code count} numbers; blocks while the database is asked. */
  synchronized void reserve(int count) throws SQLException {
    blocks.removeIf(block -> block < floor);
    if (next < floor) {
      next = end = 0;
    }
    long have = end - next + (long) blocks.size() * OutboxRepository.SEQ_BLOCK;
    while (have < count) {
      blocks.add(repository.nextSeqBlock());
      have += OutboxRepository.SEQ_BLOCK;
    }
  }

  /** The next number; at most as many as were reserved. */
  synchronized long next() {
    if (next == end) {
      next = blocks.remove();
      end = next + OutboxRepository.SEQ_BLOCK;
    }
    return next++;
  }
}
