package dev.viesti.dispatcher;

import static dev.viesti.dispatcher.TestNode.event;
import static dev.viesti.dispatcher.TestNode.get;
import static dev.viesti.dispatcher.TestNode.handler;
import static dev.viesti.dispatcher.TestNode.until;
import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.ConfigFactory;
import dev.viesti.persistence.embedded.TestDatabase;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.app.AppSettings;
import dev.viesti.protocol.delivery.Outcome;
import dev.viesti.protocol.handler.HandlerCall;
import dev.viesti.protocol.trigger.TriggerId;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.lang.management.ManagementFactory;
import java.time.Clock;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Callers want many times what a node can do, in a JVM whose heap is smaller than the backlog that
 * they make. What does not fit is refused, clearly and soon; what was accepted is run; the heap
 * holds.
 */
@Timeout(300)
final class OverloadPostgresTest {
  private static final List<AppId> APPS = List.of(new AppId("one"), new AppId("two"));

  /** With the backlog in memory it would not last: 2 × 1,500 × 20 KiB. */
  private static final List<String> HEAP = List.of("-Xmx64m", "-XX:+ExitOnOutOfMemoryError");

  private static final int EVENT_BYTES = 20 << 10;
  private static final int PENDING_MAX = 1_500;
  private static final Duration ASK_TIMEOUT = Duration.ofSeconds(5);

  private static final String CONFIG =
      """
      pekko.remote.artery.canonical.port = 0
      viesti.node.ask-timeout = 5 s
      viesti.writer { queue-bytes-max = 1 MiB, group-bytes-max = 256 KiB }
      viesti.outbox {
        window-rows = 400, page-rows = 50, window-bytes = 2 MiB, reserve-bytes = 0, pending-max = 1500
      }
      """;

  /** Answers that may be outstanding: ten times what the queue of the writer holds. */
  private static final int OPEN_MAX = 500;

  private static final Duration FLOOD_MIN = Duration.ofSeconds(3);
  private static final Duration FLOOD_MAX = Duration.ofMinutes(1);
  private static final String QUEUE_FULL = "more is being accepted than PostgreSQL can take";
  private static final String BACKLOG_FULL = "which is its limit";
  private static final Duration WORK = Duration.ofMillis(20);
  private static final int CONCURRENCY = 8;

  @Test
  void refusesWhatItCannotTakeAndRunsWhatItHasAccepted() throws Exception {
    TestDatabase database = TestNode.database();
    try (ChildJvm node =
        ChildJvm.start(
            OverloadPostgresTest.class,
            HEAP,
            List.of(database.url(), database.user(), database.password()))) {
      int exit = node.await(Duration.ofMinutes(4));
      assertThat(exit).as("3 is out of memory; it said\n%s", node.said()).isZero();
      System.out.println(node.said().strip());
    }
    assertThat(database.queryText("select count(*) from viesti.outbox")).isEqualTo("0");
  }

  /** A node and its callers. */
  public static void main(String[] args) throws Exception {
    new Load(args).run();
    System.exit(0);
  }

  private static final class Load {
    private final String data = "\"" + "x".repeat(EVENT_BYTES) + "\"";
    private final Viesti viesti;
    private final Set<String> accepted = ConcurrentHashMap.newKeySet();
    private final Map<String, Integer> runs = new ConcurrentHashMap<>();
    private final Map<String, Integer> refusals = new ConcurrentHashMap<>();
    private final Queue<String> surprises = new ConcurrentLinkedQueue<>();
    private final Queue<Long> acceptedNanos = new ConcurrentLinkedQueue<>();
    private final Queue<Long> refusedNanos = new ConcurrentLinkedQueue<>();
    private final Semaphore open = new Semaphore(OPEN_MAX);
    private final AtomicInteger numbers = new AtomicInteger();

    Load(String[] args) {
      var options =
          new NodeOptions(
              args[0],
              args[1],
              args[2],
              ConfigFactory.parseString(CONFIG),
              Map.of("slow", this::slow),
              new SimpleMeterRegistry(),
              Clock.systemUTC());
      viesti = ViestiNode.start(options).viesti();
    }

    private Outcome slow(HandlerCall call) {
      LockSupport.parkNanos(WORK.toNanos());
      runs.merge(call.event().cloudEventId(), 1, Integer::sum);
      return Outcome.Succeeded.PLAIN;
    }

    void run() throws Exception {
      until("the node is ready", () -> get(viesti.ready()));
      for (AppId app : APPS) {
        get(viesti.putApp(app, AppSettings.of(null, CONCURRENCY, false, null), null, "me"));
        get(viesti.putTrigger(app, new TriggerId("t"), handler("slow", "*", 5), null, "me"));
      }
      long began = System.nanoTime();
      try (ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor()) {
        for (AppId app : APPS) {
          var unused = callers.submit(() -> flood(app, began));
        }
      }
      if (!open.tryAcquire(OPEN_MAX, 2 * ASK_TIMEOUT.toSeconds(), TimeUnit.SECONDS)) {
        throw new AssertionError("some callers have no answer");
      }
      long heap = heapAfterGc();
      int backlog = accepted.size() - runs.size();
      until("all is run", Duration.ofMinutes(2), () -> runs.size() == accepted.size());
      viesti.close();
      report(backlog, heap);
    }

    /** Until every limit was reached, however slow this machine is. */
    private void flood(AppId app, long began) {
      for (long nanos = 0;
          nanos < FLOOD_MIN.toNanos()
              || (nanos < FLOOD_MAX.toNanos()
                  && !(isRefused(QUEUE_FULL) && isRefused(BACKLOG_FULL)));
          nanos = System.nanoTime() - began) {
        open.acquireUninterruptibly();
        String id = app + "-" + numbers.incrementAndGet();
        long asked = System.nanoTime();
        viesti
            .publish(app, List.of(event(id, "any", null, data)))
            .whenComplete((receipts, failure) -> answered(id, System.nanoTime() - asked, failure));
      }
    }

    private void answered(String id, long nanos, @Nullable Throwable failure) {
      open.release();
      Throwable cause =
          failure == null || failure.getCause() == null ? failure : failure.getCause();
      if (cause == null) {
        accepted.add(id);
        acceptedNanos.add(nanos);
      } else if (cause instanceof RefusedException refused
          && refused.refusal() instanceof Refusal.Unavailable(var detail, var retryAfter)
          && retryAfter.isPositive()) {
        refusedNanos.add(nanos);
        refusals.merge(detail.replaceAll("[0-9,]+", "n"), 1, Integer::sum);
      } else {
        surprises.add(id + ": " + cause);
      }
    }

    private boolean isRefused(String why) {
      return refusals.keySet().stream().anyMatch(detail -> detail.contains(why));
    }

    private static long heapAfterGc() {
      System.gc();
      return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
    }

    private void report(int backlog, long heap) {
      System.out.printf(
          "%,d accepted (99 %% within %,d ms), backlog %,d of %,d KiB each; %,d refused (99 %%"
              + " within %,d ms): %s; heap with the backlog %,d KiB%n",
          accepted.size(),
          percentile99(acceptedNanos),
          backlog,
          EVENT_BYTES >> 10,
          refusedNanos.size(),
          percentile99(refusedNanos),
          refusals,
          heap >> 10);
      assertThat(surprises).isEmpty();
      assertThat(runs.keySet()).as("everything accepted is run").isEqualTo(accepted);
      assertThat(runs.values()).as("once").containsOnly(1);
      assertThat(isRefused(QUEUE_FULL)).as(QUEUE_FULL).isTrue();
      assertThat(isRefused(BACKLOG_FULL)).as(BACKLOG_FULL).isTrue();
      assertThat(backlog).isGreaterThan(PENDING_MAX);
      assertThat(percentile99(acceptedNanos)).isLessThan(2 * ASK_TIMEOUT.toMillis());
      assertThat(percentile99(refusedNanos)).isLessThan(2 * ASK_TIMEOUT.toMillis());
    }

    private static long percentile99(Queue<Long> nanos) {
      long[] sorted = nanos.stream().mapToLong(Long::longValue).sorted().toArray();
      return Duration.ofNanos(
              Arrays.stream(sorted).skip(sorted.length * 99L / 100).findFirst().orElse(0))
          .toMillis();
    }
  }
}
