package dev.viesti.dispatcher;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * Ends calls that nobody answers within a time that is the same for all of them, at most a
 * twentieth of it too late. A timer for each would wake a thread for every event, which costs a
 * tenth of what a node can take. Thread-safe.
 */
final class Patience {
  private record Call(
      CompletableFuture<?> result, Supplier<? extends Exception> silence, long end) {}

  private static final int LOOKS = 20;

  private final long nanos;
  private final LongSupplier ticker;
  private final Executor executor;

  /** In the order of their ends; one that was answered stays until it comes first. */
  private final ArrayDeque<Call> calls = new ArrayDeque<>();

  /**
   * @param ticker nanoseconds; only differences mean something
   * @param executor runs what callers have chained to their calls
   */
  Patience(Duration patience, LongSupplier ticker, Executor executor) {
    this.nanos = patience.toNanos();
    this.ticker = ticker;
    this.executor = executor;
  }

  /** Looks every now and then, until {@code timers} are shut down; {@link #close} comes then. */
  void start(ScheduledExecutorService timers) {
    var unused =
        timers.scheduleWithFixedDelay(
            this::look, nanos / LOOKS, nanos / LOOKS, TimeUnit.NANOSECONDS);
  }

  /**
   * @param silence what the call ends with when there is no answer
   */
  void watch(CompletableFuture<?> result, Supplier<? extends Exception> silence) {
    var call = new Call(result, silence, ticker.getAsLong() + nanos);
    synchronized (calls) {
      dropAnswered();
      calls.add(call);
    }
  }

  /** Ends those whose time is over. */
  void look() {
    List<Call> over = new ArrayList<>();
    long now = ticker.getAsLong();
    synchronized (calls) {
      dropAnswered();
      while (!calls.isEmpty() && calls.peek().end() - now <= 0) {
        over.add(calls.remove());
        dropAnswered();
      }
    }
    over.forEach(this::end);
  }

  /** Ends all that are open: there will be no answers any more. */
  void close() {
    List<Call> open;
    synchronized (calls) {
      open = List.copyOf(calls);
      calls.clear();
    }
    open.forEach(this::end);
  }

  private void end(Call call) {
    executor.execute(() -> call.result().completeExceptionally(call.silence().get()));
  }

  private void dropAnswered() {
    while (!calls.isEmpty() && calls.peek().result().isDone()) {
      calls.remove();
    }
  }
}
