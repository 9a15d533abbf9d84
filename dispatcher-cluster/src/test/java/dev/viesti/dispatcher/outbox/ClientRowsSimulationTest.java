package dev.viesti.dispatcher.outbox;

import static org.assertj.core.api.Assertions.assertThat;

import dev.viesti.persistence.outbox.ClientRow;
import dev.viesti.persistence.outbox.ClientRowRepository.ClientPage;
import dev.viesti.persistence.outbox.ClientRowRepository.Horizon;
import dev.viesti.protocol.event.Event;
import dev.viesti.protocol.event.Payload;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * Clients that take numbers and commit in any order, or never, or at the very end; a reader whose
 * horizon, snapshot and news lie apart; rows that leave and come back; owners that start anew.
 */
final class ClientRowsSimulationTest {
  private static final int SEEDS = 5_000;
  private static final int STEPS = 400;

  @Test
  void losesNoRowHoweverLateItIsCommitted() {
    long late = 0;
    for (long seed = 0; seed < SEEDS; seed++) {
      late += new Simulation(seed).run(STEPS).end();
    }
    assertThat(late).as("rows that were committed below one that was seen").isGreaterThan(10_000);
  }

  private static final class Client {
    long transaction;
    final List<Long> numbers = new ArrayList<>();
  }

  private static final class Simulation {
    private static final int PAGE = 6;

    private final long seed;
    private final Random random;
    private final List<Client> open = new ArrayList<>();
    private final TreeMap<Long, ClientRow> table = new TreeMap<>();
    private final TreeSet<Long> mine = new TreeSet<>();
    private final Set<Long> handled = new HashSet<>();
    private ClientRows rows = new ClientRows();
    private Instant now = Instant.parse("2026-01-01T00:00:00Z");
    private long lastTransaction = 100;
    private long lastNumber;
    private long largestSeen;
    private long late;
    private int committed;

    private ClientRows.@Nullable Read read;
    private @Nullable Long number;
    private @Nullable Horizon horizon;
    private @Nullable ClientPage page;

    Simulation(long seed) {
      this.seed = seed;
      this.random = new Random(seed);
      begin(); // open to the end
    }

    Simulation run(int steps) {
      for (int step = 0; step < steps; step++) {
        int dice = random.nextInt(100);
        if (dice < 12) {
          begin();
        } else if (dice < 30) {
          takeNumber();
        } else if (dice < 42) {
          finish(random.nextInt(5) > 0);
        } else if (dice == 42) {
          newOwner();
        } else {
          reader(dice);
        }
        checkMark();
      }
      return this;
    }

    /**
     * @return rows that a cursor on the largest number would have lost
     */
    long end() {
      while (!open.isEmpty()) {
        commit(open.removeFirst(), true);
      }
      for (int step = 0; step < 10_000 && !(table.isEmpty() && rows.mark() >= lastNumber); step++) {
        reader(44 + random.nextInt(55));
        checkMark();
      }
      check(table.isEmpty(), "never handled: " + table.keySet());
      check(rows.mark() >= lastNumber, "the mark never follows");
      check(handled.size() == committed, "handled " + handled.size() + " of " + committed);
      return late;
    }

    private void reader(int dice) {
      if (dice < 50) {
        rows.mayWait();
      } else if (dice < 85) {
        readOneStep();
      } else if (dice < 94) {
        settle();
      } else if (dice < 96) {
        giveUp();
      } else if (dice < 97 && read != null) {
        forgetRead();
        rows.failed(now);
      } else {
        now = now.plusMillis(random.nextInt(2_000));
      }
    }

    private void begin() {
      var client = new Client();
      client.transaction = ++lastTransaction;
      open.add(client);
    }

    private void takeNumber() {
      if (!open.isEmpty()) {
        open.get(random.nextInt(open.size())).numbers.add(++lastNumber);
      }
    }

    private void finish(boolean commits) {
      if (open.size() > 1) {
        commit(open.remove(1 + random.nextInt(open.size() - 1)), commits);
      }
    }

    private void commit(Client client, boolean commits) {
      for (long seq : commits ? client.numbers : List.<Long>of()) {
        var event = Event.of(new UUID(0, seq), "sim", "t", null, Payload.NONE);
        table.put(seq, new ClientRow(seq, now, null, event));
        committed++;
        late += seq < largestSeen ? 1 : 0;
      }
    }

    /** Asks; takes the number; takes the transaction; takes the snapshot; hears. Others between. */
    private void readOneStep() {
      if (read == null) {
        read = rows.next(random.nextInt(4) > 0, now);
      } else if (read.horizon() && number == null) {
        number = lastNumber;
      } else if (read.horizon() && horizon == null && number != null) {
        horizon = new Horizon(number, ++lastTransaction);
      } else if (page == null) {
        long oldest =
            open.stream().mapToLong(client -> client.transaction).min().orElse(lastTransaction + 1);
        List<ClientRow> above = List.copyOf(table.tailMap(read.afterSeq(), false).values());
        page =
            new ClientPage(
                oldest, above.subList(0, Math.min(PAGE, above.size())), above.size() < PAGE);
      } else {
        for (ClientRow row : rows.loaded(horizon, page, now)) {
          check(mine.add(row.seq()), row.seq() + " is taken twice");
          check(!handled.contains(row.seq()), row.seq() + " is taken after it is gone");
          largestSeen = Math.max(largestSeen, row.seq());
        }
        forgetRead();
      }
    }

    private void settle() {
      if (!mine.isEmpty()) {
        long seq = random.nextBoolean() ? mine.first() : mine.last();
        mine.remove(seq);
        table.remove(seq);
        handled.add(seq);
        rows.left(seq);
      }
    }

    private void giveUp() {
      if (!mine.isEmpty()) {
        long seq = mine.last();
        mine.remove(seq);
        rows.again(List.of(seq), now);
      }
    }

    private void newOwner() {
      rows = new ClientRows();
      mine.clear();
      forgetRead();
    }

    private void forgetRead() {
      read = null;
      number = null;
      horizon = null;
      page = null;
    }

    /** Below the mark there is nothing that the owner does not have, nor ever will be. */
    private void checkMark() {
      for (long seq : table.headMap(rows.mark(), true).keySet()) {
        check(mine.contains(seq), seq + " is below the mark " + rows.mark() + " and nobody's");
      }
      for (Client client : open) {
        for (long seq : client.numbers) {
          check(seq > rows.mark(), seq + " is not committed, and below the mark");
        }
      }
    }

    private void check(boolean holds, String what) {
      if (!holds) {
        throw new AssertionError("seed " + seed + ": " + what);
      }
    }
  }
}
