package dev.viesti.dispatcher.execution;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class GateTest {
  /** An owner as the gate sees it: holds permits, and looks some time after it was called. */
  private static final class Owner {
    final Gate gate;
    final Gate.Place place;
    final int weight;
    int held;
    int calls;
    long granted;
    boolean called;

    Owner(Gate gate, int weight) {
      this.gate = gate;
      this.weight = weight;
      this.place = gate.place(this::call);
      gate.weigh(place, weight);
    }

    private void call() {
      assertThat(called).as("called again before it looked").isFalse();
      called = true;
      calls++;
    }

    void exchange(int back, int wanted) {
      held -= back;
      called = false;
      int got = gate.exchange(place, back, wanted);
      held += got;
      granted += got;
    }
  }

  @Test
  void givesEachWaitingOwnerItsPermitsInTurn() {
    var gate = new Gate(1);
    var busy = new Owner(gate, 1);
    var a = new Owner(gate, 1);
    var b = new Owner(gate, 1);
    busy.exchange(0, 1);
    a.exchange(0, 1);
    b.exchange(0, 1);
    assertThat(List.of(busy.held, a.held, b.held)).containsExactly(1, 0, 0);
    busy.exchange(1, 0);
    assertThat(a.called).isTrue();
    assertThat(b.called).isFalse();
    a.exchange(0, 1);
    assertThat(a.held).isEqualTo(1);
    a.exchange(1, 1);
    assertThat(a.held).as("b runs nothing: it is first").isZero();
    assertThat(b.called).isTrue();
    b.exchange(0, 0);
    b.exchange(1, 0);
    a.exchange(0, 0);
    assertThat(a.held).isEqualTo(1);
    a.exchange(1, 0);
    assertThat(gate.used()).isZero();
  }

  @Test
  void doesNotLetANewcomerPassWhoWaitsAndRunsNothing() {
    var gate = new Gate(4);
    var busy = new Owner(gate, 1);
    var first = new Owner(gate, 1);
    var second = new Owner(gate, 1);
    busy.exchange(0, 4);
    first.exchange(0, 1);
    second.exchange(0, 1);
    busy.exchange(1, 100);
    assertThat(List.of(first.called, second.called, busy.called))
        .containsExactly(true, false, false);
  }

  @Test
  void sharesABurstByWeightAndCallsEachOnce() {
    var gate = new Gate(80);
    var busy = new Owner(gate, 1);
    var light = new Owner(gate, 1);
    var heavy = new Owner(gate, 3);
    busy.exchange(0, 80);
    light.exchange(0, 1_000);
    heavy.exchange(0, 1_000);
    for (int n = 0; n < 40; n++) {
      busy.exchange(1, 0);
    }
    busy.exchange(40, 0);
    light.exchange(0, 1_000);
    heavy.exchange(0, 1_000);
    assertThat(light.held + heavy.held).isEqualTo(80);
    assertThat(light.held).isBetween(20 - Gate.QUANTUM, 20 + Gate.QUANTUM);
    assertThat(List.of(light.calls, heavy.calls)).containsExactly(1, 1);
  }

  @Test
  void letsAnOwnerGoOnWithItsPermitsForAQuantum() {
    var gate = new Gate(2);
    var one = new Owner(gate, 2);
    var other = new Owner(gate, 2);
    one.exchange(0, 1);
    other.exchange(0, 100);
    one.exchange(0, 100);
    int kept = 0;
    while (one.held > 0) {
      one.exchange(1, 100);
      kept++;
    }
    assertThat(kept).isBetween(2 * Gate.QUANTUM, 2 * Gate.QUANTUM + 2);
    assertThat(other.calls).isEqualTo(1);
  }

  @Test
  void givesNoCreditForTheTimeInWhichSomebodyDidNotWait() {
    var gate = new Gate(1);
    var busy = new Owner(gate, 1);
    var late = new Owner(gate, 1);
    busy.exchange(0, 1);
    for (int turn = 0; turn < 1_000; turn++) {
      busy.exchange(1, 1);
    }
    long before = busy.granted;
    late.exchange(0, 1_000);
    int[] granted = alternate(busy, late, 400);
    assertThat(granted[0]).isBetween(200 - 2 * Gate.QUANTUM, 200 + 2 * Gate.QUANTUM);
    assertThat(busy.granted - before).isEqualTo(granted[0]);
  }

  /** One permit, which whoever has it gives back and wants again. */
  private static int[] alternate(Owner one, Owner other, int turns) {
    var granted = new int[2];
    for (int turn = 0; turn < turns; turn++) {
      for (Owner owner : List.of(one, other)) {
        if (owner.called) {
          owner.exchange(0, 1_000);
        }
      }
      boolean first = one.held > 0;
      Owner holds = first ? one : other;
      long before = one.granted + other.granted;
      holds.exchange(1, 1_000);
      granted[0] += first && holds.held > 0 ? 1 : 0;
      granted[1] += !first && holds.held > 0 ? 1 : 0;
      for (Owner owner : List.of(one, other)) {
        if (owner.called) {
          owner.exchange(0, 1_000);
          granted[owner == one ? 0 : 1]++;
        }
      }
      assertThat(one.granted + other.granted).isEqualTo(before + 1);
    }
    return granted;
  }

  /** Owners that want, get, use, give back, leave and look late, in any order. */
  @Test
  void neitherLosesNorDoublesAPermitWhateverTheSeed() {
    for (long seed = 0; seed < 3_000; seed++) {
      var random = new Random(seed);
      int permits = 1 + random.nextInt(40);
      var gate = new Gate(permits);
      List<Owner> owners = owners(gate, random, 1 + random.nextInt(8));
      for (int step = 0; step < 300; step++) {
        Owner owner = owners.get(random.nextInt(owners.size()));
        switch (random.nextInt(8)) {
          case 0 -> {
            gate.leave(owner.place, owner.held);
            owner.held = 0;
            owner.called = false;
          }
          case 1 -> gate.weigh(owner.place, 1 + random.nextInt(10));
          default -> {
            owner.exchange(random.nextInt(owner.held + 1), random.nextInt(30));
            if (random.nextInt(3) == 0) {
              owner.exchange(random.nextInt(owner.held + 1), 0); // does not use its quantum
            }
          }
        }
        int held = owners.stream().mapToInt(each -> each.held).sum();
        assertThat(held).as("seed %d", seed).isLessThanOrEqualTo(gate.used());
        assertThat(gate.used()).as("seed %d", seed).isBetween(0, permits);
      }
      for (Owner owner : owners) {
        gate.leave(owner.place, owner.held);
      }
      assertThat(gate.used()).as("seed %d: permits are lost", seed).isZero();
      var last = new Owner(gate, 1);
      last.exchange(0, 1_000);
      assertThat(last.held).as("seed %d", seed).isEqualTo(permits);
    }
  }

  /**
   * Owners with endless work: each gets its share, whoever ends how many attempts at a time, and
   * however late it looks.
   */
  @Test
  void sharesPermitsByWeightWhateverTheSeed() {
    for (long seed = 0; seed < 2_000; seed++) {
      var random = new Random(seed);
      int permits = 1 + random.nextInt(64);
      var gate = new Gate(permits);
      List<Owner> owners = owners(gate, random, 2 + random.nextInt(8));
      owners.forEach(owner -> owner.exchange(0, 1_000));
      owners.forEach(owner -> owner.granted = 0);
      long given = 0;
      int weights = owners.stream().mapToInt(owner -> owner.weight).sum();
      int rounds = weights * Gate.QUANTUM * 6;
      while (given < rounds) {
        Owner owner = owners.get(random.nextInt(owners.size()));
        if (owner.called && random.nextBoolean()) {
          owner.exchange(0, 1_000);
        } else if (owner.held > 0) {
          owner.exchange(1 + random.nextInt(owner.held), 1_000);
        }
        given = owners.stream().mapToLong(each -> each.granted).sum();
      }
      for (Owner owner : owners) {
        double share = (double) given * owner.weight / weights;
        double most = permits + 3.0 * Gate.QUANTUM * owner.weight;
        assertThat((double) owner.granted)
            .as("seed %d, weight %d of %d, %d permits", seed, owner.weight, weights, permits)
            .isBetween(share - most, share + most);
      }
    }
  }

  /** Who runs nothing waits for no more than what the others were already promised. */
  @Test
  void starvesNobodyWhateverTheSeed() {
    for (long seed = 0; seed < 2_000; seed++) {
      var random = new Random(seed);
      var gate = new Gate(1 + random.nextInt(16));
      List<Owner> owners = owners(gate, random, 1 + random.nextInt(8));
      owners.forEach(owner -> owner.exchange(0, 1_000));
      for (int newcomer = 0; newcomer < 20; newcomer++) {
        var small = new Owner(gate, 1);
        small.exchange(0, 1);
        int ends = 0;
        while (!small.called && small.held == 0) {
          Owner owner = owners.get(random.nextInt(owners.size()));
          owner.exchange(Math.min(1, owner.held), 1_000);
          ends++;
          assertThat(ends).as("seed %d", seed).isLessThan(200 * owners.size());
        }
        small.exchange(0, 0);
        assertThat(small.held).isEqualTo(1);
        gate.leave(small.place, 1);
      }
    }
  }

  private static List<Owner> owners(Gate gate, Random random, int count) {
    List<Owner> owners = new ArrayList<>();
    for (int n = 0; n < count; n++) {
      owners.add(new Owner(gate, 1 + random.nextInt(10)));
    }
    return owners;
  }
}
