package dev.viesti.persistence.effects;

import static dev.viesti.persistence.effects.EffectsFixture.COMMITTED;
import static dev.viesti.persistence.effects.EffectsFixture.FENCED;
import static dev.viesti.persistence.effects.EffectsFixture.GONE;
import static dev.viesti.persistence.effects.EffectsFixture.call;
import static dev.viesti.persistence.effects.EffectsFixture.delete;
import static dev.viesti.persistence.effects.EffectsFixture.put;
import static dev.viesti.persistence.effects.EffectsFixture.putAt;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.viesti.persistence.SqlFailure;
import dev.viesti.persistence.effects.Effects.Result;
import dev.viesti.persistence.effects.EffectsFixture.Wish;
import dev.viesti.persistence.outbox.Claim;
import dev.viesti.persistence.outbox.OutboxFixture;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.delivery.Delivery;
import dev.viesti.protocol.event.Payload;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Two connections at the same rows, in both orders; the one that waits is seen to wait. */
final class EffectsContentionPostgresTest {
  private static final EffectsFixture FIXTURE = new EffectsFixture();
  private static final OutboxFixture ROWS = FIXTURE.rows;
  private static final ExecutorService THREADS = Executors.newVirtualThreadPerTaskExecutor();
  private static final UUID ID = new UUID(0x7000L, 1);

  /** Something that two calls can do to the same row, of which one must be too late. */
  enum Kind {
    KV_FIRST {
      @Override
      Wish add(Wish wish, long version) {
        return wish.with(putAt("k", "1", Effects.ABSENT));
      }
    },
    KV_NEXT {
      @Override
      Wish add(Wish wish, long version) {
        return wish.with(putAt("k", "1", version));
      }
    },
    KV_DELETE {
      @Override
      Wish add(Wish wish, long version) {
        return wish.with(delete("k", version));
      }
    },
    ENTITY_INSERT {
      @Override
      Wish add(Wish wish, long version) {
        return wish.inserts(ID, "{}");
      }
    },
    ENTITY_UPDATE {
      @Override
      Wish add(Wish wish, long version) {
        return wish.updates(ID, 1, "{}");
      }
    },
    ENTITY_DELETE {
      @Override
      Wish add(Wish wish, long version) {
        return wish.deletes(ID, 1);
      }
    },
    FIRST_NUMBER {
      @Override
      Wish add(Wish wish, long version) {
        return wish.takes(0, 1);
      }
    },
    NEXT_NUMBER {
      @Override
      Wish add(Wish wish, long version) {
        return wish.takes(5, 6);
      }
    };

    abstract Wish add(Wish wish, long version);

    boolean isFirst() {
      return this == KV_FIRST || this == ENTITY_INSERT || this == FIRST_NUMBER;
    }
  }

  @AfterAll
  static void close() {
    THREADS.shutdownNow();
    FIXTURE.close();
  }

  @ParameterizedTest
  @EnumSource
  void theSecondOfTwoWaitsAndIsTooLate(Kind kind) throws Exception {
    assertThat(second(kind, true)).isInstanceOf(Result.Conflict.class);
  }

  @ParameterizedTest
  @EnumSource
  void theSecondOfTwoIsWrittenWhenTheFirstIsNot(Kind kind) throws Exception {
    assertThat(second(kind, false)).isEqualTo(COMMITTED);
  }

  /** What became of a call that waited for another one; checks what stayed of it. */
  private static Result second(Kind kind, boolean firstCommits) throws Exception {
    String name = kind.name().toLowerCase(Locale.ROOT).replace('_', '-') + "-" + firstCommits;
    AppId app = FIXTURE.owned(name);
    List<Delivery> rows = ROWS.rows(app, 1, 2);
    if (!kind.isFirst()) {
      FIXTURE.commit(call(app).with(put("k", "0")).inserts(ID, "{}").takes(0, 5));
    }
    long version = FIXTURE.version(app, "k");
    Connection first = open(kind.add(call(app).settles(rows.get(0)), version));
    Future<List<Result>> second =
        THREADS.submit(
            () ->
                FIXTURE.commit(
                    kind.add(call(app).settles(rows.get(1)).with(put("also", "1")), version)));
    ROWS.awaitWaiting(1);
    OutboxFixture.end(first, firstCommits);
    Result result = got(second).getFirst();
    boolean written = result.equals(COMMITTED);
    assertThat(FIXTURE.value(app, "also") != null).isEqualTo(written);
    assertThat(ROWS.all(app)).containsExactly(rows.get(firstCommits ? 1 : 0));
    return result;
  }

  @Test
  void aBlindWriteIsNeverTooLate() throws Exception {
    AppId app = FIXTURE.owned("blind");
    FIXTURE.commit(call(app).with(put("k", "0")));
    Connection first = open(call(app).with(putAt("k", "1", FIXTURE.version(app, "k"))));
    Future<List<Result>> second =
        THREADS.submit(() -> FIXTURE.commit(call(app).with(put("k", "2"))));
    ROWS.awaitWaiting(1);
    OutboxFixture.end(first, true);
    assertThat(got(second)).containsExactly(COMMITTED);
    assertThat(FIXTURE.value(app, "k")).isEqualTo("2");
  }

  @Test
  void theApiAndACallMeetAtTheSameVersion() throws Exception {
    AppId app = FIXTURE.owned("api");
    FIXTURE.commit(call(app).with(put("k", "0")));
    long version = FIXTURE.version(app, "k");
    Connection first = open(call(app).with(putAt("k", "1", version)));
    var data = Payload.ofJson("2");
    Future<Boolean> api =
        THREADS.submit(() -> FIXTURE.kv.put(app, "c", "k", data, version).isPresent());
    ROWS.awaitWaiting(1);
    OutboxFixture.end(first, true);
    assertThat(got(api)).isFalse();
    assertThat(FIXTURE.value(app, "k")).isEqualTo("1");
  }

  @Test
  void aClaimWaitsForCallsThatAreBeingWritten() throws Exception {
    AppId app = FIXTURE.owned("calls-first");
    Delivery row = ROWS.row(app, 1);
    Connection calls = open(call(app).settles(row).with(put("k", "1")));
    Future<Claim> claim = THREADS.submit(() -> ROWS.owners.claim(app, "other", 10));
    ROWS.awaitWaiting(1);
    OutboxFixture.end(calls, true);
    Claim taken = got(claim);
    assertThat(taken.epoch()).isEqualTo(2);
    assertThat(taken.pending()).as("read after the calls").isZero();
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void callsThatWaitedForAClaimWriteNothing(boolean alsoOthers) throws Exception {
    AppId app = FIXTURE.owned("claim-first-" + alsoOthers);
    AppId other = FIXTURE.owned("beside-" + alsoOthers);
    Delivery row = ROWS.row(app, 1);
    Connection bump = ROWS.openBump(app);
    Wish fenced = call(app).settles(row).with(put("k", "1")).inserts(ID, "{}").takes(0, 1);
    Wish beside = call(other).with(put("k", "1"));
    Future<List<Result>> calls =
        THREADS.submit(() -> alsoOthers ? FIXTURE.commit(fenced, beside) : FIXTURE.commit(fenced));
    ROWS.awaitWaiting(1);
    OutboxFixture.end(bump, true);
    assertThat(got(calls).getFirst()).isEqualTo(FENCED);
    assertThat(ROWS.all(app)).containsExactly(row);
    assertThat(ROWS.count("kv where app_id = '" + app + "'")).isZero();
    assertThat(ROWS.count("plugin_entity where app_id = '" + app + "'")).isZero();
    assertThat(ROWS.count("numbering where app_id = '" + app + "'")).isZero();
    assertThat(FIXTURE.value(other, "k") != null).isEqualTo(alsoOthers);
  }

  @ParameterizedTest
  @CsvSource({"true, 1", "false, 0"})
  void aRowThatGotAnotherVersionMeanwhileIsNotTheOne(boolean commits, int left) throws Exception {
    AppId app = FIXTURE.owned("moved-" + commits);
    Delivery row = ROWS.row(app, 1);
    Connection mover = ROWS.transaction();
    try (var statement =
        mover.prepareStatement("update outbox set attempt = attempt + 1 where app_id = ?")) {
      statement.setString(1, app.value());
      statement.executeUpdate();
    }
    Future<List<Result>> calls =
        THREADS.submit(() -> FIXTURE.commit(call(app).settles(row).with(put("k", "1"))));
    ROWS.awaitWaiting(1);
    OutboxFixture.end(mover, commits);
    assertThat(got(calls)).containsExactly(commits ? GONE : COMMITTED);
    assertThat(ROWS.all(app)).hasSize(left);
    assertThat(FIXTURE.value(app, "k") == null).isEqualTo(commits);
  }

  @Test
  void nothingIsWrittenWhenTheConnectionIsCutBeforeTheCommit() throws Exception {
    AppId app = FIXTURE.owned("cut");
    Delivery row = ROWS.row(app, 1);
    Connection holder = open(call(app).takes(0, 1));
    Wish everything = call(app).settles(row).with(put("k", "1")).inserts(ID, "{}").takes(0, 1);
    Future<List<Result>> calls = THREADS.submit(() -> FIXTURE.commit(everything));
    ROWS.awaitWaiting(1);
    cutWhoWaits();
    SQLException failed = failure(calls);
    assertThat(SqlFailure.of(failed)).isEqualTo(SqlFailure.UNKNOWN);
    OutboxFixture.end(holder, false);
    assertThat(ROWS.all(app)).containsExactly(row);
    assertThat(ROWS.count("kv where app_id = 'cut'")).isZero();
    assertThat(ROWS.count("plugin_entity where app_id = 'cut'")).isZero();
    assertThat(FIXTURE.commit(everything)).containsExactly(COMMITTED);
  }

  /** The second transaction of a batch fails for now; but what the first one wrote stays. */
  @Test
  void claimsToKnowNothingOnceAPartIsCommitted() throws Exception {
    AppId app = FIXTURE.owned("part");
    Delivery row = ROWS.row(app, 1);
    Connection holder = open(call(app).with(put("held", "0")));
    Future<List<Result>> calls =
        THREADS.submit(
            () ->
                FIXTURE.commit(
                    call(app).settles(row).with(putAt("no", "1", 77)),
                    call(app).with(put("written", "1")),
                    call(app).settles(row).with(put("held", "1"))));
    ROWS.awaitWaiting(1);
    assertThat(FIXTURE.value(app, "written")).isEqualTo("1");
    ROWS.execute(
        """
        select pg_cancel_backend(pid)
        from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock'
        """);
    SQLException failed = failure(calls);
    assertThat(SqlFailure.of(sqlCause(failed))).isEqualTo(SqlFailure.NOT_NOW);
    assertThat(SqlFailure.of(failed)).isEqualTo(SqlFailure.UNKNOWN);
    OutboxFixture.end(holder, false);
    assertThat(ROWS.all(app)).containsExactly(row);
  }

  /**
   * Some threads count up some of the same counters, several calls at a time, in the order of
   * chance, and delete and insert them as well. None waits for ever, and no step is lost.
   */
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void countersAreExactWhoeverCounts(long seed) throws Exception {
    AppId app = FIXTURE.owned("counters-" + seed);
    Map<String, LongAdder> expected = new ConcurrentHashMap<>();
    var numbers = new LongAdder();
    List<Future<?>> threads = new ArrayList<>();
    for (int thread = 0; thread < 4; thread++) {
      var random = new Random(seed * 31 + thread);
      threads.add(
          THREADS.submit(
              () -> {
                for (int round = 0; round < 80; round++) {
                  count(app, random, expected, numbers);
                }
                return null;
              }));
    }
    for (Future<?> thread : threads) {
      thread.get(120, TimeUnit.SECONDS);
    }
    for (Map.Entry<String, LongAdder> counter : expected.entrySet()) {
      assertThat(value(read(app, counter.getKey())))
          .as("counter %s, seed %d", counter.getKey(), seed)
          .isEqualTo(counter.getValue().sum());
    }
    assertThat(numbers.sum()).isGreaterThan(20);
    assertThat(FIXTURE.numbering.last(app, EffectsFixture.CRM, "invoice", "2026"))
        .as("a number for each call that took one, seed %d", seed)
        .isEqualTo(numbers.sum());
  }

  private static long value(KvRepository.@Nullable Value value) {
    return value == null ? 0 : Long.parseLong(value.data().utf8());
  }

  private static KvRepository.@Nullable Value read(AppId app, String key) throws SQLException {
    return FIXTURE.kv.get(app, "c", key);
  }

  /** Some calls in one batch, each with a step of some counters, and with a number or none. */
  private static void count(
      AppId app, Random random, Map<String, LongAdder> expected, LongAdder numbers)
      throws SQLException {
    List<Wish> calls = new ArrayList<>();
    List<List<String>> counted = new ArrayList<>();
    List<Boolean> numbered = new ArrayList<>();
    for (int call = 0; call <= random.nextInt(4); call++) {
      Wish wish = call(app);
      List<String> keys = new ArrayList<>();
      for (int key = 0; key < 8; key++) {
        if (random.nextInt(4) == 0) {
          String name = "counter-" + key;
          KvRepository.Value seen = read(app, name);
          long version = seen == null ? Effects.ABSENT : seen.version();
          wish.with(putAt(name, Long.toString(value(seen) + 1), version));
          keys.add(name);
        }
      }
      // kinds that would be locked in statements of their own, if each kind had one
      String other = "other-" + random.nextInt(4);
      wish.with(random.nextBoolean() ? put(other, "1") : delete(other, null));
      boolean takes = random.nextInt(3) == 0;
      if (takes) {
        long last = FIXTURE.numbering.last(app, EffectsFixture.CRM, "invoice", "2026");
        wish.takes(last, last + 1);
      }
      calls.add(wish);
      counted.add(keys);
      numbered.add(takes);
    }
    List<Result> results = FIXTURE.commit(calls.toArray(Wish[]::new));
    for (int call = 0; call < results.size(); call++) {
      if (results.get(call).equals(COMMITTED)) {
        counted
            .get(call)
            .forEach(key -> expected.computeIfAbsent(key, first -> new LongAdder()).increment());
        numbers.add(numbered.get(call) ? 1 : 0);
      } else {
        assertThat(results.get(call)).isInstanceOf(Result.Conflict.class);
      }
    }
  }

  private static Connection open(Wish wish) throws SQLException {
    Connection connection = ROWS.transaction();
    var transaction = new EffectsTransaction(connection);
    List<Call> held = transaction.held(List.of(new Call(new Call.At(0), wish.effects())));
    assertThat(held).hasSize(1);
    assertThat(transaction.write(held)).isEmpty();
    return connection;
  }

  private static void cutWhoWaits() throws SQLException {
    ROWS.execute(
        """
        select pg_terminate_backend(pid)
        from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock'
        """);
  }

  private static SQLException failure(Future<?> future) {
    ExecutionException failed =
        catchThrowableOfType(ExecutionException.class, () -> future.get(20, TimeUnit.SECONDS));
    return sqlCause(failed);
  }

  private static SQLException sqlCause(Exception failed) {
    if (failed.getCause() instanceof SQLException cause) {
      return cause;
    }
    throw new AssertionError("not caused by the database", failed);
  }

  private static <T> T got(Future<T> future) throws Exception {
    return future.get(20, TimeUnit.SECONDS);
  }
}
