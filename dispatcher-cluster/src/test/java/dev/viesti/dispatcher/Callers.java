package dev.viesti.dispatcher;

import static dev.viesti.dispatcher.TestNode.event;

import dev.viesti.client.ViestiClient;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.event.Event;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;

/**
 * Callers of a node that is in trouble, each as good ones do it. They remember what was accepted;
 * an event's data is its id as JSON text.
 */
final class Callers implements AutoCloseable {
  private static final Duration AGAIN_AFTER = Duration.ofMillis(20);
  private static final Duration PAUSE = Duration.ofMillis(1);

  /** Above every time limit of a node: an answer that takes so long has hung. */
  private static final long HUNG_SECONDS = 40;

  private static final int ASYNC_MAX = 64;

  /** Sends one event; false when it is to be sent again. */
  private interface Door {
    boolean send(String id) throws Exception;
  }

  private final Viesti viesti;
  private final List<Thread> threads = new ArrayList<>();
  private final Set<String> accepted = ConcurrentHashMap.newKeySet();
  private final Queue<String> surprises = new ConcurrentLinkedQueue<>();
  private volatile boolean stopping;

  Callers(Viesti viesti) {
    this.viesti = viesti;
  }

  /** Ids of everything that was accepted, as {@code app/…}. */
  Set<String> accepted(AppId app) {
    Set<String> own = ConcurrentHashMap.newKeySet();
    accepted.stream().filter(id -> id.startsWith(app + "/")).forEach(own::add);
    return own;
  }

  /** What no caller should see: neither an acceptance, nor a refusal for the moment. */
  List<String> surprises() {
    return List.copyOf(surprises);
  }

  /** Each publishes one event after the other, with the same id again until it is accepted. */
  void publishBlocking(AppId app, int callers) {
    start(
        app,
        callers,
        id -> {
          try {
            viesti
                .publish(app, List.of(withId(id)))
                .toCompletableFuture()
                .get(HUNG_SECONDS, TimeUnit.SECONDS);
            return accepted.add(id);
          } catch (ExecutionException failed) {
            return !isForTheMoment(id, failed);
          }
        });
  }

  /** Publishes without waiting for answers, and without ids; what is refused is given up. */
  void publishAsync(AppId app) {
    var open = new Semaphore(ASYNC_MAX);
    start(
        app,
        1,
        id -> {
          if (!open.tryAcquire(HUNG_SECONDS, TimeUnit.SECONDS)) {
            throw new TimeoutException("no answer to any of " + ASYNC_MAX);
          }
          viesti
              .publish(app, List.of(event("any", null, "\"" + id + "\"")))
              .whenComplete(
                  (receipts, failure) -> {
                    open.release();
                    if (failure == null) {
                      accepted.add(id);
                    } else {
                      isForTheMoment(id, failure);
                    }
                  });
          return true;
        });
  }

  /** Services that write in transactions of their own, again until the commit is known. */
  void append(AppId app, ViestiClient client, int callers) {
    start(
        app,
        callers,
        id -> {
          var event = dev.viesti.client.Event.of("shop", "any").id(id).json("\"" + id + "\"");
          try {
            client.inTransaction(connection -> client.append(connection, event.build()));
            return accepted.add(id);
          } catch (SQLException away) {
            return false;
          }
        });
  }

  static Event withId(String id) {
    return event(id, "any", null, "\"" + id + "\"");
  }

  /** Ends the callers; each goes on until its last event is accepted. */
  @Override
  public void close() throws InterruptedException {
    stopping = true;
    for (Thread thread : threads) {
      thread.join();
    }
  }

  private boolean isForTheMoment(String id, Throwable failure) {
    Throwable cause = failure.getCause();
    if (cause != null
        && (failure instanceof CompletionException || failure instanceof ExecutionException)) {
      return isForTheMoment(id, cause);
    }
    if (failure instanceof RefusedException refused
        && refused.refusal() instanceof Refusal.Unavailable) {
      return true;
    }
    surprises.add(id + ": " + failure);
    return false;
  }

  private void start(AppId app, int callers, Door door) {
    for (int caller = 0; caller < callers; caller++) {
      String name = app + "/" + caller + "-";
      threads.add(Thread.ofVirtual().start(() -> run(name, door)));
    }
  }

  private void run(String name, Door door) {
    try {
      for (int n = 0; !stopping; n++) {
        String id = name + n;
        while (!door.send(id)) {
          LockSupport.parkNanos(AGAIN_AFTER.toNanos());
        }
        LockSupport.parkNanos(PAUSE.toNanos());
      }
    } catch (Exception bug) {
      surprises.add(name + ": " + bug);
    }
  }
}
