package dev.viesti.dispatcher.outbox;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

class CurrentEpochTest {
  private static final Duration LONG = Duration.ofSeconds(30);

  private final CurrentEpoch epoch = new CurrentEpoch();

  @Test
  void isThereAtOnce() throws InterruptedException {
    epoch.set(7);
    assertThat(epoch.await(0, Duration.ZERO)).isEqualTo(7);
  }

  @Test
  void isWaitedForNoLongerThanItIsWorth() throws InterruptedException {
    assertThat(epoch.await(0, Duration.ofMillis(1))).isZero();
    epoch.set(7);
    assertThat(epoch.await(7, Duration.ofMillis(1))).isZero();
    epoch.set(0);
    assertThat(epoch.await(6, Duration.ofMillis(1))).isZero();
  }

  @Test
  void wakesThoseWhoWaitForAnotherOne() {
    epoch.set(7);
    var first = waits(7);
    var second = waits(7);
    epoch.set(0);
    epoch.set(8);
    assertThat(first.join()).isEqualTo(8);
    assertThat(second.join()).isEqualTo(8);
  }

  private CompletableFuture<Long> waits(long stale) {
    return CompletableFuture.supplyAsync(
        () -> {
          try {
            return epoch.await(stale, LONG);
          } catch (InterruptedException cancelled) {
            throw new AssertionError(cancelled);
          }
        },
        task -> Thread.ofVirtual().start(task));
  }
}
