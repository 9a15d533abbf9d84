package dev.viesti.persistence.outbox;

import static dev.viesti.persistence.outbox.OutboxFixture.ANY_BYTES;
import static dev.viesti.persistence.outbox.OutboxFixture.NOW;
import static dev.viesti.persistence.outbox.OutboxFixture.TRIGGER;
import static org.assertj.core.api.Assertions.assertThat;

import dev.viesti.persistence.outbox.ClientRowRepository.ClientPage;
import dev.viesti.persistence.outbox.ClientRowRepository.Horizon;
import dev.viesti.persistence.outbox.ClientRowRepository.Move;
import dev.viesti.persistence.outbox.ClientRowRepository.Moved;
import dev.viesti.persistence.outbox.ClientRowRepository.Placed;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.delivery.Delivery;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

final class ClientRowPostgresTest {
  private static final OutboxFixture FIXTURE = new OutboxFixture();
  private static final ClientRowRepository ROWS = new ClientRowRepository(FIXTURE.database);

  @AfterAll
  static void close() {
    FIXTURE.close();
  }

  @Test
  void knowsOfATransactionThatIsOpenWhileThousandsPassIt() throws Exception {
    AppId app = owned("late");
    Horizon horizon;
    try (Connection late = FIXTURE.server.connect()) {
      late.setAutoCommit(false);
      append(late, app, 1);
      for (int n = 0; n < 40; n++) {
        try (Connection passing = FIXTURE.server.connect()) {
          passing.setAutoCommit(false);
          append(passing, app, 100);
          if (n % 4 == 0) {
            passing.rollback();
          } else {
            passing.commit();
          }
        }
      }
      horizon = ROWS.horizon();
      ClientPage page = ROWS.read(app, -1, 5_000, ANY_BYTES);
      assertThat(page.rows()).hasSize(3_000);
      assertThat(page.oldestRunning())
          .as("the page cannot be trusted yet")
          .isLessThan(horizon.transaction());
      late.commit();
    }
    ClientPage page = ROWS.read(app, -1, 5_000, ANY_BYTES);
    assertThat(page.oldestRunning()).isGreaterThanOrEqualTo(horizon.transaction());
    assertThat(page.rows()).hasSize(3_001);
    assertThat(page.rows().stream().map(ClientRow::seq)).isSorted();
    assertThat(page.rows().getFirst().seq()).isLessThan(page.rows().get(1).seq());
    assertThat(page.rows().getLast().seq()).isLessThanOrEqualTo(horizon.seq());
  }

  @Test
  void readsPageByPageAndNothingButTheAppsUnroutedRows() throws Exception {
    AppId app = owned("pages");
    FIXTURE.rows(app, 1, 3);
    append(app, 7);
    append(owned("pages-other"), 2);
    ClientPage first = ROWS.read(app, -1, 5, ANY_BYTES);
    assertThat(first.rows()).hasSize(5);
    assertThat(first.complete()).isFalse();
    ClientPage second = ROWS.read(app, first.rows().getLast().seq(), 5, ANY_BYTES);
    assertThat(second.rows()).hasSize(2);
    assertThat(second.complete()).isTrue();
    ClientPage none = ROWS.read(app, second.rows().getLast().seq(), 5, ANY_BYTES);
    assertThat(none.rows()).isEmpty();
    assertThat(none.oldestRunning()).as("an empty page says it, too").isPositive();
    int weight = first.rows().getFirst().event().weight();
    assertThat(ROWS.read(app, -1, 5, weight * 2L).rows()).hasSize(2);
  }

  @Test
  void areNoneOfTheOwnersOwnRows() throws Exception {
    AppId app = owned("apart");
    append(app, 2);
    assertThat(FIXTURE.deliveries.nextDue(app, NOW)).isNull();
    assertThat(FIXTURE.all(app)).isEmpty();
    assertThat(FIXTURE.owners.claim(app, "node", 100).pending()).isZero();
    assertThat(FIXTURE.housekeeping.dueApps(NOW, new AppId("apar"), 1)).containsExactly(app);
  }

  @Test
  void areReplacedByTheOwnersRowsOnce() throws Exception {
    AppId app = owned("move");
    append(app, 3);
    List<ClientRow> rows = ROWS.read(app, -1, 5, ANY_BYTES).rows();
    Instant later = NOW.plusSeconds(60);
    List<Move> moves =
        List.of(
            new Move(rows.get(0).seq(), List.of()),
            new Move(
                rows.get(1).seq(),
                List.of(
                    new Placed(5_000_001, TRIGGER, "key", null),
                    new Placed(5_000_002, TRIGGER, null, later))));
    assertThat(ROWS.move(app, 2, moves)).as("a former epoch").isEqualTo(new Moved(true, Set.of()));
    assertThat(ROWS.read(app, -1, 5, ANY_BYTES).rows()).hasSize(3);

    assertThat(ROWS.move(app, 1, moves).gone()).containsOnly(rows.get(0).seq(), rows.get(1).seq());
    assertThat(ROWS.move(app, 1, moves)).isEqualTo(new Moved(false, Set.of()));
    assertThat(ROWS.read(app, -1, 5, ANY_BYTES).rows()).containsExactly(rows.get(2));
    ClientRow moved = rows.get(1);
    Delivery placed = Delivery.fresh(5_000_001, moved.event(), TRIGGER, "key", moved.acceptedAt());
    Delivery delayed = Delivery.fresh(5_000_002, moved.event(), TRIGGER, null, moved.acceptedAt());
    assertThat(FIXTURE.all(app)).containsExactly(placed, delayed.dueAt(later));
  }

  @Test
  void areSettledRetriedAndBuriedAsTheyAre() throws Exception {
    AppId app = owned("settle");
    append(app, 3);
    List<Delivery> rows =
        ROWS.read(app, -1, 5, ANY_BYTES).rows().stream()
            .map(row -> Delivery.fresh(row.seq(), row.event(), TRIGGER, null, row.acceptedAt()))
            .map(row -> row.dueAt(Delivery.UNROUTED))
            .toList();
    RowChange.Retry retry = OutboxFixture.retry(rows.get(1));
    Settled settled =
        FIXTURE.outbox.settle(
            List.of(
                OutboxFixture.settling(
                    app,
                    1,
                    OutboxFixture.delete(rows.get(0)),
                    retry,
                    OutboxFixture.bury(rows.get(2)))));
    assertThat(settled.missed()).isZero();
    assertThat(FIXTURE.all(app)).containsExactly(retry.next());
    assertThat(ROWS.read(app, -1, 5, ANY_BYTES).rows()).isEmpty();
    assertThat(FIXTURE.text("select trigger_id from viesti.dead_letter where app_id = 'settle'"))
        .isEqualTo(TRIGGER.value());
  }

  private static void append(AppId app, int count) throws SQLException {
    try (Connection connection = FIXTURE.server.connect()) {
      append(connection, app, count);
    }
  }

  /** As the client does it, without its other columns. */
  private static void append(Connection connection, AppId app, int count) throws SQLException {
    try (var statement =
        connection.prepareStatement(
            """
            insert into viesti.outbox (due_at, seq, event_id, accepted_at, app_id, source, type)
            select 'infinity', nextval('viesti.outbox_seq'), gen_random_uuid(), now(), ?, '/s', 't'
            from generate_series(1, ?)
            where pg_current_xact_id() is not null
            """)) {
      statement.setString(1, app.value());
      statement.setInt(2, count);
      statement.executeUpdate();
    }
  }

  private static AppId owned(String name) throws SQLException {
    var app = new AppId(name);
    assertThat(FIXTURE.owners.claim(app, "node", 0).epoch()).isEqualTo(1);
    return app;
  }
}
