package dev.viesti.persistence.outbox;

import static dev.viesti.persistence.outbox.OutboxFixture.bury;
import static dev.viesti.persistence.outbox.OutboxFixture.delete;
import static dev.viesti.persistence.outbox.OutboxFixture.end;
import static dev.viesti.persistence.outbox.OutboxFixture.insert;
import static dev.viesti.persistence.outbox.OutboxFixture.keyed;
import static dev.viesti.persistence.outbox.OutboxFixture.retry;
import static dev.viesti.persistence.outbox.OutboxFixture.settleIn;
import static dev.viesti.persistence.outbox.OutboxFixture.settling;
import static org.assertj.core.api.Assertions.assertThat;

import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.delivery.Delivery;
import dev.viesti.protocol.event.Event;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Two connections at the same rows, in both orders; the one that waits is seen to wait. */
final class FencePostgresTest {
  private static final OutboxFixture FIXTURE = new OutboxFixture();
  private static final OutboxRepository OUTBOX = FIXTURE.outbox;
  private static final ExecutorService THREADS = Executors.newVirtualThreadPerTaskExecutor();

  enum Kind {
    DELETE,
    RETRY,
    BURY;

    RowChange of(Delivery row) {
      return switch (this) {
        case DELETE -> delete(row);
        case RETRY -> retry(row);
        case BURY -> bury(row);
      };
    }

    /** In names of apps. */
    String word() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  @AfterAll
  static void close() {
    THREADS.shutdownNow();
    FIXTURE.close();
  }

  @ParameterizedTest
  @EnumSource
  void claimWaitsForAnOpenSettle(Kind kind) throws Exception {
    AppId app = owned("settle-first-" + kind.word());
    Delivery row = FIXTURE.row(app, 1);
    Connection settler = FIXTURE.transaction();
    assertThat(settleIn(settler, settling(app, 1, kind.of(row))).missed()).isZero();
    Future<Claim> claim = THREADS.submit(() -> FIXTURE.owners.claim(app, "other", 10));
    FIXTURE.awaitWaiting(1);
    assertThat(claim.isDone()).isFalse();
    end(settler, true);
    Claim taken = got(claim);
    assertThat(taken.epoch()).isEqualTo(2);
    assertThat(taken.pending()).as("read after the settle").isEqualTo(kind == Kind.RETRY ? 1 : 0);
  }

  @ParameterizedTest
  @EnumSource
  void settleThatWaitedForAClaimAffectsNothing(Kind kind) throws Exception {
    AppId app = owned("claim-first-" + kind.word());
    Delivery row = FIXTURE.row(app, 1);
    Connection bump = FIXTURE.openBump(app);
    Future<Settled> settle =
        THREADS.submit(() -> OUTBOX.settle(List.of(settling(app, 1, kind.of(row)))));
    FIXTURE.awaitWaiting(1);
    end(bump, true);
    assertThat(got(settle).held().isEmpty()).isTrue();
    assertThat(FIXTURE.all(app)).containsExactly(row);
    assertThat(FIXTURE.count("dead_letter where app_id = '" + app + "'")).isZero();
  }

  @Test
  void groupOfAllKindsThatWaitedForAClaimAffectsNothing() throws Exception {
    AppId app = owned("claim-first-all");
    List<Delivery> rows = FIXTURE.rows(app, 1, 3);
    Connection bump = FIXTURE.openBump(app);
    Settling all = settling(app, 1, delete(rows.get(0)), retry(rows.get(1)), bury(rows.get(2)));
    Future<Settled> settle = THREADS.submit(() -> OUTBOX.settle(List.of(all)));
    FIXTURE.awaitWaiting(1);
    end(bump, true);
    assertThat(got(settle).held().isEmpty()).isTrue();
    assertThat(FIXTURE.all(app)).isEqualTo(rows);
  }

  @Test
  void settleGoesThroughWhenTheClaimItWaitedForIsRolledBack() throws Exception {
    AppId app = owned("claim-undone");
    Delivery row = FIXTURE.row(app, 1);
    Connection bump = FIXTURE.openBump(app);
    Future<Settled> settle =
        THREADS.submit(() -> OUTBOX.settle(List.of(settling(app, 1, delete(row)))));
    FIXTURE.awaitWaiting(1);
    end(bump, false);
    assertThat(got(settle).missed()).isZero();
    assertThat(FIXTURE.all(app)).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({"false, 2", "true, 2", "false, 1", "true, 1"})
  void claimWaitsForAnOpenInsert(boolean withId, int copyRows) throws Exception {
    AppId app = owned("insert-first-" + withId + "-" + copyRows);
    Connection writer = FIXTURE.transaction();
    var insert = insert(app, 1, event(withId));
    assertThat(FIXTURE.insertIn(writer, insert, copyRows).fenced()).isFalse();
    Future<Claim> claim = THREADS.submit(() -> FIXTURE.owners.claim(app, "other", 10));
    FIXTURE.awaitWaiting(1);
    end(writer, true);
    assertThat(got(claim).pending()).as("the new owner reads the row").isEqualTo(1);
  }

  @ParameterizedTest
  @CsvSource({"false, 2", "true, 2", "false, 1", "true, 1"})
  void insertThatWaitedForAClaimAffectsNothing(boolean withId, int copyRows) throws Exception {
    AppId app = owned("insert-later-" + withId + "-" + copyRows);
    var outbox = new OutboxRepository(FIXTURE.database, copyRows);
    var insert = insert(app, 1, event(withId));
    Connection bump = FIXTURE.openBump(app);
    Future<List<Inserted>> inserted =
        THREADS.submit(() -> outbox.insert(List.of(insert), FIXTURE::seq));
    FIXTURE.awaitWaiting(1);
    end(bump, true);
    assertThat(got(inserted)).containsExactly(Inserted.FENCED);
    assertThat(FIXTURE.all(app)).isEmpty();
    assertThat(FIXTURE.count("idempotency_key where app_id = '" + app + "'")).isZero();
  }

  @Test
  void renewedEpochShutsOutWhatWasUnderWay() throws Exception {
    AppId app = owned("renewed");
    Delivery row = FIXTURE.row(app, 1);
    Connection settler = FIXTURE.transaction();
    settleIn(settler, settling(app, 1, delete(row)));
    Future<OptionalLong> renew = THREADS.submit(() -> FIXTURE.owners.renew(app, 1));
    FIXTURE.awaitWaiting(1);
    end(settler, false);
    assertThat(got(renew)).hasValue(2);
    assertThat(OUTBOX.settle(List.of(settling(app, 1, delete(row)))).held().isEmpty()).isTrue();
    assertThat(OUTBOX.settle(List.of(settling(app, 2, delete(row)))).missed()).isZero();
  }

  /** Two lanes of one owner, for instance after a lost answer: a row has one end, not two. */
  @ParameterizedTest
  @MethodSource("pairs")
  void secondOfTwoSettlementsOfARowMissesIt(Kind first, Kind second) throws Exception {
    AppId app = owned("pair-" + first.word() + second.word());
    Delivery row = FIXTURE.row(app, 1);
    Connection settler = FIXTURE.transaction();
    settleIn(settler, settling(app, 1, first.of(row)));
    RowChange change =
        second == Kind.BURY
            ? new RowChange.Bury(
                row, new UUID(9, row.seq()), 1, "2nd", null, null, OutboxFixture.NOW)
            : second.of(row);
    Future<Settled> settle = THREADS.submit(() -> OUTBOX.settle(List.of(settling(app, 1, change))));
    FIXTURE.awaitWaiting(1);
    end(settler, true);
    assertThat(got(settle).missed()).isEqualTo(1);
    int rows = first == Kind.RETRY ? 1 : 0;
    assertThat(FIXTURE.all(app)).hasSize(rows);
    assertThat(FIXTURE.count("dead_letter where app_id = '" + app + "'"))
        .isEqualTo(first == Kind.BURY ? 1 : 0);
  }

  static List<Arguments> pairs() {
    var pairs = new ArrayList<Arguments>();
    for (Kind first : Kind.values()) {
      for (Kind second : Kind.values()) {
        pairs.add(Arguments.of(first, second));
      }
    }
    return pairs;
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void insertWaitsForTheSameIdOfAnotherLane(boolean commits) throws Exception {
    AppId app = owned("same-id-" + commits);
    Connection lane = FIXTURE.transaction();
    assertThat(FIXTURE.insertIn(lane, insert(app, 1, keyed("x")), 2).rows()).hasSize(1);
    Future<Inserted> other =
        THREADS.submit(() -> FIXTURE.put(insert(app, 1, keyed("x"), keyed("y"))));
    FIXTURE.awaitWaiting(1);
    end(lane, commits);
    assertThat(got(other).duplicates().get(0)).isEqualTo(commits);
    assertThat(FIXTURE.all(app)).hasSize(2);
  }

  private static Event event(boolean withId) {
    return withId ? keyed("k") : FIXTURE.event("t");
  }

  private static <T> T got(Future<T> future) throws Exception {
    return future.get(20, TimeUnit.SECONDS);
  }

  private static AppId owned(String name) throws SQLException {
    var app = new AppId(name);
    assertThat(FIXTURE.owners.claim(app, "node", 0).epoch()).isEqualTo(1);
    return app;
  }
}
