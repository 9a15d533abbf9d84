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
import org.junit.jupiter.api.TestInstance;

@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class InsertPostgresTest {
  private static final TriggerId OTHER = new TriggerId("ship");

  private final OutboxFixture fixture = new OutboxFixture();
  private final OutboxRepository outbox = new OutboxRepository(fixture.database, copyRows());

  int copyRows() {
    return 1_000;
  }

  @AfterAll
  void close() {
    fixture.close();
  }

  @Test
  void writesRowsThatReadBackEqual() throws Exception {
    AppId app = owned("plain");
    Inserted inserted =
        put(insert(app, 1, fixture.event("a"), fixture.event("b"), fixture.event("c")));
    assertThat(inserted.fenced()).isFalse();
    assertThat(inserted.duplicates().isEmpty()).isTrue();
    assertThat(inserted.rows())
        .extracting(row -> row.event().type())
        .containsExactly("a", "b", "c");
    assertThat(fixture.all(app)).isEqualTo(inserted.rows());
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
    Inserted inserted = put(new Insert(app, 1, NOW, List.of(new Insert.Routed(event, routes))));
    Delivery read = fixture.all(app).getFirst();
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
      var outbox = new OutboxRepository(fixture.database, copyRows());
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
        List<Inserted> answers = outbox.insert(inserts, fixture::seq);
        for (int i = 0; i < inserts.size(); i++) {
          for (Delivery row : answers.get(i).rows()) {
            assertThat(fixture.deliveries.find(inserts.get(i).app(), row.id()))
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
          put(new Insert(app, 1, at, List.of(routed(fixture.event("t"), TRIGGER))))
              .rows()
              .getFirst();
      assertThat(fixture.deliveries.find(app, row.id())).as("seed %d", seed).isEqualTo(row);
    }
  }

  @Test
  void writesARowForEachTrigger() throws Exception {
    AppId app = owned("many");
    var events =
        List.of(
            routed(fixture.event("a"), TRIGGER, OTHER),
            routed(keyed("m"), TRIGGER, OTHER),
            routed(fixture.event("c"), OTHER));
    Inserted inserted = put(new Insert(app, 1, NOW, events));
    assertThat(inserted.rows())
        .extracting(Delivery::trigger)
        .containsExactly(TRIGGER, OTHER, TRIGGER, OTHER, OTHER);
    assertThat(inserted.rows()).extracting(Delivery::id).doesNotHaveDuplicates();
    assertThat(fixture.all(app)).isEqualTo(inserted.rows());
  }

  @Test
  void answersForEachAppOfAGroup() throws Exception {
    List<AppId> apps = List.of(owned("group-a"), owned("group-b"), owned("group-c"));
    List<Insert> inserts =
        apps.stream()
            .map(app -> insert(app, 1, fixture.event(app.value()), keyed("same")))
            .toList();
    List<Inserted> answers = outbox.insert(inserts, fixture::seq);
    for (int i = 0; i < apps.size(); i++) {
      assertThat(answers.get(i).duplicates().isEmpty()).as("the same id in another app").isTrue();
      assertThat(answers.get(i).rows().getFirst().event().type()).isEqualTo(apps.get(i).value());
      assertThat(fixture.all(apps.get(i))).isEqualTo(answers.get(i).rows()).hasSize(2);
    }
  }

  @Test
  void answersADuplicateInTheSameInsert() throws Exception {
    AppId app = owned("dup-same");
    Inserted inserted = put(insert(app, 1, keyed("x"), fixture.event("t"), keyed("x"), keyed("y")));
    assertThat(inserted.duplicates()).isEqualTo(bits(2));
    assertThat(inserted.rows()).hasSize(3);
    assertThat(fixture.all(app)).isEqualTo(inserted.rows());
  }

  @Test
  void answersADuplicateInAnotherInsertOfTheGroup() throws Exception {
    AppId app = owned("dup-group");
    List<Inserted> answers =
        outbox.insert(
            List.of(insert(app, 1, keyed("x")), insert(app, 1, keyed("y"), keyed("x"))),
            fixture::seq);
    assertThat(answers.get(0).duplicates().isEmpty()).isTrue();
    assertThat(answers.get(1).duplicates()).isEqualTo(bits(1));
    assertThat(fixture.all(app)).hasSize(2);
  }

  @Test
  void answersADuplicateOfAnEarlierGroupEvenWhenThatIsSettled() throws Exception {
    AppId app = owned("dup-earlier");
    Delivery first = put(insert(app, 1, keyed("x"))).rows().getFirst();
    outbox.settle(List.of(OutboxFixture.settling(app, 1, OutboxFixture.delete(first))));
    Inserted again =
        put(
            new Insert(
                app,
                1,
                NOW,
                List.of(routed(keyed("x"), TRIGGER, OTHER), routed(keyed("z"), OTHER))));
    assertThat(again.duplicates()).isEqualTo(bits(0));
    assertThat(again.rows()).extracting(row -> row.event().externalId()).containsExactly("z");
    assertThat(fixture.all(app)).isEqualTo(again.rows());
  }

  @Test
  void remembersNothingOfEventsWithoutIdsOfTheSender() throws Exception {
    AppId app = owned("unkeyed");
    fixture.rows(app, 1, 10);
    assertThat(fixture.count("idempotency_key where app_id = 'unkeyed'")).isZero();
  }

  @Test
  void writesNothingForAFencedAppWhileTheOthersGoThrough() throws Exception {
    AppId fenced = owned("fenced");
    AppId held = owned("held");
    AppId never = new AppId("never-claimed");
    fixture.owners.claim(fenced, "other", 0);
    List<Inserted> answers =
        outbox.insert(
            List.of(
                insert(fenced, 1, fixture.event("t"), keyed("f")),
                insert(held, 1, fixture.event("t"), keyed("f")),
                insert(never, 1, fixture.event("t"), keyed("f"))),
            fixture::seq);
    assertThat(answers).extracting(Inserted::fenced).containsExactly(true, false, true);
    assertThat(answers.get(0)).isEqualTo(Inserted.FENCED);
    assertThat(fixture.all(fenced)).isEmpty();
    assertThat(fixture.all(never)).isEmpty();
    assertThat(fixture.all(held)).isEqualTo(answers.get(1).rows()).hasSize(2);
    assertThat(fixture.count("idempotency_key where app_id in ('fenced', 'never-claimed')"))
        .isZero();
  }

  /** Else the caller hears "duplicate" of an event that is nowhere. */
  @Test
  void takesAnEventOfTheNewEpochThoughTheSameWasFencedInTheGroup() throws Exception {
    AppId app = owned("both-epochs");
    long renewed = fixture.owners.renew(app, 1).orElseThrow();
    List<Inserted> answers =
        outbox.insert(
            List.of(insert(app, 1, keyed("x")), insert(app, renewed, keyed("x"), keyed("x"))),
            fixture::seq);
    assertThat(answers.get(0).fenced()).isTrue();
    assertThat(answers.get(1).duplicates()).isEqualTo(bits(1));
    assertThat(fixture.all(app)).isEqualTo(answers.get(1).rows()).hasSize(1);
  }

  @Test
  void writesAllOfAGroupOrNothing() throws Exception {
    AppId app = owned("atomic");
    AppId other = owned("atomic-other");
    put(insert(app, 1, fixture.event("t")));
    long taken = fixture.all(app).getFirst().seq();
    assertThatThrownBy(
            () ->
                outbox.insert(
                    List.of(insert(other, 1, keyed("k")), insert(app, 1, fixture.event("t"))),
                    () -> taken))
        .isInstanceOfSatisfying(
            SQLException.class,
            refused -> assertThat(SqlFailure.of(refused)).isEqualTo(SqlFailure.REFUSED));
    assertThat(fixture.all(other)).isEmpty();
    assertThat(fixture.count("idempotency_key where app_id = 'atomic-other'")).isZero();
  }

  private Inserted put(Insert insert) throws SQLException {
    return outbox.insert(List.of(insert), fixture::seq).getFirst();
  }

  private AppId owned(String name) throws SQLException {
    var app = new AppId(name);
    assertThat(fixture.owners.claim(app, "node", 0).epoch()).isEqualTo(1);
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
