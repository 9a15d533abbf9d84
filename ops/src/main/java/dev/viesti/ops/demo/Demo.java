package dev.viesti.ops.demo;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.viesti.ops.cli.client.ApiClient;
import dev.viesti.ops.cli.client.ClientJson;
import dev.viesti.ops.cli.client.EventSender;
import dev.viesti.ops.cli.client.EventSender.Receipt;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;

/** One run of the demo against a node that already answers. */
public final class Demo {
  private static final int BATCH = 100;

  /** Senders at once: enough that batches overlap, few enough that a laptop stays usable. */
  private static final int SENDERS = 4;

  private static final Duration LOOK_EVERY = Duration.ofMillis(250);
  private static final Duration SAY_EVERY = Duration.ofSeconds(2);

  /**
   * Executions at once. The JDK's HTTP server closes idle connections beyond 200 without a word,
   * and a delivery that meets such a one is rightly repeated: the demo could not count exactly.
   */
  private static final int CONCURRENCY = 128;

  private final ApiClient client;
  private final DemoReceiver receiver;
  private final DemoPlan plan;
  private final DemoConsole console;
  private final LongAdder accepted = new LongAdder();
  private final LongAdder promised = new LongAdder();
  private final AtomicLong sent = new AtomicLong();

  /** {@link System#nanoTime}; 0 until then. */
  private final AtomicLong allSentAt = new AtomicLong();

  private final AtomicLong nextBatch = new AtomicLong();

  private Demo(ApiClient client, DemoReceiver receiver, DemoPlan plan, DemoConsole console) {
    this.client = client;
    this.receiver = receiver;
    this.plan = plan;
    this.console = console;
  }

  /**
   * How the demo talks.
   *
   * @param live whether lines may be rewritten in place
   * @param pause lets time pass
   */
  public record DemoConsole(PrintWriter out, boolean live, Consumer<Duration> pause) {}

  /**
   * Runs to the end or to {@code timeout}.
   *
   * @param secret of the triggers' webhooks, as Standard Webhooks writes it
   * @return whether every number adds up
   */
  public static boolean run(
      ApiClient client, int events, String secret, Duration timeout, DemoConsole console)
      throws Exception {
    try (var receiver = new DemoReceiver(secret)) {
      return new Demo(client, receiver, new DemoPlan(events), console).run(secret, timeout);
    }
  }

  private boolean run(String secret, Duration timeout) throws Exception {
    register(secret);
    console.out().printf("sending %,d order events%n", plan.events());
    long started = System.nanoTime();
    long deadline = started + timeout.toNanos();
    DemoReport report;
    try (var watch = new OutcomeWatch(client);
        ExecutorService senders = Executors.newVirtualThreadPerTaskExecutor()) {
      if (!watch.awaitOpen()) {
        console.out().println("the stream of outcomes does not open: no live numbers");
      }
      long firstSent = System.nanoTime();
      List<Future<?>> results = new ArrayList<>();
      for (int i = 0; i < SENDERS; i++) {
        results.add(senders.submit(this::sendBatches));
      }
      boolean inTime = awaitEnd(watch, results, firstSent, deadline);
      double seconds = (System.nanoTime() - firstSent) / 1e9;
      if (!inTime) {
        console.out().printf("not done after %d s%n", timeout.toSeconds());
        senders.shutdownNow();
      }
      throwFailure(results);
      report =
          new DemoReport(
              plan,
              accepted.sum(),
              promised.sum(),
              deadLetters(),
              left(),
              seconds,
              allSentAt.get() == 0 ? seconds : (allSentAt.get() - firstSent) / 1e9,
              watch.stopAndMeasure());
    }
    return judge(report);
  }

  private boolean judge(DemoReport report) {
    console.out().println(report.table(receiver));
    List<String> mistakes = report.mistakes(receiver);
    if (mistakes.isEmpty()) {
      console.out().println("every number adds up");
      return true;
    }
    console.out().println("these do not add up:");
    mistakes.forEach(mistake -> console.out().println("  " + mistake));
    return false;
  }

  private void register(String secret) {
    var unused =
        client.put(
            ApiClient.path("/v1/apps/%s", DemoPlan.APP),
            ClientJson.MAPPER
                .createObjectNode()
                .put("displayName", "Demo")
                .put("concurrency", CONCURRENCY),
            null);
    putTrigger(DemoPlan.WORKS, "orders.*", DemoPlan.BROKEN_ATTEMPTS, secret);
    putTrigger(DemoPlan.FLAKY, "orders.flagged", DemoPlan.FLAKY_FAILURES + 3, secret);
    putTrigger(DemoPlan.BROKEN, "orders.rejected", DemoPlan.BROKEN_ATTEMPTS, secret);
  }

  private void putTrigger(String id, String type, int maxAttempts, String secret) {
    ObjectNode trigger = ClientJson.MAPPER.createObjectNode();
    trigger.putObject("on").put("type", type);
    trigger
        .putObject("target")
        .putObject("webhook")
        .put("url", receiver.url(id).toString())
        .put("secret", secret);
    trigger
        .putObject("retry")
        .put("strategy", "exponential")
        .put("maxAttempts", maxAttempts)
        .put("base", "100ms")
        .put("cap", "1s");
    var unused =
        client.put(ApiClient.path("/v1/apps/%s/triggers/%s", DemoPlan.APP, id), trigger, null);
  }

  private void sendBatches() {
    var sender =
        new EventSender(client, DemoPlan.APP, EventSender.PATIENCE_DEFAULT, console.pause());
    while (!Thread.currentThread().isInterrupted()) {
      long first = nextBatch.getAndIncrement() * BATCH;
      if (first >= plan.events()) {
        break;
      }
      var events = new ArrayList<String>(BATCH);
      for (int i = (int) first; i < Math.min(first + BATCH, plan.events()); i++) {
        events.add(plan.json(i));
      }
      Receipt receipt = sender.send(events);
      accepted.add(receipt.accepted());
      promised.add(receipt.deliveries());
      if (sent.addAndGet(events.size()) == plan.events()) {
        allSentAt.set(System.nanoTime());
      }
    }
  }

  private boolean awaitEnd(OutcomeWatch watch, List<Future<?>> results, long started, long deadline)
      throws InterruptedException {
    long saidAt = started;
    while (System.nanoTime() < deadline && !Thread.currentThread().isInterrupted()) {
      boolean allSent = results.stream().allMatch(Future::isDone);
      if (allSent && (failed(results) || isOver())) {
        say(watch, started, true);
        return true;
      }
      console.pause().accept(LOOK_EVERY);
      if (console.live() || System.nanoTime() - saidAt >= SAY_EVERY.toNanos()) {
        saidAt = System.nanoTime();
        say(watch, started, false);
      }
    }
    return false;
  }

  private static boolean failed(List<Future<?>> results) {
    return results.stream().anyMatch(result -> result.state() != Future.State.SUCCESS);
  }

  /** The receiver is asked first: it costs nothing, and the API is left alone meanwhile. */
  private boolean isOver() {
    return receiver.requests() >= plan.requests()
        && left() == 0
        && deadLetters() >= plan.rejected();
  }

  private void say(OutcomeWatch watch, long started, boolean last) {
    double seconds = Math.max((System.nanoTime() - started) / 1e9, 0.001);
    String line =
        "%5.1f s  sent %,d  settled %,d  retried %,d  dead-lettered %,d  %,.0f settled/s"
            .formatted(
                seconds,
                sent.get(),
                watch.settled(),
                watch.retried(),
                watch.deadLettered(),
                watch.settled() / seconds);
    if (console.live()) {
      console.out().print("\r" + line + "   " + (last ? System.lineSeparator() : ""));
      console.out().flush();
    } else {
      console.out().println(line);
    }
  }

  private static void throwFailure(List<Future<?>> results) throws ExecutionException {
    for (Future<?> result : results) {
      if (result.state() == Future.State.FAILED) {
        throw new ExecutionException("sending failed", result.exceptionNow());
      }
    }
  }

  private long deadLetters() {
    return client
        .get(
            ApiClient.path("/v1/apps/%s/dead-letters:count", DemoPlan.APP),
            Map.of("resolved", "false"))
        .path("count")
        .asLong();
  }

  private long left() {
    return client
        .get(ApiClient.path("/v1/apps/%s/deliveries", DemoPlan.APP), Map.of("limit", "100"))
        .path("data")
        .size();
  }
}
