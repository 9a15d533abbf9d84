package dev.viesti.dispatcher.execution;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class GateTest {
  @Test
  void givesEachWaitingOwnerOnePermitInTurn() {
    var gate = new Gate(1);
    List<String> order = new ArrayList<>();
    var a = gate.place(() -> order.add("a"));
    var b = gate.place(() -> order.add("b"));
    assertThat(gate.acquire(gate.place(() -> order.add("never")))).isTrue();
    assertThat(gate.acquire(a)).isFalse();
    assertThat(gate.acquire(b)).isFalse();
    gate.release();
    assertThat(order).containsExactly("a");
    assertThat(gate.acquire(a)).isFalse();
    gate.release();
    gate.release();
    assertThat(order).containsExactly("a", "b", "a");
    gate.release();
    assertThat(gate.used()).isZero();
  }

  @Test
  void doesNotLetANewcomerPassThoseWhoWait() {
    var gate = new Gate(1);
    List<String> order = new ArrayList<>();
    gate.acquire(gate.place(() -> {}));
    gate.acquire(gate.place(() -> order.add("first")));
    gate.release();
    assertThat(gate.acquire(gate.place(() -> order.add("second")))).isFalse();
    assertThat(order).containsExactly("first");
  }

  @Test
  void saysWhetherAPermitWasGrantedToWhoLeaves() {
    var gate = new Gate(1);
    var one = gate.place(() -> {});
    var other = gate.place(() -> {});
    gate.acquire(gate.place(() -> {}));
    gate.acquire(one);
    assertThat(gate.leave(one)).isTrue();
    gate.acquire(other);
    gate.release();
    assertThat(gate.leave(other)).isFalse();
  }

  @Test
  void givesNoCreditForTheTimeInWhichSomebodyDidNotWait() {
    var gate = new Gate(1);
    List<String> order = new ArrayList<>();
    var busy = gate.place(() -> order.add("busy"));
    var late = gate.place(() -> order.add("late"));
    gate.acquire(gate.place(() -> {}));
    for (int turn = 0; turn < 1_000; turn++) {
      gate.acquire(busy);
      gate.release();
    }
    order.clear();
    for (int turn = 0; turn < 10; turn++) {
      gate.acquire(busy);
      gate.acquire(late);
      gate.release();
      gate.release();
    }
    assertThat(order.stream().filter("late"::equals).count()).isEqualTo(10);
    assertThat(order.subList(0, 4)).containsExactlyInAnyOrder("busy", "late", "busy", "late");
  }

  /** Ten owners with endless work and weights of their own: each gets its share, at any moment. */
  @Test
  void sharesPermitsByWeightWhateverTheSeed() {
    for (long seed = 0; seed < 300; seed++) {
      var random = new Random(seed);
      var gate = new Gate(1 + random.nextInt(8));
      int[] weights = random.ints(10, 1, 20).toArray();
      var granted = new int[10];
      var inLine = new boolean[10];
      Gate.Place[] places = new Gate.Place[10];
      for (int owner = 0; owner < 10; owner++) {
        int who = owner;
        places[who] =
            gate.place(
                () -> {
                  granted[who]++;
                  inLine[who] = false;
                });
        gate.weigh(places[who], weights[who]);
      }
      int rounds = 3_000;
      for (int round = 0; round < rounds; round++) {
        for (int owner = 0; owner < 10; owner++) {
          while (!inLine[owner]) {
            inLine[owner] = !gate.acquire(places[owner]);
          }
        }
        gate.release();
      }
      int sum = Arrays.stream(weights).sum();
      for (int owner = 0; owner < 10; owner++) {
        double share = (double) rounds * weights[owner] / sum;
        assertThat((double) granted[owner])
            .as("seed %d, weight %d of %d", seed, weights[owner], sum)
            .isBetween(share - 3, share + 3);
      }
    }
  }
}
