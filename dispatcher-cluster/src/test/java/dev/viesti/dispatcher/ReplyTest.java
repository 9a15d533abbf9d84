package dev.viesti.dispatcher;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayDeque;
import java.util.Queue;
import java.util.SplittableRandom;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ReplyTest {
  private static final long PATIENCE_S = 20;

  private final Queue<Runnable> executor = new ArrayDeque<>();
  private final Reply<String> reply = new Reply<>(executor::add);
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();

  @AfterEach
  void close() {
    threads.shutdownNow();
  }

  @Test
  void leavesWhatIsChainedToTheExecutor() {
    var ran = new AtomicReference<String>();
    var unused = reply.thenAccept(ran::set);
    reply.give("yes");
    assertThat(ran).hasNullValue();
    executor.remove().run();
    assertThat(ran).hasValue("yes");
    assertThat(reply).isCompletedWithValue("yes");
  }

  @Test
  void wakesAWaitingThreadWithoutTheExecutor() throws Exception {
    Future<String> joined = waiting(reply::join);
    reply.give("yes");
    assertThat(joined.get(PATIENCE_S, TimeUnit.SECONDS)).isEqualTo("yes");
    assertThat(executor).isEmpty();
    assertThat(reply).isCompletedWithValue("yes");
  }

  @Test
  void wakesAllThatWait() throws Exception {
    Future<String> one = waiting(reply::join);
    Future<String> other = waiting(reply::get);
    Future<String> third = waiting(() -> reply.get(PATIENCE_S, TimeUnit.SECONDS));
    reply.give("yes");
    assertThat(one.get(PATIENCE_S, TimeUnit.SECONDS)).isEqualTo("yes");
    assertThat(other.get(PATIENCE_S, TimeUnit.SECONDS)).isEqualTo("yes");
    assertThat(third.get(PATIENCE_S, TimeUnit.SECONDS)).isEqualTo("yes");
  }

  @Test
  void failsAsOtherFuturesDo() {
    reply.fail(new IllegalStateException("no"));
    assertThatThrownBy(reply::join)
        .isInstanceOf(CompletionException.class)
        .hasRootCauseMessage("no");
    assertThatThrownBy(reply::get).isInstanceOf(ExecutionException.class).hasRootCauseMessage("no");
  }

  @Test
  void listensToTheFirstAnswerOnly() {
    reply.completeExceptionally(new IllegalStateException("nobody answered in time"));
    reply.give("late");
    executor.forEach(Runnable::run);
    assertThat(reply).isCompletedExceptionally();
  }

  @Test
  void wakesThoseThatWaitWhenSomebodyElseEndsIt() throws Exception {
    Future<String> joined = waiting(reply::join);
    reply.cancel(false);
    assertThatThrownBy(() -> joined.get(PATIENCE_S, TimeUnit.SECONDS))
        .hasCauseInstanceOf(CancellationException.class);
  }

  @Test
  void givesUpWaitingInTime() {
    assertThatThrownBy(() -> reply.get(1, TimeUnit.MILLISECONDS))
        .isInstanceOf(TimeoutException.class);
    reply.give("yes");
    assertThat(executor).as("nobody waits any more").hasSize(1);
  }

  @Test
  void canBeInterrupted() throws Exception {
    var interrupted = new CountDownLatch(1);
    Thread thread =
        Thread.ofVirtual()
            .start(
                () -> {
                  try {
                    reply.get();
                  } catch (InterruptedException expected) {
                    if (!Thread.currentThread().isInterrupted()) {
                      interrupted.countDown();
                    }
                  } catch (ExecutionException unexpected) {
                    throw new AssertionError(unexpected);
                  }
                });
    thread.interrupt();
    assertThat(interrupted.await(PATIENCE_S, TimeUnit.SECONDS)).isTrue();
  }

  /** Whoever leaves at the moment of the answer must not take it along. */
  @Test
  void runsWhatIsChainedWhoeverLeavesMeanwhile() throws Exception {
    var random = new SplittableRandom(1);
    for (int round = 0; round < 30_000; round++) {
      var raced = new Reply<String>(threads);
      var chained = new CountDownLatch(1);
      var unused = raced.thenRun(chained::countDown);
      long nanos = random.nextLong(1, 20_000);
      Future<?> waiter =
          threads.submit(
              () -> {
                try {
                  return raced.get(nanos, TimeUnit.NANOSECONDS);
                } catch (TimeoutException gone) {
                  return "gone";
                }
              });
      long until = System.nanoTime() + random.nextLong(0, 80_000);
      while (System.nanoTime() - until < 0) {
        Thread.onSpinWait();
      }
      raced.give("yes");
      assertThat(chained.await(PATIENCE_S, TimeUnit.SECONDS)).as("round %d", round).isTrue();
      waiter.get(PATIENCE_S, TimeUnit.SECONDS);
    }
  }

  private interface Wait {
    String run() throws Exception;
  }

  /** Returns when the thread waits. */
  private Future<String> waiting(Wait wait) {
    var thread = new AtomicReference<Thread>();
    Future<String> result =
        threads.submit(
            () -> {
              thread.set(Thread.currentThread());
              return wait.run();
            });
    while (thread.get() == null
        || (thread.get().getState() != Thread.State.WAITING
            && thread.get().getState() != Thread.State.TIMED_WAITING)) {
      Thread.onSpinWait();
    }
    return result;
  }
}
