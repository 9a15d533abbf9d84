package dev.viesti.dispatcher;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class PatienceTest {
  private final AtomicLong ticks = new AtomicLong(Long.MAX_VALUE - 5); // they may wrap around
  private final Queue<Runnable> executor = new ArrayDeque<>();
  private final Patience patience = new Patience(Duration.ofNanos(10), ticks::get, executor::add);

  @Test
  void endsACallThatNobodyAnswers() {
    var call = call("first");
    ticks.addAndGet(9);
    patience.look();
    assertThat(executor).isEmpty();
    ticks.addAndGet(1);
    patience.look();
    assertThat(call).as("what is chained to it may take its time").isNotDone();
    executor.remove().run();
    assertThatThrownBy(call::join).hasRootCauseMessage("first");
  }

  @Test
  void letsAnsweredCallsBe() {
    var answered = call("answered");
    var open = call("open");
    ticks.addAndGet(5);
    var later = call("later");
    answered.complete("yes");
    ticks.addAndGet(5);
    patience.look();
    assertThat(executor).hasSize(1);
    executor.remove().run();
    assertThat(open).isCompletedExceptionally();
    assertThat(answered).isCompletedWithValue("yes");
    assertThat(later).isNotDone();
  }

  @Test
  void findsThoseBehindOnesThatWereAnswered() {
    var first = call("first");
    var second = call("second");
    var third = call("third");
    second.complete("yes");
    ticks.addAndGet(10);
    patience.look();
    executor.forEach(Runnable::run);
    assertThat(first).isCompletedExceptionally();
    assertThat(second).isCompletedWithValue("yes");
    assertThat(third).isCompletedExceptionally();
  }

  @Test
  void leavesNobodyWaitingAtTheEnd() {
    var answered = call("answered");
    var open = call("open");
    answered.complete("yes");
    patience.close();
    executor.forEach(Runnable::run);
    assertThat(answered).isCompletedWithValue("yes");
    assertThatThrownBy(open::join).hasRootCauseMessage("open");
  }

  private CompletableFuture<String> call(String name) {
    var call = new CompletableFuture<String>();
    patience.watch(call, () -> new IllegalStateException(name));
    return call;
  }
}
