package dev.viesti.ops.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpTimeoutException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Supplier;

/**
 * Clients that publish all the time, as good clients do: each event has an id of its own, and goes
 * again with the same one until it is accepted. They remember what was answered with 202.
 */
final class Senders implements AutoCloseable {
  private static final Duration AGAIN_AFTER = Duration.ofMillis(150);

  /**
   * @param pause between two events of one client
   */
  record Plan(String name, List<String> apps, int clients, Duration pause) {}

  private final Plan plan;
  private final Supplier<List<URI>> nodes;
  private final List<Thread> threads = new ArrayList<>();
  private final Set<String> accepted = ConcurrentHashMap.newKeySet();
  private final Queue<String> surprises = new ConcurrentLinkedQueue<>();
  private final LongAdder refused = new LongAdder();
  private final LongAdder broken = new LongAdder();
  private final AtomicLong slowestRefusalNanos = new AtomicLong();
  private final AtomicLong lastAcceptedAtNanos = new AtomicLong();
  private volatile boolean stopping;

  /**
   * @param nodes where to send at the moment; clients take them in turn
   */
  Senders(Plan plan, Supplier<List<URI>> nodes) {
    this.plan = plan;
    this.nodes = nodes;
    for (int i = 0; i < plan.clients(); i++) {
      int client = i;
      threads.add(Thread.ofVirtual().start(() -> run(client)));
    }
  }

  /** {@code app/event} of everything that was accepted. */
  Set<String> accepted() {
    return Set.copyOf(accepted);
  }

  int count() {
    return accepted.size();
  }

  long refused() {
    return refused.sum();
  }

  Duration slowestRefusal() {
    return Duration.ofNanos(slowestRefusalNanos.get());
  }

  /** {@link System#nanoTime} of the last 202. */
  long lastAcceptedAtNanos() {
    return lastAcceptedAtNanos.get();
  }

  /** Answers that no client should get: neither 202, nor 503 with Retry-After. */
  List<String> surprises() {
    return List.copyOf(surprises);
  }

  @Override
  public String toString() {
    return "%s: %,d accepted, %,d refused (slowest after %,d ms), %,d broken"
        .formatted(
            plan.name(), accepted.size(), refused.sum(), slowestRefusal().toMillis(), broken.sum());
  }

  /** Waits for the answers that are under way. */
  @Override
  public void close() {
    stopping = true;
    try {
      for (Thread thread : threads) {
        thread.join();
      }
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /**
   * Checks that everything accepted was delivered or is a dead letter.
   *
   * @return how many are dead letters
   */
  int assertNothingLost(Receiver receiver, Caller caller) throws Exception {
    assertThat(surprises).isEmpty();
    Set<String> missing = new HashSet<>(accepted);
    missing.removeAll(receiver.delivered());
    int before = missing.size();
    for (String app : plan.apps()) {
      for (JsonNode letter : caller.all("/v1/apps/" + app + "/dead-letters")) {
        missing.remove(app + "/" + letter.path("eventId").asText());
      }
    }
    assertThat(missing).as("accepted, but neither delivered nor a dead letter").isEmpty();
    return before;
  }

  private void run(int client) {
    for (int n = 0; !stopping; n++) {
      String app = plan.apps().get((client + n) % plan.apps().size());
      String id = "%s-%d-%d".formatted(plan.name(), client, n);
      for (int attempt = 0; !stopping && !send(app, id, client + n + attempt); attempt++) {
        Await.pause(AGAIN_AFTER);
      }
      Await.pause(plan.pause());
    }
  }

  /** True when it is accepted, or must not be sent again. */
  private boolean send(String app, String id, int turn) {
    List<URI> now = nodes.get();
    if (now.isEmpty()) {
      return false;
    }
    long started = System.nanoTime();
    try {
      var caller = new Caller(now.get(turn % now.size()));
      Caller.Answer answer = caller.publish(app, Caller.event(id, "load"));
      if (answer.status() == 202) {
        lastAcceptedAtNanos.accumulateAndGet(System.nanoTime(), Math::max);
        accepted.add(app + "/" + id);
        return true;
      }
      if (answer.status() == 503 && answer.headers().firstValue("Retry-After").isPresent()) {
        refused.increment();
        slowestRefusalNanos.accumulateAndGet(System.nanoTime() - started, Math::max);
        return false;
      }
      surprises.add(answer.status() + " " + answer.body());
      return true;
    } catch (HttpTimeoutException hung) {
      surprises.add("no answer: " + hung.getMessage());
      return true;
    } catch (IOException nodeIsGone) {
      broken.increment();
      return false;
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      return true;
    }
  }
}
