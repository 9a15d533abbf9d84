package dev.viesti.ops.bench;

import dev.viesti.protocol.app.AppId;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/**
 * Single events, each emitted when it is due, whatever became of the ones before. Times count from
 * that moment and not from the call: what holds up the caller as well, such as a collection of
 * garbage, is in them.
 */
final class OpenLoop {
  private static final Duration ANSWER_MAX = Duration.ofMinutes(1);

  private final Engine engine;
  private final CountDownLatch answers;
  private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
  private final Latencies acks = new Latencies();
  private final Latencies late = new Latencies();

  private OpenLoop(Engine engine, int count) {
    this.engine = engine;
    this.answers = new CountDownLatch(count);
  }

  /**
   * Emits {@code count} events and waits until all are settled.
   *
   * @param app of the event of that number
   */
  static Measured run(Engine engine, IntFunction<AppId> app, int count, double eventsPerSecond)
      throws Exception {
    return new OpenLoop(engine, count).run(app, count, 1e9 / eventsPerSecond);
  }

  private Measured run(IntFunction<AppId> app, int count, double nanosBetween) throws Exception {
    var unused = engine.handlers().starts();
    long before = engine.settled();
    Stretch stretch = Stretch.start(engine.database());
    for (int n = 0; n < count && failure.get() == null; n++) {
      long due = stretch.started() + (long) (n * nanosBetween);
      Wait.untilNanoTime(due);
      emit(app.apply(n), due);
    }
    if (failure.get() == null) {
      engine.awaitSettled(before + count);
    }
    Measured measured = stretch.end(count);
    awaitAnswers();
    Latencies starts = engine.handlers().starts();
    if (starts.count() != count || acks.count() != count) {
      throw new IllegalStateException(
          "%d of %d events have a time at their handler, %d at their answer"
              .formatted(starts.count(), count, acks.count()));
    }
    return measured.with("", starts).with("ack_", acks).with("sent_late_", late);
  }

  private void emit(AppId app, long due) {
    var event = engine.event(EngineHandlers.NOOP);
    engine.handlers().await(event, due);
    late.add(System.nanoTime() - due);
    var unused =
        engine
            .publish(app, List.of(event))
            .whenComplete(
                (receipts, failed) -> {
                  if (failed == null) {
                    acks.add(System.nanoTime() - due);
                  } else {
                    failure.set(failed);
                  }
                  answers.countDown();
                });
  }

  private void awaitAnswers() throws InterruptedException, TimeoutException {
    Throwable failed = failure.get();
    if (failed != null) {
      throw new IllegalStateException("an event was refused: " + failed.getMessage(), failed);
    }
    if (!answers.await(ANSWER_MAX.toSeconds(), TimeUnit.SECONDS)) {
      throw new TimeoutException(answers.getCount() + " events are not answered");
    }
  }
}
