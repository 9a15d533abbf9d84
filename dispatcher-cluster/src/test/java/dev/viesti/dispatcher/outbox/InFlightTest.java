package dev.viesti.dispatcher.outbox;

import static org.assertj.core.api.Assertions.assertThat;

import dev.viesti.dispatcher.commit.Write;
import dev.viesti.dispatcher.outbox.InFlight.After;
import dev.viesti.dispatcher.outbox.InFlight.Sent;
import dev.viesti.persistence.outbox.Inserted;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import org.junit.jupiter.api.Test;

class InFlightTest {
  private static final Write.Result DONE =
      new Write.Result.Accepted(new Inserted(false, List.of(), new BitSet()));
  private static final Write.Result FENCED = new Write.Result.Fenced();

  private final InFlight inFlight = new InFlight();
  private final List<String> heard = new ArrayList<>();

  @Test
  void takesNewsOverInTheOrderOfTheLane() {
    Sent first = send("first", 1);
    Sent second = send("second", 1);
    Sent third = send("third", 1);
    inFlight.news(second, DONE, 1);
    assertThat(heard).isEmpty();
    inFlight.news(first, DONE, 1);
    assertThat(heard).containsExactly("first", "second");
    assertThat(inFlight.isEmpty()).isFalse();
    inFlight.news(third, DONE, 1);
    assertThat(heard).containsExactly("first", "second", "third");
    assertThat(inFlight.isEmpty()).isTrue();
  }

  @Test
  void forgetsWhatTheLaneRefused() {
    assertThat(inFlight.send(sent("refused", 1), () -> false)).isFalse();
    assertThat(inFlight.isEmpty()).isTrue();
  }

  @Test
  void isCertainOfAllNumbersWhenNothingIsOnItsWay() {
    assertThat(inFlight.certainUpTo(() -> 9, 3)).isEqualTo(9);
    Sent write = send("write", 1);
    assertThat(inFlight.certainUpTo(() -> 10, 3)).isEqualTo(3);
    inFlight.news(write, DONE, 1);
    assertThat(inFlight.certainUpTo(() -> 10, 3)).isEqualTo(10);
  }

  /** A caller sends at the very moment: its row has a number, and is not in the table yet. */
  @Test
  void isNotCertainOfARowThatIsSentMeanwhile() {
    long certain =
        inFlight.certainUpTo(
            () -> {
              send("meanwhile", 1);
              return 10;
            },
            3);
    assertThat(certain).isEqualTo(3);
  }

  @Test
  void renewsForAFenceOfThisEpochOnly() {
    Sent old = send("old", 1);
    Sent now = send("now", 2);
    assertThat(inFlight.news(old, FENCED, 2)).isEqualTo(After.NOTHING);
    assertThat(inFlight.news(now, FENCED, 2)).isEqualTo(After.RENEW);
    assertThat(heard).containsExactly("old", "now");
  }

  private Sent send(String name, long epoch) {
    Sent write = sent(name, epoch);
    assertThat(inFlight.send(write, () -> true)).isTrue();
    return write;
  }

  private Sent sent(String name, long epoch) {
    return new Sent(
        epoch,
        result -> {
          heard.add(name);
          return result instanceof Write.Result.Fenced ? After.RENEW : After.NOTHING;
        });
  }
}
