package dev.viesti.persistence.outbox;

import static dev.viesti.persistence.outbox.OutboxFixture.NOW;
import static dev.viesti.persistence.outbox.OutboxFixture.TRIGGER;
import static dev.viesti.persistence.outbox.OutboxFixture.insert;
import static dev.viesti.persistence.outbox.OutboxFixture.keyed;
import static dev.viesti.persistence.outbox.OutboxFixture.routed;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.viesti.persistence.SqlFailure;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.delivery.Delivery;
import dev.viesti.protocol.event.Event;
import dev.viesti.protocol.event.Payload;
import dev.viesti.protocol.trigger.TriggerId;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.SplittableRandom;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

final class InsertPostgresTest {
  private static final OutboxFixture FIXTURE = new OutboxFixture();
  private static final OutboxRepository OUTBOX = FIXTURE.outbox;
  private static final TriggerId OTHER = new TriggerId("ship");

  @AfterAll
  static void close() {
    FIXTURE.close();
  }

  @Test
  void writesRowsThatReadBackEqual() throws Exception {
    AppId app = owned("plain");
    Inserted inserted =
        FIXTURE.put(insert(app, 1, FIXTURE.event("a"), FIXTURE.event("b"), FIXTURE.event("c")));
    assertThat(inserted.fenced()).isFalse();
    assertThat(inserted.duplicates().isEmpty()).isTrue();
    assertThat(inserted.rows())
        .extracting(row -> row.event().type())
        .containsExactly("a", "b", "c");
    assertThat(FIXTURE.all(app)).isEqualTo(inserted.rows());
  }

  @Test
  void keepsEveryColumnAndEveryByte() throws Exception {
    AppId app = owned("full");
    byte[] data = new byte[70_000];
    new SplittableRandom(1).nextBytes(data);
    String nasty = "NULL,{\"'\\}ä€😀 ";
    var event =
        new Event(
            new UUID(5, 6),
            "id" + nasty,
            "source" + nasty,
            nasty,
            "NULL",
            "{\n\"k\": \"\\u0000\"}",
            Payload.of(data),
            true,
            "user:" + nasty,
            32_767,
            new UUID(7, 8),
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
    var routes = List.of(new Insert.Route(TRIGGER, "key" + nasty));
    Inserted inserted =
        FIXTURE.put(new Insert(app, 1, NOW, List.of(new Insert.Routed(event, routes))));
    Delivery read = FIXTURE.all(app).getFirst();
    assertThat(read).isEqualTo(inserted.rows().getFirst());
    assertThat(read.event()).isEqualTo(event);
    assertThat(read.event().data().bytes()).isEqualTo(data);
    assertThat(read.orderingKey()).isEqualTo("key" + nasty);
    assertThat(read.acceptedAt()).isEqualTo(NOW);
  }

  /** A column is in the statement from the first row on that has it. */
  @Test
  void keepsColumnsThatComeLateAndGoAgain() throws Exception {
    for (long seed = 0; seed < 40; seed++) {
      var random = new SplittableRandom(seed);
      var outbox = new OutboxRepository(FIXTURE.database);
      List<AppId> apps = List.of(owned("late-a-" + seed), owned("late-b-" + seed));
      for (int group = 0; group < 8; group++) {
        List<Insert> inserts = new ArrayList<>();
        for (AppId app : apps.subList(0, random.nextInt(1, 3))) {
          List<Insert.Routed> events = new ArrayList<>();
          for (int n = random.nextInt(1, 4); n > 0; n--) {
            String key = random.nextInt(4) == 0 ? "key" : null;
            events.add(new Insert.Routed(sparse(random), List.of(new Insert.Route(TRIGGER, key))));
          }
          inserts.add(new Insert(app, 1, NOW, events));
        }
        List<Inserted> answers = outbox.insert(inserts, FIXTURE::seq);
        for (int i = 0; i < inserts.size(); i++) {
          for (Delivery row : answers.get(i).rows()) {
            assertThat(FIXTURE.deliveries.find(inserts.get(i).app(), row.id()))
                .as("seed %d, group %d", seed, group)
                .usingRecursiveComparison()
                .ignoringFields("event.deliverAt") // the row keeps its due time
                .isEqualTo(row);
          }
        }
      }
    }
  }

  /** Each attribute that may be missing is there in one of four. */
  private static Event sparse(SplittableRandom random) {
    UUID id = new UUID(random.nextLong(), random.nextLong());
    return new Event(
        id,
        random.nextInt(4) == 0 ? id.toString() : null,
        "source",
        "type",
        random.nextInt(4) == 0 ? "subject" : null,
        random.nextInt(4) == 0 ? "{\"a\":1}" : null,
        random.nextInt(4) == 0 ? Payload.of(new byte[0]) : Payload.ofJson("1"),
        random.nextInt(4) == 0,
        random.nextInt(4) == 0 ? "user:1" : null,
        random.nextInt(4) == 0 ? 3 : 0,
        random.nextInt(4) == 0 ? new UUID(1, 2) : null,
        random.nextInt(4) == 0 ? "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01" : null,
        random.nextInt(4) == 0 ? NOW.plusSeconds(60) : null);
  }

  @Test
  void keepsTimesToTheMicrosecond() throws Exception {
    AppId app = owned("times");
    for (long seed = 0; seed < 200; seed++) {
      long micros = new SplittableRandom(seed).nextLong(-1L << 53, 1L << 53);
      Instant at =
          Instant.EPOCH.plusSeconds(micros / 1_000_000).plusNanos(micros % 1_000_000 * 1_000);
      Delivery row =
          FIXTURE
              .put(new Insert(app, 1, at, List.of(routed(FIXTURE.event("t"), TRIGGER))))
              .rows()
              .getFirst();
      assertThat(FIXTURE.deliveries.find(app, row.id())).as("seed %d", seed).isEqualTo(row);
    }
  }

  @Test
  void writesARowForEachTrigger() throws Exception {
    AppId app = owned("many");
    var events =
        List.of(
            routed(FIXTURE.event("a"), TRIGGER, OTHER),
            routed(keyed("m"), TRIGGER, OTHER),
            routed(FIXTURE.event("c"), OTHER));
    Inserted inserted = FIXTURE.put(new Insert(app, 1, NOW, events));
    assertThat(inserted.rows())
        .extracting(Delivery::trigger)
        .containsExactly(TRIGGER, OTHER, TRIGGER, OTHER, OTHER);
    assertThat(inserted.rows()).extracting(Delivery::id).doesNotHaveDuplicates();
    assertThat(FIXTURE.all(app)).isEqualTo(inserted.rows());
  }

  @Test
  void answersForEachAppOfAGroup() throws Exception {
    List<AppId> apps = List.of(owned("group-a"), owned("group-b"), owned("group-c"));
    List<Insert> inserts =
        apps.stream()
            .map(app -> insert(app, 1, FIXTURE.event(app.value()), keyed("same")))
            .toList();
    List<Inserted> answers = OUTBOX.insert(inserts, FIXTURE::seq);
    for (int i = 0; i < apps.size(); i++) {
      assertThat(answers.get(i).duplicates().isEmpty()).as("the same id in another app").isTrue();
      assertThat(answers.get(i).rows().getFirst().event().type()).isEqualTo(apps.get(i).value());
      assertThat(FIXTURE.all(apps.get(i))).isEqualTo(answers.get(i).rows()).hasSize(2);
    }
  }

  @Test
  void answersADuplicateInTheSameInsert() throws Exception {
    AppId app = owned("dup-same");
    Inserted inserted =
        FIXTURE.put(insert(app, 1, keyed("x"), FIXTURE.event("t"), keyed("x"), keyed("y")));
    assertThat(inserted.duplicates()).isEqualTo(bits(2));
    assertThat(inserted.rows()).hasSize(3);
    assertThat(FIXTURE.all(app)).isEqualTo(inserted.rows());
  }

  @Test
  void answersADuplicateInAnotherInsertOfTheGroup() throws Exception {
    AppId app = owned("dup-group");
    List<Inserted> answers =
        OUTBOX.insert(
            List.of(insert(app, 1, keyed("x")), insert(app, 1, keyed("y"), keyed("x"))),
            FIXTURE::seq);
    assertThat(answers.get(0).duplicates().isEmpty()).isTrue();
    assertThat(answers.get(1).duplicates()).isEqualTo(bits(1));
    assertThat(FIXTURE.all(app)).hasSize(2);
  }

  @Test
  void answersADuplicateOfAnEarlierGroupEvenWhenThatIsSettled() throws Exception {
    AppId app = owned("dup-earlier");
    Delivery first = FIXTURE.put(insert(app, 1, keyed("x"))).rows().getFirst();
    OUTBOX.settle(List.of(OutboxFixture.settling(app, 1, OutboxFixture.delete(first))));
    Inserted again =
        FIXTURE.put(
            new Insert(
                app,
                1,
                NOW,
                List.of(routed(keyed("x"), TRIGGER, OTHER), routed(keyed("z"), OTHER))));
    assertThat(again.duplicates()).isEqualTo(bits(0));
    assertThat(again.rows()).extracting(row -> row.event().externalId()).containsExactly("z");
    assertThat(FIXTURE.all(app)).isEqualTo(again.rows());
  }

  @Test
  void remembersNothingOfEventsWithoutIdsOfTheSender() throws Exception {
    AppId app = owned("unkeyed");
    FIXTURE.rows(app, 1, 10);
    assertThat(FIXTURE.count("idempotency_key where app_id = 'unkeyed'")).isZero();
  }

  @Test
  void writesNothingForAFencedAppWhileTheOthersGoThrough() throws Exception {
    AppId fenced = owned("fenced");
    AppId held = owned("held");
    AppId never = new AppId("never-claimed");
    FIXTURE.owners.claim(fenced, "other", 0);
    List<Inserted> answers =
        OUTBOX.insert(
            List.of(
                insert(fenced, 1, FIXTURE.event("t"), keyed("f")),
                insert(held, 1, FIXTURE.event("t"), keyed("f")),
                insert(never, 1, FIXTURE.event("t"), keyed("f"))),
            FIXTURE::seq);
    assertThat(answers).extracting(Inserted::fenced).containsExactly(true, false, true);
    assertThat(answers.get(0)).isEqualTo(Inserted.FENCED);
    assertThat(FIXTURE.all(fenced)).isEmpty();
    assertThat(FIXTURE.all(never)).isEmpty();
    assertThat(FIXTURE.all(held)).isEqualTo(answers.get(1).rows()).hasSize(2);
    assertThat(FIXTURE.count("idempotency_key where app_id in ('fenced', 'never-claimed')"))
        .isZero();
  }

  /** Else the caller hears "duplicate" of an event that is nowhere. */
  @Test
  void takesAnEventOfTheNewEpochThoughTheSameWasFencedInTheGroup() throws Exception {
    AppId app = owned("both-epochs");
    long renewed = FIXTURE.owners.renew(app, 1).orElseThrow();
    List<Inserted> answers =
        OUTBOX.insert(
            List.of(insert(app, 1, keyed("x")), insert(app, renewed, keyed("x"), keyed("x"))),
            FIXTURE::seq);
    assertThat(answers.get(0).fenced()).isTrue();
    assertThat(answers.get(1).duplicates()).isEqualTo(bits(1));
    assertThat(FIXTURE.all(app)).isEqualTo(answers.get(1).rows()).hasSize(1);
  }

  @Test
  void writesAllOfAGroupOrNothing() throws Exception {
    AppId app = owned("atomic");
    AppId other = owned("atomic-other");
    FIXTURE.put(insert(app, 1, FIXTURE.event("t")));
    long taken = FIXTURE.all(app).getFirst().seq();
    assertThatThrownBy(
            () ->
                OUTBOX.insert(
                    List.of(insert(other, 1, keyed("k")), insert(app, 1, FIXTURE.event("t"))),
                    () -> taken))
        .isInstanceOfSatisfying(
            SQLException.class,
            refused -> assertThat(SqlFailure.of(refused)).isEqualTo(SqlFailure.REFUSED));
    assertThat(FIXTURE.all(other)).isEmpty();
    assertThat(FIXTURE.count("idempotency_key where app_id = 'atomic-other'")).isZero();
  }

  private static AppId owned(String name) throws SQLException {
    var app = new AppId(name);
    assertThat(FIXTURE.owners.claim(app, "node", 0).epoch()).isEqualTo(1);
    return app;
  }

  private static BitSet bits(int... set) {
    var bits = new BitSet();
    for (int bit : set) {
      bits.set(bit);
    }
    return bits;
  }
}
