package dev.viesti.dispatcher.outbox;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/**
 * Nothing is lost, nothing runs twice at once, no key is overtaken and memory is bounded, whatever
 * happens in whatever order.
 */
class OutboxSimulationTest {
  private static final int WINDOW_AND_WHAT_WAS_UNDER_WAY = 80;

  @Test
  void deliversEveryRowOfTheTableInSpiteOfEverything() {
    for (long seed = 0; seed < 2_000; seed++) {
      var simulation = new OutboxSimulation(seed).run(1_500).drain();
      assertThat(simulation.largest()).isLessThan(WINDOW_AND_WHAT_WAS_UNDER_WAY);
    }
  }
}
