package dev.viesti.dispatcher.execution;

import static org.assertj.core.api.Assertions.assertThat;

import dev.viesti.dispatcher.execution.Execution.Ended;
import dev.viesti.protocol.delivery.Outcome;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

final class ExecutionTest {
  private final BlockingQueue<Ended> reports = new LinkedBlockingQueue<>();

  @Test
  void reportsWhatTheWorkReturns() throws Exception {
    start(() -> new Ended.WithOutcome(Outcome.Succeeded.PLAIN));
    assertThat(report()).isEqualTo(new Ended.WithOutcome(Outcome.Succeeded.PLAIN));
  }

  @Test
  void countsAnExceptionAsRetryable() throws Exception {
    start(
        () -> {
          throw new IllegalStateException("boom");
        });
    assertThat(report()).isEqualTo(retryable("IllegalStateException: boom"));
  }

  @Test
  void countsAnErrorOfTheWorkAsRetryable() throws Exception {
    start(
        () -> {
          throw new StackOverflowError();
        });
    assertThat(report()).isEqualTo(retryable("java.lang.StackOverflowError"));
  }

  @Test
  void interruptsWorkThatIsCancelled() throws Exception {
    Execution execution =
        start(
            () -> {
              new CountDownLatch(1).await();
              return new Ended.Settled();
            });
    execution.cancel();
    assertThat(report()).isEqualTo(retryable("interrupted"));
    execution.cancel(); // its thread has ended: nothing happens
    assertThat(reports).isEmpty();
  }

  private Execution start(Callable<Ended> work) {
    return Execution.start("x", work, reports::add);
  }

  private Ended report() throws InterruptedException {
    Ended ended = reports.poll(10, TimeUnit.SECONDS);
    if (ended == null) {
      throw new AssertionError("nothing is reported");
    }
    return ended;
  }

  private static Ended retryable(String reason) {
    return new Ended.WithOutcome(new Outcome.Retryable(reason));
  }
}
