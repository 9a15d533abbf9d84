package dev.viesti.dispatcher.outbox;

import static org.assertj.core.api.Assertions.assertThat;

import dev.viesti.persistence.outbox.Claim;
import dev.viesti.protocol.delivery.Delivery;
import dev.viesti.protocol.delivery.Outcome;
import dev.viesti.protocol.event.Event;
import dev.viesti.protocol.event.Payload;
import dev.viesti.protocol.trigger.TriggerId;
import java.time.Instant;
import java.util.UUID;
import org.junit.jupiter.api.Test;

final class CarefulStartsTest {
  private static final Instant NOW = Instant.parse("2026-01-01T00:00:00Z");
  private static final long FIRST_SEQ = 1_000_000_000;

  @Test
  void marksNothingAfterAnOwnerThatReleasedItsOutbox() {
    assertThat(marked(0)).isZero();
  }

  /** So a delivery that ends its node is among them some time, however many are before it. */
  @Test
  void marksMoreWithEachCrashUntilItIsEverything() {
    assertThat(marked(1)).isEqualTo(256);
    assertThat(marked(2)).isEqualTo(1_024);
    assertThat(marked(5)).isEqualTo(65_536);
    for (int crashes : new int[] {9, 20, 1_000_000, Integer.MAX_VALUE}) {
      assertThat(marked(crashes)).as("after %d", crashes).isEqualTo(100_000);
    }
  }

  @Test
  void leavesRowsAloneThatCameAfterTheCrash() {
    var careful = new CarefulStarts();
    careful.claimed(new Claim(2, FIRST_SEQ, 0, 1, null));
    assertThat(careful.begins(row(FIRST_SEQ))).isFalse();
    assertThat(careful.begins(row(FIRST_SEQ - 1))).isTrue();
  }

  @Test
  void runsOneSuspectAtATime() {
    var careful = new CarefulStarts();
    careful.claimed(new Claim(2, FIRST_SEQ, 0, 1, null));
    Delivery one = suspect(1);
    Delivery other = suspect(2);
    assertThat(careful.mustWait(one)).isFalse();
    assertThat(careful.begins(one)).isTrue();
    assertThat(careful.mustWait(other)).isTrue();
    assertThat(careful.mustWait(row(3))).isFalse();
    careful.ended(one);
    assertThat(careful.mustWait(other)).isFalse();
  }

  /** Of 100,000 rows that were there before the crashes. */
  private static int marked(int crashes) {
    var careful = new CarefulStarts();
    careful.claimed(new Claim(9, FIRST_SEQ, 0, crashes, null));
    Delivery row = row(1);
    int marked = 0;
    for (int n = 0; n < 100_000; n++) {
      marked += careful.begins(row) ? 1 : 0;
    }
    return marked;
  }

  private static Delivery row(long seq) {
    var event = Event.of(new UUID(0, seq), "s", "t", null, Payload.NONE);
    return Delivery.fresh(seq, event, new TriggerId("t"), null, NOW);
  }

  private static Delivery suspect(long seq) {
    String log = AttemptLog.append(null, 1, NOW, NOW, new Outcome.Crashed());
    return row(seq).retriedAt(NOW, NOW, "gone", log);
  }
}
