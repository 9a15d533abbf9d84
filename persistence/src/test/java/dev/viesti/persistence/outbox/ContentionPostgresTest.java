package dev.viesti.persistence.outbox;

import static dev.viesti.persistence.outbox.OutboxFixture.delete;
import static dev.viesti.persistence.outbox.OutboxFixture.keyed;
import static dev.viesti.persistence.outbox.OutboxFixture.retry;
import static org.assertj.core.api.Assertions.assertThat;

import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.delivery.Delivery;
import dev.viesti.protocol.event.Event;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Lanes of several nodes at the same apps, with the same ids, in any order. */
final class ContentionPostgresTest {
  private static final int LANES = 4;
  private static final int APPS = 5;
  private static final int GROUPS = 60;
  private static final int IDS = 300;

  private final OutboxFixture fixture = new OutboxFixture();
  private final OutboxRepository outbox = fixture.outbox;
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final List<AppId> apps = new ArrayList<>();
  private final List<AtomicLong> epochs = new ArrayList<>();

  @AfterEach
  void close() {
    threads.shutdownNow();
    fixture.close();
  }

  @Test
  void lanesAndTakeoversNeverDeadlockNorDoubleAnId() throws Exception {
    for (int n = 0; n < APPS; n++) {
      apps.add(new AppId("app-" + n));
      epochs.add(new AtomicLong(fixture.owners.claim(apps.get(n), "node", 0).epoch()));
    }
    List<Future<Integer>> lanes = new ArrayList<>();
    for (int lane = 0; lane < LANES; lane++) {
      long seed = lane;
      lanes.add(threads.submit(() -> lane(new Random(seed))));
    }
    var ended = new AtomicBoolean();
    Future<Integer> takeovers = threads.submit(() -> takeOver(ended));
    int accepted = 0;
    for (Future<Integer> lane : lanes) {
      accepted += lane.get(120, TimeUnit.SECONDS); // a deadlock would be thrown from here
    }
    ended.set(true);
    assertThat(takeovers.get(20, TimeUnit.SECONDS)).isPositive();
    assertThat(accepted).isPositive();
    assertThat(fixture.count("idempotency_key")).isEqualTo(accepted);
  }

  /** The ids of a group are written in their order, whatever the order of its events. */
  @Test
  void lanesWithTheSameIdsInOppositeOrderDoNotDeadlock() throws Exception {
    var app = new AppId("opposite");
    fixture.owners.claim(app, "node", 0);
    for (int round = 0; round < 20; round++) {
      List<Event> events = new ArrayList<>();
      for (int n = 0; n < 300; n++) {
        events.add(keyed("round-" + round + "-" + n));
      }
      var there = OutboxFixture.insert(app, 1, events.toArray(Event[]::new));
      var back = OutboxFixture.insert(app, 1, events.reversed().toArray(Event[]::new));
      Future<Inserted> one = threads.submit(() -> fixture.put(there));
      Future<Inserted> other = threads.submit(() -> fixture.put(back));
      int written = one.get(20, TimeUnit.SECONDS).rows().size();
      written += other.get(20, TimeUnit.SECONDS).rows().size();
      assertThat(written).isEqualTo(events.size());
    }
  }

  /** Shared locks let others in before one that waits to change the row: for how long? */
  @Test
  void takeoverGetsItsTurnThoughLanesNeverRest() throws Exception {
    var app = new AppId("busy");
    var epoch = new AtomicLong(fixture.owners.claim(app, "node", 0).epoch());
    var ended = new AtomicBoolean();
    var groups = new AtomicLong();
    List<Future<Long>> lanes = new ArrayList<>();
    for (int lane = 0; lane < LANES; lane++) {
      lanes.add(
          threads.submit(
              () -> {
                while (!ended.get()) {
                  fixture.rows(app, epoch.get(), 20);
                  groups.incrementAndGet();
                }
                return groups.get();
              }));
    }
    Duration longest = Duration.ZERO;
    for (int n = 0; n < 20; n++) {
      awaitMore(groups, 20);
      long start = System.nanoTime();
      epoch.set(fixture.owners.claim(app, "other", 0).epoch());
      Duration waited = Duration.ofNanos(System.nanoTime() - start);
      longest = waited.compareTo(longest) > 0 ? waited : longest;
    }
    ended.set(true);
    for (Future<Long> lane : lanes) {
      lane.get(20, TimeUnit.SECONDS);
    }
    assertThat(longest).isLessThan(Duration.ofSeconds(5));
  }

  private static void awaitMore(AtomicLong counter, long more) {
    long enough = counter.get() + more;
    long deadline = System.nanoTime() + Duration.ofSeconds(20).toNanos();
    while (counter.get() < enough) {
      assertThat(System.nanoTime()).isLessThan(deadline);
      LockSupport.parkNanos(1_000_000);
    }
  }

  /** Returns how many events with ids it had accepted. */
  private int lane(Random random) throws SQLException {
    int accepted = 0;
    for (int n = 0; n < GROUPS; n++) {
      List<Insert> inserts = new ArrayList<>();
      for (int i : order(random)) {
        var events = new Event[5];
        for (int e = 0; e < events.length; e++) {
          events[e] = keyed("id-" + random.nextInt(IDS));
        }
        inserts.add(OutboxFixture.insert(apps.get(i), epochs.get(i).get(), events));
      }
      List<Inserted> answers = outbox.insert(inserts, fixture::seq);
      List<Settling> settlings = new ArrayList<>();
      for (int i = 0; i < answers.size(); i++) {
        List<RowChange> changes = new ArrayList<>();
        for (Delivery row : answers.get(i).rows()) {
          changes.add(random.nextBoolean() ? delete(row) : retry(row));
          accepted++;
        }
        Collections.shuffle(changes, random);
        settlings.add(new Settling(inserts.get(i).app(), inserts.get(i).epoch(), changes));
      }
      Collections.shuffle(settlings, random);
      outbox.settle(settlings);
    }
    return accepted;
  }

  private int takeOver(AtomicBoolean ended) throws SQLException {
    var random = new Random(99);
    int count = 0;
    while (!ended.get()) {
      int i = random.nextInt(APPS);
      epochs.get(i).set(fixture.owners.claim(apps.get(i), "node", 0).epoch());
      count++;
    }
    return count;
  }

  private static List<Integer> order(Random random) {
    List<Integer> order = new ArrayList<>();
    for (int n = 0; n < APPS; n++) {
      order.add(n);
    }
    Collections.shuffle(order, random);
    return order;
  }
}
