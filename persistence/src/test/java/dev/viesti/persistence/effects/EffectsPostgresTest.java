package dev.viesti.persistence.effects;

import static dev.viesti.persistence.effects.EffectsFixture.COMMITTED;
import static dev.viesti.persistence.effects.EffectsFixture.FENCED;
import static dev.viesti.persistence.effects.EffectsFixture.GONE;
import static dev.viesti.persistence.effects.EffectsFixture.call;
import static dev.viesti.persistence.effects.EffectsFixture.delete;
import static dev.viesti.persistence.effects.EffectsFixture.put;
import static dev.viesti.persistence.effects.EffectsFixture.putAt;
import static org.assertj.core.api.Assertions.assertThat;

import dev.viesti.persistence.effects.Effects.KvWrite;
import dev.viesti.persistence.effects.Effects.Result;
import dev.viesti.persistence.outbox.ClientRow;
import dev.viesti.persistence.outbox.ClientRowRepository;
import dev.viesti.persistence.outbox.OutboxFixture;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.delivery.Delivery;
import dev.viesti.protocol.event.Event;
import dev.viesti.protocol.event.Payload;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class EffectsPostgresTest {
  private static final EffectsFixture FIXTURE = new EffectsFixture();
  private static final OutboxFixture ROWS = FIXTURE.rows;
  private static final UUID ID = new UUID(0x7000L, 1);

  @AfterAll
  static void close() {
    FIXTURE.close();
  }

  @Test
  void settlesTheRowAndKeepsEverythingThatTheCallWrote() throws Exception {
    AppId app = FIXTURE.owned("everything");
    Delivery row = ROWS.row(app, 1);
    assertThat(
            FIXTURE.commit(
                call(app)
                    .settles(row)
                    .with(put("a", "1"))
                    .with(putAt("b", "2", Effects.ABSENT))
                    .inserts(ID, "{\"name\":\"Ann\"}")
                    .takes(0, 2)
                    .with(ROWS.event("t"))))
        .containsExactly(COMMITTED);
    assertThat(ROWS.all(app)).isEmpty();
    assertThat(FIXTURE.value(app, "a")).isEqualTo("1");
    assertThat(FIXTURE.value(app, "b")).isEqualTo("2");
    assertThat(entity(app)).isEqualTo("{\"name\": \"Ann\"} 1 plugin:crm plugin:crm null");
    assertThat(last(app)).isEqualTo("2");
    assertThat(unrouted(app)).hasSize(1);
  }

  @Test
  void writesNothingForAFormerOwner() throws Exception {
    AppId app = FIXTURE.owned("former");
    Delivery row = ROWS.row(app, 1);
    ROWS.owners.claim(app, "other", 0);
    assertThat(FIXTURE.commit(everything(app, row))).containsExactly(FENCED);
    assertNothingWritten(app, row);
  }

  @Test
  void writesNothingForARowThatIsGone() throws Exception {
    AppId app = FIXTURE.owned("gone");
    Delivery row = ROWS.row(app, 1);
    Delivery other = row.dueAt(OutboxFixture.NOW);
    assertThat(FIXTURE.commit(everything(app, other))).containsExactly(GONE);
    assertThat(FIXTURE.commit(everything(app, other(row)))).containsExactly(GONE);
    assertNothingWritten(app, row);
  }

  @Test
  void writesNothingWhenAValueHasAnotherVersion() throws Exception {
    AppId app = FIXTURE.owned("other-version");
    Delivery row = ROWS.row(app, 1);
    FIXTURE.commit(call(app).with(put("seen", "0")));
    long seen = FIXTURE.version(app, "seen");
    FIXTURE.commit(call(app).with(put("seen", "1")));
    for (KvWrite stale :
        List.of(
            putAt("seen", "2", seen),
            putAt("seen", "2", Effects.ABSENT),
            delete("seen", seen),
            delete("seen", Effects.ABSENT))) {
      assertThat(FIXTURE.commit(everything(app, row).with(stale)))
          .containsExactly(new Result.Conflict("kv c/seen"));
    }
    assertThat(FIXTURE.commit(everything(app, row).with(putAt("never", "1", seen))))
        .containsExactly(new Result.Conflict("kv c/never"));
    assertThat(FIXTURE.value(app, "seen")).isEqualTo("1");
    assertThat(FIXTURE.value(app, "never")).isNull();
    FIXTURE.kv.delete(app, "c", "seen", null);
    assertNothingWritten(app, row);
  }

  @Test
  void writesNothingThatTheDatabaseRefuses() throws Exception {
    AppId app = FIXTURE.owned("refused");
    Delivery row = ROWS.row(app, 1);
    List<Result> results =
        FIXTURE.commit(call(app).settles(row).with(put("a", "1")).inserts(ID, "no JSON"));
    assertThat(results.getFirst())
        .isInstanceOfSatisfying(
            Result.Refused.class, refused -> assertThat(refused.detail()).contains("json"));
    assertNothingWritten(app, row);
  }

  @Test
  void refusesNamesThatNoValueCanHave() throws Exception {
    AppId app = FIXTURE.owned("names");
    var big = Payload.of(new byte[KvLimits.VALUE_BYTES_MAX + 1]);
    for (KvWrite wrong :
        List.of(
            put("", "1"),
            put("x".repeat(257), "1"),
            put("a\u0000b", "1"),
            put("\ud800", "1"),
            new KvWrite("\n", "k", Payload.NONE, null),
            new KvWrite("c", "k", big, null),
            putAt("k", "1", -1))) {
      assertThat(FIXTURE.commit(call(app).with(wrong), call(app).with(put("ok", "1"))))
          .satisfiesExactly(
              refused -> assertThat(refused).isInstanceOf(Result.Refused.class),
              next -> assertThat(next).isEqualTo(COMMITTED));
    }
    assertThat(FIXTURE.commit(call(app).with(put("\ud83d\ude00".repeat(128), "1"))))
        .containsExactly(COMMITTED);
    assertThat(ROWS.count("kv where app_id = 'names'")).isEqualTo(2);
  }

  @Test
  void refusesStepsBackwardsAndVersionsThatNoEntityHas() throws Exception {
    AppId app = FIXTURE.owned("backwards");
    assertThat(
            FIXTURE.commit(
                call(app).takes(3, 3),
                call(app).takes(-1, 3),
                call(app).updates(ID, 0, "{}"),
                call(app).deletes(ID, -1)))
        .allSatisfy(result -> assertThat(result).isInstanceOf(Result.Refused.class));
    assertThat(ROWS.count("plugin_entity where app_id = 'backwards'")).isZero();
    assertThat(last(app)).isEqualTo("null");
  }

  @Test
  void oneThatFailsTakesNoOtherWithIt() throws Exception {
    AppId app = FIXTURE.owned("mixed");
    AppId lost = FIXTURE.owned("mixed-lost");
    ROWS.owners.claim(lost, "other", 0);
    List<Delivery> rows = ROWS.rows(app, 1, 8);
    FIXTURE.commit(call(app).with(put("taken", "0")));
    assertThat(
            FIXTURE.commit(
                call(app).settles(rows.get(0)).with(put("0", "1")),
                call(lost).with(put("1", "1")),
                call(app).settles(other(rows.get(2))).with(put("2", "1")),
                call(app).settles(rows.get(3)).with(put("3", "1")).inserts(ID, "{"),
                call(app).settles(rows.get(4)).with(putAt("taken", "1", Effects.ABSENT)),
                call(app).settles(rows.get(5)).inserts(ID, "{\"n\":5}").with(put("5", "1")),
                call(app).settles(rows.get(6)).inserts(ID, "{\"n\":6}").with(put("6", "1")),
                call(app).settles(rows.get(7)).takes(0, 1)))
        .satisfiesExactly(
            first -> assertThat(first).isEqualTo(COMMITTED),
            fenced -> assertThat(fenced).isEqualTo(FENCED),
            gone -> assertThat(gone).isEqualTo(GONE),
            refused -> assertThat(refused).isInstanceOf(Result.Refused.class),
            taken -> assertThat(taken).isEqualTo(new Result.Conflict("kv c/taken")),
            entity -> assertThat(entity).isEqualTo(COMMITTED),
            again -> assertThat(again).isEqualTo(new Result.Conflict("entity crm/customer/" + ID)),
            last -> assertThat(last).isEqualTo(COMMITTED));
    assertThat(ROWS.all(app))
        .containsExactly(rows.get(1), rows.get(2), rows.get(3), rows.get(4), rows.get(6));
    assertThat(keys(app)).isEqualTo("0 5 taken");
    assertThat(FIXTURE.value(app, "taken")).isEqualTo("0");
    assertThat(entity(app)).startsWith("{\"n\": 5} 1");
    assertThat(last(app)).isEqualTo("1");
  }

  @Test
  void oneOfTwoThatSettleTheSameRowIsWritten() throws Exception {
    AppId app = FIXTURE.owned("twice");
    Delivery row = ROWS.row(app, 1);
    assertThat(
            FIXTURE.commit(
                call(app).settles(row).with(put("first", "1")),
                call(app).settles(row).with(put("second", "1"))))
        .containsExactly(COMMITTED, GONE);
    assertThat(keys(app)).isEqualTo("first");
  }

  @Test
  void theNextOneTakesTheRowWhenTheFirstIsNotWritten() throws Exception {
    AppId app = FIXTURE.owned("second-chance");
    Delivery row = ROWS.row(app, 1);
    assertThat(
            FIXTURE.commit(
                call(app).settles(row).with(putAt("no", "1", 77)).with(put("blind", "first")),
                call(app).settles(row).with(put("blind", "second")),
                call(app).with(put("blind", "third")),
                call(app).settles(row).with(put("blind", "fourth"))))
        .containsExactly(new Result.Conflict("kv c/no"), COMMITTED, COMMITTED, GONE);
    assertThat(FIXTURE.value(app, "blind")).isEqualTo("third");
  }

  @Test
  void theLaterOfTwoBlindWritesWins() throws Exception {
    AppId app = FIXTURE.owned("later");
    assertThat(
            FIXTURE.commit(
                call(app).with(put("k", "1")).with(put("gone", "1")),
                call(app).with(delete("gone", null)),
                call(app).with(put("k", "2"))))
        .containsOnly(COMMITTED);
    assertThat(FIXTURE.value(app, "k")).isEqualTo("2");
    assertThat(keys(app)).isEqualTo("k");
  }

  /** The expectation of the first is checked although its value is never stored. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aBlindWriteOverAnExpectingOneLeavesItsExpectation(boolean met) throws Exception {
    AppId app = FIXTURE.owned("over-" + met);
    FIXTURE.commit(call(app).with(put("k", "0")));
    long version = FIXTURE.version(app, "k") + (met ? 0 : 1_000_000);
    assertThat(
            FIXTURE.commit(
                call(app).with(putAt("k", "1", version)).with(put("x", "1")),
                call(app).with(put("k", "2")),
                call(app).with(putAt("k", "3", version))))
        .element(0)
        .isEqualTo(met ? COMMITTED : new Result.Conflict("kv c/k"));
    assertThat(FIXTURE.value(app, "k")).isEqualTo("2");
    assertThat(keys(app)).isEqualTo(met ? "k x" : "k");
  }

  @Test
  void aVersionNeverComesBack() throws Exception {
    AppId app = FIXTURE.owned("versions");
    List<Long> versions = new ArrayList<>();
    for (int n = 0; n < 5; n++) {
      FIXTURE.commit(call(app).with(put("k", "1")));
      versions.add(FIXTURE.version(app, "k"));
      FIXTURE.commit(call(app).with(put("k", "1")));
      versions.add(FIXTURE.version(app, "k"));
      FIXTURE.commit(call(app).with(delete("k", null)));
    }
    assertThat(versions).isSorted().doesNotHaveDuplicates();
    FIXTURE.commit(call(app).with(putAt("k", "1", Effects.ABSENT)));
    for (long version : versions) {
      assertThat(FIXTURE.commit(call(app).with(delete("k", version))))
          .containsExactly(new Result.Conflict("kv c/k"));
    }
  }

  @Test
  void anEntityGoesThroughItsVersions() throws Exception {
    AppId app = FIXTURE.owned("entity");
    var conflict = new Result.Conflict("entity crm/customer/" + ID);
    assertThat(FIXTURE.commit(call(app).updates(ID, 1, "{}"))).containsExactly(conflict);
    assertThat(FIXTURE.commit(call(app).deletes(ID, 1))).containsExactly(conflict);
    assertThat(FIXTURE.commit(call(app).inserts(ID, "{\"n\":1}"))).containsExactly(COMMITTED);
    assertThat(FIXTURE.commit(call(app).inserts(ID, "{\"n\":2}"))).containsExactly(conflict);
    assertThat(FIXTURE.commit(call(app).updates(ID, 2, "{\"n\":3}"))).containsExactly(conflict);
    assertThat(FIXTURE.commit(call(app).updates(ID, 1, "{\"n\":4}"))).containsExactly(COMMITTED);
    assertThat(entity(app)).startsWith("{\"n\": 4} 2");
    assertThat(FIXTURE.commit(call(app).deletes(ID, 1))).containsExactly(conflict);
    assertThat(FIXTURE.commit(call(app).deletes(ID, 2))).containsExactly(COMMITTED);
    assertThat(entity(app)).isEqualTo("{\"n\": 4} 3 plugin:crm plugin:crm plugin:crm");
    assertThat(FIXTURE.commit(call(app).updates(ID, 3, "{}"))).containsExactly(conflict);
    assertThat(FIXTURE.commit(call(app).deletes(ID, 3))).containsExactly(conflict);
    assertThat(FIXTURE.commit(call(app).inserts(ID, "{}"))).as("taken").containsExactly(conflict);
  }

  @Test
  void numbersAreTakenOneAfterTheOther() throws Exception {
    AppId app = FIXTURE.owned("numbers");
    var conflict = new Result.Conflict("numbering crm/invoice/2026");
    assertThat(FIXTURE.commit(call(app).takes(1, 2))).containsExactly(conflict);
    assertThat(FIXTURE.commit(call(app).takes(0, 1), call(app).takes(0, 1), call(app).takes(1, 2)))
        .containsExactly(COMMITTED, conflict, conflict);
    assertThat(FIXTURE.commit(call(app).takes(1, 4))).containsExactly(COMMITTED);
    assertThat(FIXTURE.commit(call(app).takes(0, 1))).containsExactly(conflict);
    assertThat(FIXTURE.commit(call(app).takes(1, 5))).containsExactly(conflict);
    assertThat(last(app)).isEqualTo("4");
  }

  @Test
  void publishesAsAClientDoes() throws Exception {
    AppId app = FIXTURE.owned("publish");
    var at = Instant.parse("2027-01-01T00:00:00Z");
    UUID root = new UUID(7, 7);
    Event event =
        new Event(
            new UUID(7, 8),
            null,
            "/crm",
            "welcome",
            "ann",
            "{\"x\":1}",
            Payload.of(new byte[] {1}),
            true,
            "user:ann",
            3,
            root,
            "00-trace",
            at);
    Event plain = ROWS.event("plain");
    FIXTURE.commit(call(app).with(event), call(app).with(plain));
    List<ClientRow> rows = unrouted(app);
    assertThat(rows.stream().map(ClientRow::event)).containsExactly(event, plain);
    assertThat(rows.get(0).seq()).isLessThan(rows.get(1).seq());
  }

  @Test
  void anEventWithAnIdIsPublishedOnce() throws Exception {
    AppId app = FIXTURE.owned("once");
    Delivery row = ROWS.row(app, 1);
    assertThat(FIXTURE.commit(call(app).with(keyed("x")), call(app).with(keyed("x"))))
        .containsOnly(COMMITTED);
    assertThat(FIXTURE.commit(call(app).settles(row).with(keyed("x")).with(keyed("y"))))
        .as("the rest of the call is written")
        .containsExactly(COMMITTED);
    assertThat(unrouted(app).stream().map(client -> client.event().externalId()))
        .containsExactly("x", "y");
    assertThat(ROWS.all(app)).isEmpty();
    AppId other = FIXTURE.owned("once-other");
    FIXTURE.commit(call(other).with(keyed("x")));
    assertThat(unrouted(other)).hasSize(1);
  }

  @Test
  void settlesRowsThatAClientWrote() throws Exception {
    AppId app = FIXTURE.owned("client-row");
    FIXTURE.commit(call(app).with(ROWS.event("t")));
    ClientRow row = unrouted(app).getFirst();
    Delivery delivery = row.asItIs(OutboxFixture.TRIGGER);
    assertThat(FIXTURE.commit(call(app).settles(delivery))).containsExactly(COMMITTED);
    assertThat(unrouted(app)).isEmpty();
  }

  @Test
  void commitsCallsWithoutEffectsAndNoCallsAtAll() throws Exception {
    AppId app = FIXTURE.owned("empty");
    assertThat(FIXTURE.commit()).isEmpty();
    assertThat(FIXTURE.commit(call(app), call(app).at(2))).containsExactly(COMMITTED, FENCED);
  }

  @Test
  void appsDoNotMeetAtTheSameKeys() throws Exception {
    AppId one = FIXTURE.owned("iso-a");
    AppId other = FIXTURE.owned("iso-b");
    FIXTURE.commit(
        call(one).with(put("k", "a")).inserts(ID, "{}").takes(0, 9),
        call(other).with(putAt("k", "b", Effects.ABSENT)).inserts(ID, "{}").takes(0, 1));
    assertThat(FIXTURE.value(one, "k")).isEqualTo("a");
    assertThat(FIXTURE.value(other, "k")).isEqualTo("b");
    assertThat(FIXTURE.commit(call(other).with(delete("k", null)).deletes(ID, 1)))
        .containsExactly(COMMITTED);
    assertThat(FIXTURE.value(one, "k")).isEqualTo("a");
    assertThat(entity(one)).endsWith("null");
    assertThat(last(one)).isEqualTo("9");
    assertThat(last(other)).isEqualTo("1");
  }

  /** A call that would write to every table. */
  private static EffectsFixture.Wish everything(AppId app, Delivery row) {
    return call(app)
        .settles(row)
        .with(put("a", "1"))
        .with(putAt("b", "1", Effects.ABSENT))
        .inserts(ID, "{}")
        .takes(0, 1)
        .with(keyed("e"));
  }

  private static void assertNothingWritten(AppId app, Delivery row) throws Exception {
    assertThat(ROWS.all(app)).containsExactly(row);
    assertThat(unrouted(app)).isEmpty();
    for (String table : List.of("kv", "plugin_entity", "numbering", "idempotency_key")) {
      assertThat(ROWS.count(table + " where app_id = '" + app + "'")).as(table).isZero();
    }
  }

  /** The row in a version that was never in the table. */
  private static Delivery other(Delivery row) {
    return row.retriedAt(OutboxFixture.NOW, OutboxFixture.NOW, "failed", null).dueAt(null);
  }

  private static Event keyed(String externalId) {
    return new Event(
        Event.derivedId("/crm", externalId),
        externalId,
        "/crm",
        "t",
        null,
        null,
        Payload.NONE,
        false,
        null,
        0,
        null,
        null);
  }

  private static List<ClientRow> unrouted(AppId app) throws Exception {
    return new ClientRowRepository(ROWS.database).read(app, -1, 100, Long.MAX_VALUE).rows();
  }

  private static @Nullable String keys(AppId app) throws Exception {
    return ROWS.text(
        "select string_agg(key, ' ' order by key) from viesti.kv where app_id = '" + app + "'");
  }

  private static @Nullable String entity(AppId app) throws Exception {
    return ROWS.text(
        """
        select concat_ws(' ', data, version, created_by, updated_by, coalesce(deleted_by, 'null'))
        from viesti.plugin_entity
        where app_id = '%s'
        """
            .formatted(app));
  }

  private static @Nullable String last(AppId app) throws Exception {
    return ROWS.text("select max(last) from viesti.numbering where app_id = '" + app + "'");
  }
}
