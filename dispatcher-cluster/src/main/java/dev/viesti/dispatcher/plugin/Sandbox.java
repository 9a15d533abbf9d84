package dev.viesti.dispatcher.plugin;

import dev.viesti.protocol.app.AppId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The threads that foreign code runs on: platform threads, so that the operating system takes the
 * processor away from a loop, with a stack of a known size. Only so many of them compute at a time,
 * what all calls may grow to fits the heap, and one app may not have all of either. Thread-safe.
 */
final class Sandbox implements AutoCloseable {
  private final ExecutorService threads;
  private final Semaphore processors;
  private final Semaphore memory;
  private final SandboxSettings settings;
  private final Map<AppId, Share> apps = new ConcurrentHashMap<>();

  /** What an app has left of the threads and the memory. */
  private record Share(Semaphore threads, Semaphore memory) {}

  Sandbox(SandboxSettings settings) {
    var number = new AtomicInteger();
    this.threads =
        Executors.newFixedThreadPool(
            settings.threads(),
            work -> {
              var thread =
                  new Thread(
                      null,
                      work,
                      "viesti-plugin-" + number.incrementAndGet(),
                      settings.stackBytes());
              thread.setDaemon(true);
              return thread;
            });
    this.processors = new Semaphore(settings.processors());
    this.memory = new Semaphore(settings.memoryPages(), true);
    this.settings = settings;
  }

  /** The most pages that one call may ask for. */
  int memoryPagesMax() {
    return settings.appMemoryPages();
  }

  /**
   * Runs {@code work} and waits for it.
   *
   * @param pages of memory that it may come to have, at most {@link #memoryPagesMax}
   * @throws TimeoutException when it has not ended in time: it was interrupted, and is not listened
   *     to any more
   * @throws ExecutionException with what it threw
   * @throws InterruptedException when the caller was; the work is, too
   */
  <T> T run(AppId app, int pages, Duration timeout, Callable<T> work)
      throws InterruptedException, TimeoutException, ExecutionException {
    long end = System.nanoTime() + timeout.toNanos();
    // a task that is cancelled before it began never gives anything back itself
    Place place = enter(app, pages, end);
    Future<T> task = threads.submit(() -> compute(place, work));
    boolean ended = false;
    try {
      T result = task.get(left(end), TimeUnit.NANOSECONDS);
      ended = true;
      return result;
    } catch (ExecutionException failed) {
      ended = true;
      throw failed;
    } finally {
      if (!ended) {
        task.cancel(true);
        place.leaveUnlessBegun();
      }
    }
  }

  /** Waits for a thread of the app's share, and for memory of that and of the node. */
  private Place enter(AppId app, int pages, long end)
      throws InterruptedException, TimeoutException {
    Share share =
        apps.computeIfAbsent(
            app,
            any ->
                new Share(
                    new Semaphore(settings.appThreads(), true),
                    new Semaphore(settings.appMemoryPages(), true)));
    var place = new Place();
    boolean entered = false;
    try {
      place.take(share.threads(), 1, left(end));
      place.take(share.memory(), pages, left(end));
      place.take(memory, pages, left(end));
      entered = true;
      return place;
    } finally {
      if (!entered) {
        place.leaveUnlessBegun();
      }
    }
  }

  private static long left(long end) {
    return Math.max(0, end - System.nanoTime());
  }

  private <T> T compute(Place place, Callable<T> work) throws Exception {
    if (!place.begin()) {
      throw new InterruptedException("its time was up before it began");
    }
    try {
      processors.acquire();
      try {
        return work.call();
      } finally {
        processors.release();
      }
    } finally {
      place.leave();
    }
  }

  /**
   * Blocking work in the middle of a call, while another call computes. For a thread that {@link
   * #run} has given its work.
   */
  <T> T offProcessor(Callable<T> blocking) throws Exception {
    processors.release();
    try {
      return blocking.call();
    } finally {
      processors.acquireUninterruptibly();
    }
  }

  /** The app is not on this node any more. */
  void forget(AppId app) {
    apps.remove(app);
  }

  @Override
  public void close() {
    threads.shutdownNow();
  }

  /** What a call has taken; given back once. */
  private static final class Place {
    private enum State {
      WAITS,
      RUNS,
      LEFT
    }

    private final List<Runnable> givesBack = new ArrayList<>();
    private State state = State.WAITS;

    void take(Semaphore of, int permits, long patienceNanos)
        throws InterruptedException, TimeoutException {
      if (!of.tryAcquire(permits, patienceNanos, TimeUnit.NANOSECONDS)) {
        throw new TimeoutException();
      }
      givesBack.add(() -> of.release(permits));
    }

    synchronized boolean begin() {
      if (state != State.WAITS) {
        return false;
      }
      state = State.RUNS;
      return true;
    }

    synchronized void leaveUnlessBegun() {
      if (state == State.WAITS) {
        leave();
      }
    }

    synchronized void leave() {
      state = State.LEFT;
      givesBack.forEach(Runnable::run);
    }
  }
}
