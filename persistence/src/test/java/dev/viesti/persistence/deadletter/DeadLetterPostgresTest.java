package dev.viesti.persistence.deadletter;

import static dev.viesti.persistence.outbox.OutboxFixture.TRIGGER;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.viesti.persistence.deadletter.DeadLetterRepository.Replayed;
import dev.viesti.persistence.outbox.OutboxFixture;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.deadletter.DeadLetter;
import dev.viesti.protocol.deadletter.Resolution;
import dev.viesti.protocol.delivery.Delivery;
import dev.viesti.protocol.trigger.TriggerId;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

final class DeadLetterPostgresTest {
  private static final OutboxFixture FIXTURE = new OutboxFixture();
  private static final DeadLetterRepository LETTERS = new DeadLetterRepository(FIXTURE.database);

  @AfterAll
  static void close() {
    FIXTURE.close();
  }

  @Test
  void listsNewestFirstPageByPage() throws Exception {
    AppId app = owned("list");
    List<UUID> ids = dead(app, 7);
    List<UUID> read = new ArrayList<>();
    UUID after = null;
    while (true) {
      List<DeadLetter> page = LETTERS.list(app, null, null, after, 3);
      page.forEach(letter -> read.add(letter.id()));
      if (page.size() < 3) {
        break;
      }
      after = page.getLast().id();
    }
    assertThat(read).isEqualTo(ids.reversed());
  }

  @Test
  void tellsOpenFromResolvedAndTriggersApart() throws Exception {
    AppId app = owned("filter");
    List<UUID> ids = dead(app, 5);
    assertThat(LETTERS.resolve(app, ids.get(1), Resolution.IGNORED, "test data")).isTrue();
    List<UUID> open = List.of(ids.get(0), ids.get(2), ids.get(3), ids.get(4));
    assertThat(ids(LETTERS.list(app, null, false, null, 10))).isEqualTo(open.reversed());
    assertThat(ids(LETTERS.list(app, null, true, null, 10))).containsExactly(ids.get(1));
    assertThat(ids(LETTERS.list(app, TRIGGER, null, null, 10))).isEqualTo(ids.reversed());
    assertThat(LETTERS.list(app, new TriggerId("none"), null, null, 10)).isEmpty();
    assertThat(LETTERS.unresolvedIds(app, null, null, 10)).isEqualTo(open);
    assertThat(LETTERS.unresolvedIds(app, TRIGGER, ids.get(2), 1)).containsExactly(ids.get(3));
    assertThat(LETTERS.unresolvedIds(app, new TriggerId("none"), null, 10)).isEmpty();
    assertThat(LETTERS.count(app, null, null, 10)).isEqualTo(5);
    assertThat(LETTERS.count(app, null, false, 10)).isEqualTo(4);
    assertThat(LETTERS.count(app, null, true, 10)).isEqualTo(1);
    assertThat(LETTERS.count(app, TRIGGER, null, 3)).as("up to the limit").isEqualTo(3);
    assertThat(LETTERS.count(app, new TriggerId("none"), null, 3)).isZero();
  }

  @Test
  void isResolvedOnce() throws Exception {
    AppId app = owned("resolve");
    UUID id = dead(app, 1).getFirst();
    for (Resolution resolution : Resolution.values()) {
      UUID next = resolution == Resolution.REPLAYED ? id : dead(app, 1).getFirst();
      assertThat(LETTERS.resolve(app, next, resolution, null)).isTrue();
      DeadLetter letter = Objects.requireNonNull(LETTERS.get(app, next));
      assertThat(letter.resolution()).isEqualTo(resolution);
      assertThat(letter.resolvedAt()).isAfterOrEqualTo(letter.createdAt());
    }
    assertThat(LETTERS.resolve(app, id, Resolution.IGNORED, "again")).isFalse();
    assertThat(Objects.requireNonNull(LETTERS.get(app, id)).resolution())
        .isEqualTo(Resolution.REPLAYED);
    assertThat(LETTERS.resolve(app, new UUID(1, 1), Resolution.IGNORED, null)).isFalse();
  }

  @Test
  void belongsToItsApp() throws Exception {
    AppId app = owned("mine");
    AppId other = owned("yours");
    UUID id = dead(app, 1).getFirst();
    assertThat(LETTERS.get(other, id)).isNull();
    assertThat(LETTERS.resolve(other, id, Resolution.IGNORED, null)).isFalse();
    assertThat(LETTERS.replay(other, 1, List.of(id), List.of(9_000_001L), List.of()))
        .isEqualTo(new Replayed(false, 0, null, Set.of()));
    assertThat(LETTERS.list(other, null, null, null, 10)).isEmpty();
    assertThat(LETTERS.count(other, null, null, 10)).isZero();
    assertThat(LETTERS.purge(other, 10)).isZero();
    assertThat(Objects.requireNonNull(LETTERS.get(app, id)).resolvedAt()).isNull();
  }

  @Test
  void comesBackAsAFreshRow() throws Exception {
    AppId app = owned("replay");
    Delivery row = FIXTURE.row(app, 1);
    FIXTURE.buryAll(app, 1, List.of(row));
    UUID id = OutboxFixture.bury(row).deadLetterId();
    assertThat(LETTERS.replay(app, 1, List.of(id), List.of(9_000_100L), List.of()))
        .isEqualTo(new Replayed(false, 1, null, Set.of()));
    Delivery fresh =
        Delivery.fresh(9_000_100L, row.event(), TRIGGER, row.orderingKey(), row.acceptedAt());
    assertThat(FIXTURE.deliveries.list(app, null, null, 0, 10)).containsExactly(fresh);
    assertThat(fresh.id()).isEqualTo(row.id());
    DeadLetter letter = Objects.requireNonNull(LETTERS.get(app, id));
    assertThat(letter.resolution()).isEqualTo(Resolution.REPLAYED);
    assertThat(letter.resolvedAt()).isNotNull();
  }

  @Test
  void comesBackInTheOrderOfItsNumbersAndOnlyOnce() throws Exception {
    AppId app = owned("replay-many");
    List<UUID> ids = dead(app, 5);
    assertThat(LETTERS.resolve(app, ids.get(2), Resolution.IGNORED, null)).isTrue();
    List<UUID> wanted = new ArrayList<>(ids);
    wanted.add(new UUID(1, 1));
    List<Long> seqs =
        List.of(9_000_205L, 9_000_204L, 9_000_203L, 9_000_202L, 9_000_201L, 9_000_206L);
    assertThat(LETTERS.replay(app, 1, wanted, seqs, List.of()))
        .isEqualTo(new Replayed(false, 4, null, Set.of()));
    List<Delivery> back = FIXTURE.deliveries.list(app, null, null, 0, 10);
    assertThat(back)
        .extracting(Delivery::seq)
        .containsExactly(9_000_201L, 9_000_202L, 9_000_204L, 9_000_205L);
    List<UUID> ofBack =
        back.reversed().stream().map(row -> ids.get((int) (9_000_205L - row.seq()))).toList();
    assertThat(ofBack).containsExactly(ids.get(0), ids.get(1), ids.get(3), ids.get(4));
    for (Delivery row : back) {
      UUID id = ids.get((int) (9_000_205L - row.seq()));
      assertThat(Objects.requireNonNull(LETTERS.get(app, id)).delivery()).isEqualTo(row.id());
    }
    assertThat(LETTERS.replay(app, 1, wanted, seqs, List.of()))
        .isEqualTo(new Replayed(false, 0, null, Set.of()));
  }

  @Test
  void staysWhenAFormerOwnerReplays() throws Exception {
    AppId app = owned("replay-fenced");
    UUID id = dead(app, 1).getFirst();
    FIXTURE.owners.claim(app, "other", 0);
    assertThat(LETTERS.replay(app, 1, List.of(id), List.of(9_000_300L), List.of()))
        .isEqualTo(new Replayed(true, 0, null, Set.of()));
    assertThat(Objects.requireNonNull(LETTERS.get(app, id)).resolvedAt()).isNull();
    assertThat(FIXTURE.deliveries.list(app, null, null, 0, 10)).isEmpty();
  }

  @Test
  void refusesANoteThatCannotBeStored() throws Exception {
    AppId app = owned("note");
    UUID id = dead(app, 1).getFirst();
    assertThatThrownBy(() -> LETTERS.resolve(app, id, Resolution.IGNORED, "a\u0000"))
        .isInstanceOf(SQLException.class);
    assertThat(LETTERS.resolve(app, id, Resolution.IGNORED, "ä'\\")).isTrue();
    assertThat(Objects.requireNonNull(LETTERS.get(app, id)).resolutionNote()).isEqualTo("ä'\\");
  }

  @Test
  void goesWithItsApp() throws Exception {
    AppId app = owned("purge");
    dead(app, 5);
    assertThat(LETTERS.purge(app, 3)).isEqualTo(3);
    assertThat(LETTERS.purge(app, 3)).isEqualTo(2);
    assertThat(LETTERS.purge(app, 3)).isZero();
  }

  /** Ids of new dead letters, oldest first. */
  private static List<UUID> dead(AppId app, int count) throws SQLException {
    List<Delivery> rows = FIXTURE.rows(app, 1, count);
    FIXTURE.buryAll(app, 1, rows);
    return rows.stream().map(row -> OutboxFixture.bury(row).deadLetterId()).toList();
  }

  private static List<UUID> ids(List<DeadLetter> letters) {
    return letters.stream().map(DeadLetter::id).toList();
  }

  private static AppId owned(String name) throws SQLException {
    var app = new AppId(name);
    assertThat(FIXTURE.owners.claim(app, "node", 0).epoch()).isEqualTo(1);
    return app;
  }
}
