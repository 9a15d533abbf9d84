package dev.viesti.dispatcher;

import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * An answer that a lane gives, to somebody who may do anything with it. The lane never runs what is
 * chained to it: that is the executor's, or a thread's that waits in {@link #join} or {@link #get}.
 * Such a thread is woken by the lane itself, without a third one in between, which is a fifth of
 * the time that a caller waits. Thread-safe.
 */
final class Reply<T> extends CompletableFuture<T> {
  private final Executor executor;
  private final Queue<Thread> waiters = new ConcurrentLinkedQueue<>();

  /** Completes this with the answer. */
  private volatile @Nullable Runnable given;

  /**
   * @param executor runs what is chained when no thread waits
   */
  Reply(Executor executor) {
    this.executor = executor;
  }

  /** Gives the answer, on a thread that must not be kept. A later one is ignored. */
  void give(T value) {
    give(() -> complete(value));
  }

  void fail(Throwable failure) {
    give(() -> completeExceptionally(failure));
  }

  private void give(Runnable answer) {
    given = answer;
    Thread first = waiters.peek();
    if (first == null) {
      executor.execute(this::take);
    } else {
      LockSupport.unpark(first); // it takes the answer, and wakes the others
    }
  }

  /** Completes with what was given, if anything was; runs what is chained. */
  private void take() {
    Runnable answer = given;
    if (answer != null && !isDone()) {
      answer.run();
    }
  }

  @Override
  public boolean complete(T value) {
    boolean first = super.complete(value);
    waiters.forEach(LockSupport::unpark);
    return first;
  }

  @Override
  public boolean completeExceptionally(Throwable failure) {
    boolean first = super.completeExceptionally(failure);
    waiters.forEach(LockSupport::unpark);
    return first;
  }

  @Override
  public boolean cancel(boolean mayInterrupt) {
    boolean cancelled = super.cancel(mayInterrupt);
    waiters.forEach(LockSupport::unpark);
    return cancelled;
  }

  @Override
  public T join() {
    boolean interrupted = false;
    while (!await(Long.MAX_VALUE)) {
      interrupted |= Thread.interrupted();
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    return super.join();
  }

  @Override
  public T get() throws InterruptedException, ExecutionException {
    if (!await(Long.MAX_VALUE) && Thread.interrupted()) {
      throw new InterruptedException();
    }
    return super.get();
  }

  @Override
  public T get(long timeout, TimeUnit unit)
      throws InterruptedException, ExecutionException, TimeoutException {
    if (!await(unit.toNanos(timeout)) && Thread.interrupted()) {
      throw new InterruptedException();
    }
    return super.get(0, TimeUnit.NANOSECONDS);
  }

  /**
   * Waits, and takes what was given.
   *
   * @return false when the time was over, or the thread interrupted, before
   */
  private boolean await(long nanos) {
    if (!isDone() && given == null) {
      Thread self = Thread.currentThread();
      long start = System.nanoTime();
      waiters.add(self);
      for (long left = nanos;
          !isDone() && given == null && left > 0 && !self.isInterrupted();
          left = nanos - (System.nanoTime() - start)) {
        LockSupport.parkNanos(this, left);
      }
      waiters.remove(self);
    }
    take(); // also when it goes: whoever gave the answer may have left that to this thread
    return isDone();
  }
}
