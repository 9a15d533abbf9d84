package dev.viesti.persistence.outbox;

import static dev.viesti.persistence.outbox.OutboxFixture.NOW;
import static dev.viesti.persistence.outbox.OutboxFixture.TRIGGER;
import static dev.viesti.persistence.outbox.OutboxFixture.bury;
import static dev.viesti.persistence.outbox.OutboxFixture.delete;
import static dev.viesti.persistence.outbox.OutboxFixture.retry;
import static dev.viesti.persistence.outbox.OutboxFixture.settling;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.viesti.persistence.SqlFailure;
import dev.viesti.persistence.deadletter.DeadLetterRepository;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.deadletter.DeadLetter;
import dev.viesti.protocol.delivery.Delivery;
import dev.viesti.protocol.event.Event;
import dev.viesti.protocol.event.Payload;
import java.sql.SQLException;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

final class SettlePostgresTest {
  private static final OutboxFixture FIXTURE = new OutboxFixture();
  private static final OutboxRepository OUTBOX = FIXTURE.outbox;
  private static final DeadLetterRepository LETTERS = new DeadLetterRepository(FIXTURE.database);

  @AfterAll
  static void close() {
    FIXTURE.close();
  }

  @Test
  void deletesRetriesAndBuriesInOneGroup() throws Exception {
    AppId app = owned("mixed");
    List<Delivery> rows = FIXTURE.rows(app, 1, 4);
    RowChange.Retry retry = retry(rows.get(1));
    Settled settled =
        OUTBOX.settle(List.of(settling(app, 1, delete(rows.get(0)), retry, bury(rows.get(2)))));
    assertThat(settled.held().get(0)).isTrue();
    assertThat(settled.missed()).isZero();
    assertThat(FIXTURE.all(app)).containsExactly(rows.get(3), retry.next());
    assertThat(LETTERS.list(app, null, null, null, 10))
        .extracting(DeadLetter::delivery)
        .containsExactly(rows.get(2).id());
  }

  @Test
  void changesAllOfAGroupOrNothing() throws Exception {
    AppId app = owned("atomic");
    List<Delivery> rows = FIXTURE.rows(app, 1, 3);
    FIXTURE.buryAll(app, 1, rows.subList(2, 3));
    Delivery first = rows.get(0);
    var sameIdAgain =
        new RowChange.Bury(
            rows.get(1), bury(rows.get(2)).deadLetterId(), 1, "dead", null, null, NOW);
    assertThatThrownBy(() -> OUTBOX.settle(List.of(settling(app, 1, delete(first), sameIdAgain))))
        .isInstanceOfSatisfying(
            SQLException.class,
            refused -> assertThat(SqlFailure.of(refused)).isEqualTo(SqlFailure.REFUSED));
    assertThat(FIXTURE.all(app)).isEqualTo(rows.subList(0, 2));
  }

  @Test
  void missesARowOfAnotherVersionAndCountsIt() throws Exception {
    AppId app = owned("versions");
    Delivery row = FIXTURE.row(app, 1);
    Delivery later = row.retriedAt(NOW, NOW, "e", null);
    Delivery otherSeq =
        Delivery.fresh(row.seq() + 1_000_000, row.event(), TRIGGER, null, row.acceptedAt());
    for (Delivery wrong : List.of(later, later.dueAt(null), row.dueAt(NOW), otherSeq)) {
      for (RowChange change : List.of(delete(wrong), retry(wrong), bury(wrong))) {
        Settled settled = OUTBOX.settle(List.of(settling(app, 1, change)));
        assertThat(settled.held().get(0)).isTrue();
        assertThat(settled.missed()).as("%s", change).isEqualTo(1);
        assertThat(settled.missedRetries())
            .isEqualTo(change instanceof RowChange.Retry ? Set.of(wrong.seq()) : Set.of());
      }
    }
    assertThat(FIXTURE.all(app)).containsExactly(row);
    assertThat(FIXTURE.count("dead_letter where app_id = 'versions'")).isZero();
  }

  @Test
  void doesNotReachTheSameNumberInAnotherApp() throws Exception {
    AppId one = owned("one");
    AppId two = owned("two");
    Delivery row = FIXTURE.row(one, 1);
    assertThat(OUTBOX.settle(List.of(settling(two, 1, delete(row)))).missed()).isEqualTo(1);
    assertThat(FIXTURE.all(one)).containsExactly(row);
  }

  @Test
  void changesNothingTheSecondTime() throws Exception {
    AppId app = owned("twice");
    List<Delivery> rows = FIXTURE.rows(app, 1, 3);
    Settling settling =
        settling(app, 1, delete(rows.get(0)), retry(rows.get(1)), bury(rows.get(2)));
    assertThat(OUTBOX.settle(List.of(settling)).missed()).isZero();
    List<Delivery> after = FIXTURE.all(app);
    List<DeadLetter> letters = LETTERS.list(app, null, null, null, 10);
    for (int again = 0; again < 2; again++) {
      Settled settled = OUTBOX.settle(List.of(settling));
      assertThat(settled.held().get(0)).isTrue();
      assertThat(settled.missed()).isEqualTo(3);
    }
    assertThat(FIXTURE.all(app)).isEqualTo(after);
    assertThat(LETTERS.list(app, null, null, null, 10)).isEqualTo(letters);
  }

  @Test
  void deletesARowOnceThoughItIsNamedTwice() throws Exception {
    AppId app = owned("named-twice");
    Delivery row = FIXTURE.row(app, 1);
    assertThat(OUTBOX.settle(List.of(settling(app, 1, delete(row), delete(row)))).missed())
        .isEqualTo(1);
    assertThat(FIXTURE.all(app)).isEmpty();
  }

  @Test
  void leavesFencedAppsAloneAndDoesNotCallTheirRowsMissed() throws Exception {
    AppId held = owned("held");
    AppId fenced = owned("fenced");
    Delivery ours = FIXTURE.row(held, 1);
    List<Delivery> theirs = FIXTURE.rows(fenced, 1, 3);
    FIXTURE.owners.claim(fenced, "other", 0);
    Settled settled =
        OUTBOX.settle(
            List.of(
                settling(
                    fenced, 1, delete(theirs.get(0)), retry(theirs.get(1)), bury(theirs.get(2))),
                settling(held, 1, delete(ours)),
                settling(fenced, 7, delete(theirs.get(0)))));
    assertThat(settled.held().stream()).containsExactly(1);
    assertThat(settled.missed()).isZero();
    assertThat(settled.missedRetries()).isEmpty();
    assertThat(FIXTURE.all(fenced)).isEqualTo(theirs);
    assertThat(FIXTURE.all(held)).isEmpty();
    assertThat(FIXTURE.count("dead_letter where app_id = 'fenced'")).isZero();
  }

  @Test
  void keepsTheWholeRowThroughRetries() throws Exception {
    AppId app = owned("retries");
    Delivery row = full(app);
    for (int attempt = 1; attempt <= 5; attempt++) {
      Delivery next =
          row.retriedAt(
              NOW.plusNanos(attempt * 1_000L), NOW.plusSeconds(attempt), "e" + attempt, "[9]");
      Settled settled = OUTBOX.settle(List.of(settling(app, 1, new RowChange.Retry(row, next))));
      assertThat(settled.missed()).isZero();
      assertThat(FIXTURE.all(app)).containsExactly(next);
      assertThat(next.attempt()).isEqualTo(attempt);
      assertThat(next.firstAttemptAt()).isEqualTo(NOW.plusSeconds(1));
      row = next;
    }
  }

  @Test
  void makesARowDueAtOnceAgain() throws Exception {
    AppId app = owned("at-once");
    Delivery fresh = FIXTURE.row(app, 1);
    Delivery later = retry(fresh).next();
    Delivery now = later.dueAt(null);
    OUTBOX.settle(List.of(settling(app, 1, new RowChange.Retry(fresh, later))));
    OUTBOX.settle(List.of(settling(app, 1, new RowChange.Retry(later, now))));
    assertThat(FIXTURE.deliveries.atOnce(app, 0, 10, OutboxFixture.ANY_BYTES).rows())
        .containsExactly(now);
  }

  @Test
  void keepsEveryColumnOfADeadLetter() throws Exception {
    AppId app = owned("dead");
    Delivery row = full(app);
    UUID id = UUID.fromString("0190163d-8694-739b-aea5-966c26f8ad91");
    var bury =
        new RowChange.Bury(
            row, id, 20, "ä'\\{}\"", "[{\"a\":1}]", NOW.minusSeconds(9), NOW.plusSeconds(9));
    assertThat(OUTBOX.settle(List.of(settling(app, 1, bury))).missed()).isZero();
    DeadLetter letter = LETTERS.list(app, null, null, null, 10).getFirst();
    assertThat(letter)
        .isEqualTo(
            new DeadLetter(
                id,
                row.id(),
                row.event(),
                TRIGGER,
                "key",
                20,
                row.acceptedAt(),
                NOW.minusSeconds(9),
                NOW.plusSeconds(9),
                "ä'\\{}\"",
                "[{\"a\":1}]",
                letter.createdAt(),
                null,
                null,
                null));
    assertThat(LETTERS.get(app, id)).isEqualTo(letter);
    assertThat(letter.event().data().bytes()).isEqualTo(row.event().data().bytes());
    assertThat(FIXTURE.all(app)).isEmpty();
  }

  @Test
  void refusesAnErrorThatCannotBeStoredAndChangesNothing() throws Exception {
    AppId app = owned("nul");
    Delivery row = FIXTURE.row(app, 1);
    RowChange nul = new RowChange.Retry(row, row.retriedAt(NOW, NOW, "a\u0000b", null));
    assertThatThrownBy(() -> OUTBOX.settle(List.of(settling(app, 1, nul))))
        .isInstanceOfSatisfying(
            SQLException.class,
            refused -> assertThat(SqlFailure.of(refused)).isEqualTo(SqlFailure.REFUSED));
    assertThat(FIXTURE.all(app)).containsExactly(row);
  }

  private static Delivery full(AppId app) throws SQLException {
    byte[] data = new byte[5_000];
    new SplittableRandom(2).nextBytes(data);
    var event =
        new Event(
            Event.derivedId("/s", app.value()),
            app.value(),
            "/s",
            "t",
            "subject",
            "{\"time\":\"2026-01-01T00:00:00Z\"}",
            Payload.of(data),
            true,
            "user:1",
            3,
            new UUID(1, 2),
            "00-trace");
    var routed = new Insert.Routed(event, List.of(new Insert.Route(TRIGGER, "key")));
    return FIXTURE.put(new Insert(app, 1, NOW, List.of(routed))).rows().getFirst();
  }

  private static AppId owned(String name) throws SQLException {
    var app = new AppId(name);
    assertThat(FIXTURE.owners.claim(app, "node", 0).epoch()).isEqualTo(1);
    return app;
  }
}
