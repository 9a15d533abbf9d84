package dev.viesti.persistence.outbox;

import static dev.viesti.persistence.outbox.OutboxFixture.ANY_BYTES;
import static dev.viesti.persistence.outbox.OutboxFixture.NOW;
import static dev.viesti.persistence.outbox.OutboxFixture.TRIGGER;
import static dev.viesti.persistence.outbox.OutboxFixture.routed;
import static org.assertj.core.api.Assertions.assertThat;

import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.delivery.Delivery;
import dev.viesti.protocol.delivery.DeliveryId;
import dev.viesti.protocol.event.Event;
import dev.viesti.protocol.event.Payload;
import dev.viesti.protocol.trigger.TriggerId;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

final class PagesPostgresTest {
  private static final OutboxFixture FIXTURE = new OutboxFixture();
  private static final OutboxRepository OUTBOX = FIXTURE.outbox;

  @AfterAll
  static void close() {
    FIXTURE.close();
  }

  @Test
  void readsFreshRowsByNumberPageByPage() throws Exception {
    AppId app = owned("fresh");
    List<Delivery> rows = FIXTURE.rows(app, 1, 200);
    List<Delivery> read = new ArrayList<>();
    long after = 0;
    Page page;
    do {
      page = FIXTURE.deliveries.atOnce(app, after, 70, ANY_BYTES);
      read.addAll(page.rows());
      after = page.rows().getLast().seq();
    } while (!page.complete());
    assertThat(read).isEqualTo(rows);
    assertThat(FIXTURE.deliveries.atOnce(app, after, 70, ANY_BYTES))
        .isEqualTo(new Page(List.of(), true));
  }

  @Test
  void doesNotCallAFullPageComplete() throws Exception {
    AppId app = owned("full-page");
    FIXTURE.rows(app, 1, 5);
    assertThat(FIXTURE.deliveries.atOnce(app, 0, 5, ANY_BYTES).complete()).isFalse();
    assertThat(FIXTURE.deliveries.atOnce(app, 0, 6, ANY_BYTES).complete()).isTrue();
  }

  @Test
  void endsAPageWithTheRowThatGoesBeyondItsBytes() throws Exception {
    AppId app = owned("bytes");
    List<Delivery> rows = FIXTURE.rows(app, 1, 10);
    int weight = rows.getFirst().weight();
    Page page = FIXTURE.deliveries.atOnce(app, 0, 100, weight * 3L - 1);
    assertThat(page.rows()).isEqualTo(rows.subList(0, 3));
    assertThat(page.complete()).isFalse();
    assertThat(FIXTURE.deliveries.atOnce(app, 0, 100, 1).rows()).isEqualTo(rows.subList(0, 1));
    assertThat(FIXTURE.deliveries.atOnce(app, 0, 100, weight * 10L + 1).complete()).isTrue();
  }

  @Test
  void readsScheduledRowsInTheOrderOfTheirTimes() throws Exception {
    AppId app = owned("scheduled");
    List<Delivery> rows = FIXTURE.rows(app, 1, 12);
    // against the order of their numbers, and the last two at the same time
    List<RowChange> changes = new ArrayList<>();
    List<Delivery> expected = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      Instant due = NOW.plusSeconds(i == 9 ? 8 : i);
      Delivery from = rows.get(i < 8 ? 9 - i : i - 8);
      changes.add(new RowChange.Retry(from, from.retriedAt(due, NOW, "e", null)));
      expected.add(from.retriedAt(due, NOW, "e", null));
    }
    OUTBOX.settle(List.of(new Settling(app, 1, changes)));
    assertThat(FIXTURE.deliveries.atOnce(app, 0, 20, ANY_BYTES).rows())
        .isEqualTo(rows.subList(10, 12));

    assertThat(scheduledBy(app, NOW.plusSeconds(100), 3)).isEqualTo(expected);
    assertThat(scheduledBy(app, NOW.plusSeconds(7), 3)).isEqualTo(expected.subList(0, 8));
    assertThat(scheduledBy(app, NOW.minusSeconds(1), 3)).isEmpty();
    assertThat(scheduledBy(app, NOW.plusSeconds(8), 9)).as("between equal times").hasSize(10);
    assertThat(FIXTURE.deliveries.nextDue(app, NOW)).isEqualTo(NOW.plusSeconds(1));
    assertThat(FIXTURE.deliveries.nextDue(app, NOW.minusNanos(1_000))).isEqualTo(NOW);
    assertThat(FIXTURE.deliveries.nextDue(app, NOW.plusSeconds(8))).isNull();
    assertThat(FIXTURE.all(app)).startsWith(rows.get(10), rows.get(11)).hasSize(12);
  }

  @Test
  void readsHeadsWithAKeyAndATimeOfTheirOwnOnly() throws Exception {
    AppId app = owned("heads");
    List<Delivery> keyed = ordered(app, 6);
    List<Delivery> free = FIXTURE.rows(app, 1, 3);
    List<Delivery> heads = FIXTURE.retried(app, 1, keyed.subList(0, 4), Duration.ofDays(1));
    FIXTURE.retried(app, 1, free, Duration.ofHours(1));
    List<Delivery> read = new ArrayList<>();
    Page page = new Page(List.of(), false);
    Instant due = Instant.EPOCH;
    long seq = 0;
    while (!page.complete()) {
      page = FIXTURE.deliveries.orderedHeads(app, due, seq, 3, ANY_BYTES);
      read.addAll(page.rows());
      due = Objects.requireNonNull(page.rows().getLast().dueAt());
      seq = page.rows().getLast().seq();
    }
    assertThat(read).isEqualTo(heads);
  }

  @Test
  void listsEveryRowOrThoseOfOneTrigger() throws Exception {
    AppId app = owned("list");
    var other = new TriggerId("ship");
    for (int n = 0; n < 5; n++) {
      FIXTURE.put(new Insert(app, 1, NOW, List.of(routed(FIXTURE.event("t"), TRIGGER, other))));
    }
    List<Delivery> fresh = FIXTURE.all(app);
    FIXTURE.retried(app, 1, List.of(fresh.get(0), fresh.get(3)), Duration.ofSeconds(1));
    List<Delivery> all = FIXTURE.all(app);
    assertThat(all).hasSize(10);
    assertThat(listed(app, null)).isEqualTo(all);
    assertThat(listed(app, other))
        .isEqualTo(all.stream().filter(row -> row.trigger().equals(other)).toList())
        .hasSize(5);
    assertThat(listed(app, new TriggerId("none"))).isEmpty();
  }

  @Test
  void seesOnlyItsApp() throws Exception {
    AppId one = owned("only-a");
    AppId two = owned("only-b");
    FIXTURE.retried(one, 1, FIXTURE.rows(one, 1, 1), Duration.ofSeconds(1));
    Delivery fresh = FIXTURE.row(one, 1);
    assertThat(FIXTURE.deliveries.atOnce(two, 0, 10, ANY_BYTES).rows()).isEmpty();
    assertThat(scheduledBy(two, NOW.plusSeconds(99), 10)).isEmpty();
    assertThat(FIXTURE.deliveries.nextDue(two, Instant.EPOCH)).isNull();
    assertThat(FIXTURE.deliveries.find(two, fresh.id())).isNull();
    assertThat(FIXTURE.all(two)).isEmpty();
  }

  @Test
  void findsADeliveryByItsId() throws Exception {
    AppId app = owned("find");
    var other = new TriggerId("a".repeat(64));
    Inserted inserted =
        FIXTURE.put(new Insert(app, 1, NOW, List.of(routed(FIXTURE.event("t"), TRIGGER, other))));
    FIXTURE.rows(app, 1, 50);
    for (Delivery row : inserted.rows()) {
      assertThat(FIXTURE.deliveries.find(app, row.id())).isEqualTo(row);
    }
    assertThat(FIXTURE.deliveries.find(app, new DeliveryId(new UUID(1, 2)))).isNull();
  }

  @Test
  void forgetsOldIdsOnly() throws Exception {
    AppId app = owned("forget");
    FIXTURE.put(OutboxFixture.insert(app, 1, keys(10)));
    FIXTURE.execute(
        """
        update viesti.idempotency_key
        set accepted_at = '2020-01-01Z'
        where event_id in (select event_id from viesti.outbox
          where app_id = 'forget' order by seq limit 7)
        """);
    Instant before = Instant.parse("2020-01-02T00:00:00Z");
    assertThat(FIXTURE.housekeeping.forgetIds(before, 5)).isEqualTo(5);
    assertThat(FIXTURE.housekeeping.forgetIds(before, 5)).isEqualTo(2);
    assertThat(FIXTURE.housekeeping.forgetIds(before, 5)).isZero();
    assertThat(FIXTURE.put(OutboxFixture.insert(app, 1, keys(10))).duplicates().cardinality())
        .isEqualTo(3);
  }

  @Test
  void forgetsTheIdsOfOneApp() throws Exception {
    AppId app = owned("forget-app");
    AppId other = owned("forget-app-not");
    FIXTURE.put(OutboxFixture.insert(app, 1, keys(5)));
    FIXTURE.put(OutboxFixture.insert(other, 1, keys(5)));
    assertThat(FIXTURE.housekeeping.forgetIdsOf(app, 3)).isEqualTo(3);
    assertThat(FIXTURE.housekeeping.forgetIdsOf(app, 3)).isEqualTo(2);
    assertThat(FIXTURE.housekeeping.forgetIdsOf(app, 3)).isZero();
    assertThat(FIXTURE.count("idempotency_key where app_id = 'forget-app-not'")).isEqualTo(5);
  }

  /** Clients write such rows elsewhere, but anybody with SQL can: they must not stop their app. */
  @Test
  void passesOverRowsThatAreNotRouted() throws Exception {
    AppId app = owned("unrouted");
    FIXTURE.execute(
        """
        insert into viesti.outbox (due_at, event_id, accepted_at, app_id, source, type, ordering_key)
        select due::timestamptz, gen_random_uuid(), now(), 'unrouted', '/s', 't', 'key'
        from unnest('{-infinity,2026-01-01Z}'::text[]) as due
        """);
    Delivery row = FIXTURE.row(app, 1);
    assertThat(FIXTURE.deliveries.atOnce(app, 0, 10, ANY_BYTES).rows()).containsExactly(row);
    assertThat(scheduledBy(app, NOW.plusSeconds(99), 10)).isEmpty();
    assertThat(FIXTURE.deliveries.orderedHeads(app, Instant.EPOCH, 0, 10, ANY_BYTES).rows())
        .isEmpty();
    assertThat(FIXTURE.all(app)).containsExactly(row);
    assertThat(FIXTURE.deliveries.find(app, row.id())).isEqualTo(row);
  }

  @Test
  void purgesForTheOwnerOnly() throws Exception {
    AppId app = owned("purge");
    AppId other = owned("purge-not");
    FIXTURE.retried(app, 1, FIXTURE.rows(app, 1, 3), Duration.ofSeconds(1));
    FIXTURE.rows(app, 1, 4);
    FIXTURE.rows(other, 1, 2);
    assertThat(FIXTURE.housekeeping.purge(app, 2, 100)).isEmpty();
    assertThat(FIXTURE.all(app)).hasSize(7);
    assertThat(FIXTURE.housekeeping.purge(app, 1, 5)).hasValue(5);
    assertThat(FIXTURE.housekeeping.purge(app, 1, 5)).hasValue(2);
    assertThat(FIXTURE.housekeeping.purge(app, 1, 5)).hasValue(0);
    assertThat(FIXTURE.all(other)).hasSize(2);
  }

  private static Event[] keys(int count) {
    var events = new Event[count];
    for (int n = 0; n < count; n++) {
      events[n] = OutboxFixture.keyed("forget-" + n);
    }
    return events;
  }

  private static List<Delivery> ordered(AppId app, int count) throws SQLException {
    List<Insert.Routed> events = new ArrayList<>();
    for (int n = 0; n < count; n++) {
      var event = Event.of(new UUID(3, FIXTURE.seq()), "/s", "t", "key", Payload.NONE);
      events.add(new Insert.Routed(event, List.of(new Insert.Route(TRIGGER, "key"))));
    }
    return FIXTURE.put(new Insert(app, 1, NOW, events)).rows();
  }

  private static List<Delivery> scheduledBy(AppId app, Instant until, int rowsMax)
      throws SQLException {
    List<Delivery> read = new ArrayList<>();
    Instant due = Instant.EPOCH;
    long seq = 0;
    while (true) {
      Page page = FIXTURE.deliveries.scheduled(app, until, due, seq, rowsMax, ANY_BYTES);
      read.addAll(page.rows());
      if (page.complete()) {
        return read;
      }
      due = Objects.requireNonNull(page.rows().getLast().dueAt());
      seq = page.rows().getLast().seq();
    }
  }

  private static List<Delivery> listed(AppId app, @Nullable TriggerId trigger) throws SQLException {
    List<Delivery> read = new ArrayList<>();
    Instant due = null;
    long seq = Long.MIN_VALUE;
    while (true) {
      List<Delivery> page = FIXTURE.deliveries.list(app, trigger, due, seq, 3);
      read.addAll(page);
      if (page.size() < 3) {
        return read;
      }
      due = page.getLast().dueAt();
      seq = page.getLast().seq();
    }
  }

  private static AppId owned(String name) throws SQLException {
    var app = new AppId(name);
    assertThat(FIXTURE.owners.claim(app, "node", 0).epoch()).isEqualTo(1);
    return app;
  }
}
