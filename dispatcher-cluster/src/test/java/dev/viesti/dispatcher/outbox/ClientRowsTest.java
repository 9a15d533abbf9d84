package dev.viesti.dispatcher.outbox;

import static org.assertj.core.api.Assertions.assertThat;

import dev.viesti.persistence.outbox.ClientRow;
import dev.viesti.persistence.outbox.ClientRowRepository.ClientPage;
import dev.viesti.persistence.outbox.ClientRowRepository.Horizon;
import dev.viesti.protocol.event.Event;
import dev.viesti.protocol.event.Payload;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

final class ClientRowsTest {
  private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");

  private final ClientRows rows = new ClientRows();
  private Instant now = START;

  /** Which rows come when, {@link ClientRowsSimulationTest} shows. */
  @Test
  void looksAgainSoonAndThenLessSoonForWhatCouldNotBeTaken() {
    assertThat(read()).hasSize(1);
    for (long wait : new long[] {100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000}) {
      rows.again(List.of(7L), now);
      assertThat(rows.owedAt()).isEqualTo(now.plusMillis(wait));
      now = now.plusMillis(wait);
      rows.mayWait();
      assertThat(read()).as("after %d ms", wait).hasSize(1);
    }
    rows.succeeded();
    rows.again(List.of(7L), now);
    assertThat(rows.owedAt()).isEqualTo(now.plusMillis(100));
  }

  @Test
  void looksAgainSoonAfterAReadThatFailed() {
    assertThat(rows.next(true, now)).isNotNull();
    rows.failed(now);
    assertThat(rows.owedAt()).isEqualTo(now.plus(Duration.ofMillis(100)));
  }

  private List<ClientRow> read() {
    assertThat(rows.next(true, now)).isNotNull();
    var event = Event.of(new UUID(0, 7), "s", "t", null, Payload.NONE);
    var row = new ClientRow(7, START, null, event);
    return rows.loaded(new Horizon(9, 100), new ClientPage(50, List.of(row), true), now);
  }
}
