package dev.viesti.ops.bench;

import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.event.Event;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/** Emits events into one app from inside the JVM. */
final class EngineLoad {
  /**
   * How it is emitted.
   *
   * @param producers threads
   * @param batch events in a call
   * @param open calls of a producer that may be unanswered at once; 1 = it waits for each answer
   * @param type of the events
   */
  record Shape(int producers, int batch, int open, String type) {
    /** Of events that are run by a handler that does nothing. */
    Shape(int producers, int batch, int open) {
      this(producers, batch, open, EngineHandlers.NOOP);
    }
  }

  private static final int FILL_BATCH = 1_000;

  /** A few megabytes on their way: the writer is never idle, and refuses nothing. */
  private static final int FILL_OPEN = 4;

  private static final Duration FILL_SAY_EVERY = Duration.ofSeconds(2);

  private final Engine engine;
  private final AppId app;
  private final Shape shape;
  private final AtomicLong accepted = new AtomicLong();
  private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
  private final Latencies acks = new Latencies();

  EngineLoad(Engine engine, AppId app, Shape shape) {
    this.engine = engine;
    this.app = app;
    this.shape = shape;
  }

  /** Events that were accepted. */
  long accepted() {
    return accepted.get();
  }

  /** From call to answer. */
  Latencies acks() {
    return acks;
  }

  /** As fast as the answers allow, for {@code time}. */
  EngineLoad closed(Duration time) throws Exception {
    long end = System.nanoTime() + time.toNanos();
    return producers(
        producer -> {
          var open = new Semaphore(shape.open());
          while (System.nanoTime() < end && failure.get() == null) {
            if (shape.open() == 1) {
              emitAndWait();
            } else {
              open.acquireUninterruptibly();
              emit(open);
            }
          }
          open.acquireUninterruptibly(shape.open());
        });
  }

  /**
   * At a steady pace, whatever the answers are, for {@code time}; a producer that has {@link
   * Shape#open} calls unanswered waits all the same.
   */
  EngineLoad paced(double eventsPerSecond, Duration time) throws Exception {
    double nanosPerCall = 1e9 * shape.batch() * shape.producers() / eventsPerSecond;
    long start = System.nanoTime();
    long calls = (long) (time.toNanos() / nanosPerCall);
    return producers(
        producer -> {
          var open = new Semaphore(shape.open());
          for (long call = 0; call < calls && failure.get() == null; call++) {
            double offset = (double) producer / shape.producers();
            Wait.untilNanoTime(start + (long) ((call + offset) * nanosPerCall));
            open.acquireUninterruptibly();
            emit(open);
          }
          open.acquireUninterruptibly(shape.open());
        });
  }

  private interface Producer {
    void run(long number) throws Exception;
  }

  private EngineLoad producers(Producer producer) throws Exception {
    List<Future<?>> running = new ArrayList<>();
    try (ExecutorService threads = Executors.newFixedThreadPool(shape.producers())) {
      for (int n = 0; n < shape.producers(); n++) {
        long number = n;
        running.add(
            threads.submit(
                () -> {
                  producer.run(number);
                  return null;
                }));
      }
    }
    for (Future<?> one : running) {
      try {
        one.get();
      } catch (ExecutionException failed) {
        throw failed.getCause() instanceof Exception cause ? cause : failed;
      }
    }
    Throwable failed = failure.get();
    if (failed != null) {
      throw new IllegalStateException("an event was refused: " + failed.getMessage(), failed);
    }
    return this;
  }

  private List<Event> batch() {
    List<Event> events = new ArrayList<>(shape.batch());
    for (int n = 0; n < shape.batch(); n++) {
      events.add(engine.event(shape.type()));
    }
    return events;
  }

  private void emitAndWait() throws Exception {
    List<Event> events = batch();
    long started = System.nanoTime();
    int receipts = engine.publishAndWait(app, events).size();
    acks.add(System.nanoTime() - started);
    accepted.addAndGet(receipts);
  }

  private void emit(Semaphore open) {
    emit(engine, app, batch(), acks::add)
        .whenComplete(
            (receipts, failed) -> {
              if (failed == null) {
                accepted.addAndGet(receipts);
              } else {
                failure.set(failed);
              }
              open.release();
            });
  }

  private static CompletionStage<Integer> emit(
      Engine engine, AppId app, List<Event> events, LongConsumer took) {
    long started = System.nanoTime();
    return engine
        .publish(app, events)
        .thenApply(
            receipts -> {
              took.accept(System.nanoTime() - started);
              return receipts.size();
            });
  }

  /**
   * Fills a paused app with {@code count} events.
   *
   * @param say is told how far it is, when it takes seconds
   */
  static void fill(Engine engine, AppId app, String type, int count, Consumer<String> say)
      throws InterruptedException {
    var open = new Semaphore(FILL_OPEN);
    var failure = new AtomicReference<@Nullable Throwable>();
    long said = System.nanoTime();
    for (int done = 0; done < count && failure.get() == null; ) {
      int batch = Math.min(FILL_BATCH, count - done);
      List<Event> events = new ArrayList<>(batch);
      for (int n = 0; n < batch; n++) {
        events.add(engine.event(type));
      }
      open.acquire();
      var unused =
          engine
              .publish(app, events)
              .whenComplete(
                  (receipts, failed) -> {
                    if (failed != null) {
                      failure.set(failed);
                    }
                    open.release();
                  });
      done += batch;
      if (System.nanoTime() - said > FILL_SAY_EVERY.toNanos()) {
        said = System.nanoTime();
        say.accept("%,d of %,d rows written".formatted(done, count));
      }
    }
    open.acquire(FILL_OPEN);
    Throwable failed = failure.get();
    if (failed != null) {
      throw new IllegalStateException("an event was refused: " + failed.getMessage(), failed);
    }
  }
}
