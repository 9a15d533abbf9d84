package dev.viesti.dispatcher.plugin;

import dev.viesti.protocol.app.AppId;
import java.time.Duration;
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
 * and one app may not have all of them. Thread-safe.
 */
final class Sandbox implements AutoCloseable {
  private final ExecutorService threads;
  private final Semaphore processors;
  private final int appMax;
  private final Map<AppId, Semaphore> apps = new ConcurrentHashMap<>();

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
    this.appMax = settings.appThreads();
  }

  /**
   * Runs {@code work} and waits for it.
   *
   * @throws TimeoutException when it has not ended in time: it was interrupted, and is not listened
   *     to any more
   * @throws ExecutionException with what it threw
   * @throws InterruptedException when the caller was; the work is, too
   */
  <T> T run(AppId app, Duration timeout, Callable<T> work)
      throws InterruptedException, TimeoutException, ExecutionException {
    long end = System.nanoTime() + timeout.toNanos();
    Semaphore own = apps.computeIfAbsent(app, any -> new Semaphore(appMax, true));
    if (!own.tryAcquire(timeout.toNanos(), TimeUnit.NANOSECONDS)) {
      throw new TimeoutException();
    }
    // a task that is cancelled before it began never gives anything back itself
    var place = new Place(own);
    Future<T> task = threads.submit(() -> compute(place, work));
    boolean ended = false;
    try {
      T result = task.get(Math.max(0, end - System.nanoTime()), TimeUnit.NANOSECONDS);
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

  /** One of an app's places among the threads; given back once. */
  private static final class Place {
    private enum State {
      WAITS,
      RUNS,
      LEFT
    }

    private final Semaphore of;
    private State state = State.WAITS;

    Place(Semaphore of) {
      this.of = of;
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
        state = State.LEFT;
        of.release();
      }
    }

    synchronized void leave() {
      state = State.LEFT;
      of.release();
    }
  }
}
