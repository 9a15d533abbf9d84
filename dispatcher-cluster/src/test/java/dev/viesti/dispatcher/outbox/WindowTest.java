package dev.viesti.dispatcher.outbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.typesafe.config.ConfigFactory;
import dev.viesti.protocol.app.AppSettings;
import dev.viesti.protocol.delivery.Delivery;
import dev.viesti.protocol.event.Event;
import dev.viesti.protocol.event.Payload;
import dev.viesti.protocol.trigger.EventPattern;
import dev.viesti.protocol.trigger.Target;
import dev.viesti.protocol.trigger.Trigger;
import dev.viesti.protocol.trigger.TriggerId;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Test;

final class WindowTest {
  private static final Instant NOW = Instant.parse("2026-01-01T00:00:00Z");
  private static final TriggerId PLAIN = new TriggerId("plain");
  private static final TriggerId URGENT = new TriggerId("urgent");
  private static final int WINDOW_ROWS = 100;
  private static final int PAGE_ROWS = 40;

  private final Window window =
      new Window(
          settings("256 KiB"),
          Clock.fixed(NOW, ZoneOffset.UTC),
          new OutboxPolicy(
              AppSettings.DEFAULT,
              Map.of(PLAIN, trigger(0), URGENT, trigger(Trigger.PRIORITY_MAX))));

  private long seq;

  @Test
  void countsWhatPassedForItselfUpToAPage() {
    fill();
    for (int n = 0; n < 2 * PAGE_ROWS; n++) {
      window.admitAhead(row(URGENT, 10));
    }
    assertThat(window.ledger().size()).isEqualTo(WINDOW_ROWS + PAGE_ROWS);
    for (long first = 1; first <= PAGE_ROWS; first++) {
      window.ledger().gone(first, NOW);
    }
    assertThat(window.hasRoom()).isTrue();
    assertThat(window.hasRoomForPage()).as("they take no room from a page").isTrue();
  }

  @Test
  void boundsWhatPassesInBytes() {
    fill();
    window.admitAhead(row(PLAIN, 10));
    assertThat(window.ledger().size()).as("without a priority").isEqualTo(WINDOW_ROWS);
    for (int n = 0; n < PAGE_ROWS; n++) {
      window.admitAhead(row(URGENT, 50_000));
    }
    assertThat(window.ledger().reserve().bytes()).isBetween(200L << 10, 256L << 10);
    assertThat(window.ledger().reserve().rows()).isEqualTo(5);
    window.ledger().gone(seq - PAGE_ROWS + 1, NOW);
    window.admitAhead(row(URGENT, 50_000));
    assertThat(window.ledger().reserve().rows()).as("one has gone").isEqualTo(5);
  }

  @Test
  void namesTheSettingThatIsOutOfItsBounds() {
    assertThatThrownBy(() -> settings("33 MiB"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("viesti.outbox.reserve-bytes is 0 to window-bytes");
  }

  private void fill() {
    for (int n = 0; n < WINDOW_ROWS; n++) {
      window.admit(row(PLAIN, 10));
    }
    assertThat(window.hasRoom()).isFalse();
  }

  private Delivery row(TriggerId trigger, int bytes) {
    seq++;
    var event =
        Event.of(new UUID(0, seq), "s", "t", null, Payload.ofJson("\"" + "x".repeat(bytes) + "\""));
    return Delivery.fresh(seq, event, trigger, null, NOW);
  }

  private static Trigger trigger(int priority) {
    return new Trigger(
            new EventPattern("*", "*", "*"),
            null,
            new Target.Log(),
            null,
            Duration.ofSeconds(1),
            null,
            null,
            true)
        .withPriority(priority);
  }

  private static OutboxSettings settings(String reserveBytes) {
    return OutboxSettings.from(
        ConfigFactory.parseString(
                "viesti.outbox { window-rows = %d, page-rows = %d, reserve-bytes = %s }"
                    .formatted(WINDOW_ROWS, PAGE_ROWS, reserveBytes))
            .withFallback(ConfigFactory.defaultReference()));
  }
}
