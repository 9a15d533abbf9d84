package dev.viesti.dispatcher.execution;

import static org.assertj.core.api.Assertions.assertThat;

import dev.viesti.protocol.delivery.Outcome;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.ManualTime;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

class ExecutionTest {
  private static final ActorTestKit KIT = ActorTestKit.create(ManualTime.config());
  private static final Duration TIMEOUT = Duration.ofSeconds(30);

  private final ManualTime time = ManualTime.get(KIT.system());
  private final TestProbe<Outcome> reports = KIT.createTestProbe();

  @AfterAll
  static void stop() {
    KIT.shutdownTestKit();
  }

  @Test
  void reportsWhatTheWorkReturns() {
    KIT.spawn(
        Execution.create(
            "x",
            () -> Outcome.Succeeded.PLAIN,
            TIMEOUT,
            outcome -> reports.getRef().tell(outcome)));
    reports.expectMessage(Outcome.Succeeded.PLAIN);
  }

  @Test
  void countsAnExceptionAsRetryable() {
    KIT.spawn(
        Execution.create(
            "x",
            () -> {
              throw new IllegalStateException("boom");
            },
            TIMEOUT,
            outcome -> reports.getRef().tell(outcome)));
    reports.expectMessage(new Outcome.Retryable("IllegalStateException: boom"));
  }

  @Test
  void reportsATimeoutAndInterrupts() throws Exception {
    var interrupted = new CountDownLatch(1);
    var started = new CountDownLatch(1);
    KIT.spawn(
        Execution.create(
            "x",
            () -> {
              started.countDown();
              try {
                new CountDownLatch(1).await();
              } catch (InterruptedException stop) {
                interrupted.countDown();
              }
              return Outcome.Succeeded.PLAIN;
            },
            TIMEOUT,
            outcome -> reports.getRef().tell(outcome)));
    assertThat(started.await(10, TimeUnit.SECONDS)).isTrue();
    time.timePasses(TIMEOUT);
    reports.expectNoMessage(Duration.ofMillis(20));
    time.timePasses(Duration.ofSeconds(1));
    reports.expectMessage(new Outcome.TimedOut(TIMEOUT));
    assertThat(interrupted.await(10, TimeUnit.SECONDS)).isTrue();
    reports.expectNoMessage(
        Duration.ofMillis(20)); // what it returned afterwards is not listened to
  }

  @Test
  void reportsNothingWhenItIsCancelled() throws Exception {
    var ended = new CountDownLatch(1);
    var interrupted = new AtomicBoolean();
    var execution =
        KIT.spawn(
            Execution.create(
                "x",
                () -> {
                  try {
                    new CountDownLatch(1).await();
                  } catch (InterruptedException stop) {
                    interrupted.set(true);
                  }
                  ended.countDown();
                  return Outcome.Succeeded.PLAIN;
                },
                TIMEOUT,
                outcome -> reports.getRef().tell(outcome)));
    execution.tell(new Execution.Cancel());
    assertThat(ended.await(10, TimeUnit.SECONDS)).isTrue();
    assertThat(interrupted).isTrue();
    reports.expectNoMessage(Duration.ofMillis(20));
  }
}
