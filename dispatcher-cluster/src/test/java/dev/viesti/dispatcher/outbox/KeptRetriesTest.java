package dev.viesti.dispatcher.outbox;

import static org.assertj.core.api.Assertions.assertThat;

import dev.viesti.protocol.delivery.Delivery;
import dev.viesti.protocol.event.Event;
import dev.viesti.protocol.event.Payload;
import dev.viesti.protocol.trigger.TriggerId;
import java.time.Duration;
import java.time.Instant;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class KeptRetriesTest {
  private static final Instant NOW = Instant.parse("2026-01-01T00:00:00Z");
  private static final Instant LATER = NOW.plusSeconds(9);
  private static final Duration MOMENT = Duration.ofSeconds(1);

  private final KeptRetries kept = new KeptRetries(MOMENT);

  @Test
  void keepsWhatIsDueInAMoment() {
    assertThat(kept.mayKeep(row(null, null), NOW.plus(MOMENT), NOW)).isTrue();
    assertThat(kept.mayKeep(row(null, null), NOW.plus(MOMENT).plusNanos(1_000), NOW)).isFalse();
    assertThat(new KeptRetries(Duration.ZERO).mayKeep(row(null, null), NOW, NOW)).isFalse();
  }

  @Test
  void writesWhatTheTableTellsOtherwise() {
    assertThat(kept.mayKeep(row(null, null).running(NOW), NOW, NOW)).isFalse();
    assertThat(kept.mayKeep(row(null, null).dueAt(Delivery.UNROUTED), NOW, NOW)).isFalse();
    assertThat(kept.mayKeep(row("key", LATER), NOW, NOW)).isFalse();
    assertThat(kept.mayKeep(row(null, LATER), NOW, NOW)).isTrue();
    assertThat(kept.mayKeep(row("key", null), NOW, NOW)).isTrue();
  }

  @Test
  void knowsTheVersionOfTheTableThroughSeveralRetries() {
    Delivery first = row(null, null);
    Delivery second = first.retriedAt(NOW, NOW, "again", null);
    Delivery third = second.retriedAt(NOW, NOW, "again", null);
    kept.keep(first, NOW);
    kept.keep(second, NOW.plusMillis(10));
    assertThat(kept.stored(third)).isEqualTo(first);
    kept.written(first.seq());
    assertThat(kept.stored(third)).isEqualTo(third);
    assertThat(kept.keeps(first.seq())).isFalse();
  }

  @Test
  void tellsWhatItHasKeptForTwoMoments() {
    Delivery row = row(null, null);
    kept.keep(row, NOW);
    kept.keep(row.retriedAt(NOW, NOW, "again", null), NOW.plus(MOMENT)); // counts from the first
    assertThat(kept.overdue(NOW.plus(MOMENT.multipliedBy(2)).minusNanos(1))).isEmpty();
    assertThat(kept.overdue(NOW.plus(MOMENT.multipliedBy(2)))).containsExactly(row.seq());
  }

  @Test
  void keepsNoMoreWhenTheOwnerStops() {
    Delivery row = row(null, null);
    kept.keep(row, NOW);
    assertThat(kept.keepNoMore()).containsExactly(row.seq());
    assertThat(kept.mayKeep(row, NOW, NOW)).isFalse();
  }

  private static Delivery row(@Nullable String key, @Nullable Instant deliverAt) {
    var event = Event.of(new UUID(0, 1), "test", "t", null, Payload.NONE).deliveredAt(deliverAt);
    return Delivery.fresh(1, event, new TriggerId("trigger"), key, NOW);
  }
}
