package dev.viesti.dispatcher.outbox;

import static org.assertj.core.api.Assertions.assertThat;

import dev.viesti.dispatcher.wire.Answer;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class EntranceTest {
  private final Entrance entrance = new Entrance();
  private final List<Outbox.Accept> passed = new ArrayList<>();

  @Test
  void leavesEventsToTheOwnerUntilItIsOpened() {
    Outbox.Accept first = event();
    Outbox.Accept second = event();
    assertThat(entrance.accept(first)).isTrue();
    assertThat(entrance.posts().take()).containsExactly(first);
    assertThat(entrance.open(passed::add)).isTrue();
    assertThat(entrance.accept(second)).isTrue();
    assertThat(passed).containsExactly(second);
    assertThat(entrance.posts().take()).isEmpty();
  }

  @Test
  void isNotOpenedAheadOfEventsThatWait() {
    entrance.accept(event());
    assertThat(entrance.open(passed::add)).isFalse();
    entrance.accept(event());
    assertThat(passed).isEmpty();
    assertThat(entrance.posts().take()).hasSize(2);
    assertThat(entrance.open(passed::add)).isTrue();
  }

  @Test
  void takesNothingOnceNobodyLooks() {
    entrance.open(passed::add);
    entrance.close();
    assertThat(entrance.posts().close()).isEmpty();
    assertThat(entrance.accept(event())).isFalse();
    assertThat(passed).isEmpty();
  }

  /** An owner that opens and closes as it likes, and looks when it likes. */
  @Test
  void keepsTheOrderOfTheCalls() {
    for (long seed = 0; seed < 3_000; seed++) {
      var random = new SplittableRandom(seed);
      var tested = new Entrance();
      List<Outbox.Accept> calls = new ArrayList<>();
      List<Outbox.Accept> taken = new ArrayList<>();
      for (int step = 0; step < 60; step++) {
        switch (random.nextInt(5)) {
          case 0 -> tested.posts().take().forEach(command -> taken.add((Outbox.Accept) command));
          case 1 -> tested.open(taken::add);
          case 2 -> tested.close();
          default -> {
            Outbox.Accept call = event();
            calls.add(call);
            tested.accept(call);
          }
        }
      }
      tested.posts().close().forEach(command -> taken.add((Outbox.Accept) command));
      assertThat(taken).as("seed %d", seed).containsExactlyElementsOf(calls);
    }
  }

  /** No two are equal. */
  private static Outbox.Accept event() {
    var own = new ArrayList<Answer>();
    return new Outbox.Accept(List.of(), own::add);
  }
}
