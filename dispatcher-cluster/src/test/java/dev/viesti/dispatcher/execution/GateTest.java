package dev.viesti.dispatcher.execution;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class GateTest {
  @Test
  void givesEachWaitingOwnerOnePermitInTurn() {
    var gate = new Gate(1);
    List<String> order = new ArrayList<>();
    assertThat(gate.acquire(() -> order.add("never"))).isTrue();
    assertThat(gate.acquire(() -> order.add("a"))).isFalse();
    assertThat(gate.acquire(() -> order.add("b"))).isFalse();
    gate.release();
    assertThat(order).containsExactly("a");
    assertThat(gate.acquire(() -> order.add("a again"))).isFalse();
    gate.release();
    gate.release();
    assertThat(order).containsExactly("a", "b", "a again");
    gate.release();
    assertThat(gate.used()).isZero();
  }

  @Test
  void doesNotLetANewcomerPassThoseWhoWait() {
    var gate = new Gate(2);
    gate.acquire(() -> {});
    gate.acquire(() -> {});
    List<String> order = new ArrayList<>();
    gate.acquire(() -> order.add("first"));
    gate.release();
    assertThat(gate.acquire(() -> order.add("second"))).isFalse();
    assertThat(order).containsExactly("first");
  }

  @Test
  void saysWhetherAPermitWasGrantedToWhoLeaves() {
    var gate = new Gate(1);
    Gate.Waiter one = () -> {};
    Gate.Waiter other = () -> {};
    gate.acquire(() -> {});
    gate.acquire(one);
    assertThat(gate.leave(one)).isTrue();
    gate.acquire(other);
    gate.release();
    assertThat(gate.leave(other)).isFalse();
  }

  /** One owner with endless work and nine with little: each gets its turn in every round. */
  @Test
  void sharesPermitsEvenlyWhateverTheSeed() {
    for (long seed = 0; seed < 1_000; seed++) {
      var random = new Random(seed);
      var gate = new Gate(4);
      var granted = new int[10];
      var inLine = new boolean[10];
      int held = 0;
      for (int step = 0; step < 2_000; step++) {
        for (int owner = 0; owner < 10; owner++) {
          int who = owner;
          if (!inLine[who]) {
            inLine[who] = true;
            if (gate.acquire(
                () -> {
                  granted[who]++;
                  inLine[who] = false;
                })) {
              granted[who]++;
              inLine[who] = false;
            }
          }
        }
        held = gate.used();
        if (held > 0 && random.nextInt(3) > 0) {
          gate.release();
        }
      }
      assertThat(held).isBetween(0, 4);
      int least = java.util.Arrays.stream(granted).min().orElseThrow();
      int most = java.util.Arrays.stream(granted).max().orElseThrow();
      assertThat(most - least).as("seed " + seed).isLessThanOrEqualTo(4);
    }
  }
}
