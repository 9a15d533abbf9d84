package dev.viesti.ops.bench;

import dev.viesti.ops.bench.NodeProbe.Reading;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingDeque;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingDeque;

/**
 * How long after it was sent an event comes to its webhook, at a rate that is held whatever the
 * node does (an open loop: a slow answer does not keep the next event from being sent).
 */
record WebhookLatency() implements Workload {
  private static final int PER_SECOND = 200;
  private static final long PERIOD_NANOS = Duration.ofSeconds(1).toNanos() / PER_SECOND;

  private static final Load.Shape WARM_UP = new Load.Shape(1, 16);
  private static final int WARM_UP_MAX = 1_000_000;

  /** What a node can be late by, and the figure still be worth having. */
  private static final Duration LATE_MAX = Duration.ofSeconds(30);

  @Override
  public String name() {
    return "webhook-latency";
  }

  @Override
  public String description() {
    return PER_SECOND + " single events a second: from their sending to the webhook's request";
  }

  @Override
  public List<Measured> measure(Setting setting) throws Exception {
    List<Measured> runs = new ArrayList<>();
    try (NodeProcess node = setting.session().node(setting.directory());
        Receiver receiver = new Receiver()) {
      BenchApp app = BenchApp.create(node, "latency", BenchApp.webhook(receiver), false);
      warmUp(app, receiver, setting.seconds());
      run(app, receiver, setting, 0);
      for (int run = 1; run <= setting.runs(); run++) {
        runs.add(run(app, receiver, setting, run));
      }
    }
    return runs;
  }

  /** At 200 events a second alone the JVM compiles little of what they go through. */
  private static void warmUp(BenchApp app, Receiver receiver, Duration time) throws Exception {
    Events events = new Events("warm");
    Arrivals arrivals = new Arrivals(events.run(), WARM_UP_MAX);
    receiver.note(arrivals);
    Load.Sent sent = Load.during(time, app, events, WARM_UP);
    arrivals.await((int) Math.min(sent.events(), WARM_UP_MAX), LATE_MAX);
  }

  private static Measured run(BenchApp app, Receiver receiver, Setting setting, int run)
      throws Exception {
    int count = (int) (setting.seconds().toSeconds() * PER_SECOND);
    Events events = new Events("run-" + run);
    Arrivals arrivals = new Arrivals(events.run(), count);
    receiver.note(arrivals);
    NodeProbe probe = new NodeProbe(app.node());
    Reading before = probe.read();
    long started = System.nanoTime();
    Sender sender = new Sender(app, events, count);
    sender.run();
    arrivals.await(count, LATE_MAX);
    double seconds = (System.nanoTime() - started) / 1e9;
    return sender
        .measured(arrivals, seconds)
        .withCost(before, probe.read(), count)
        .with("repeated_requests", (double) arrivals.repeated());
  }

  /** Times of one run, by event. */
  private static final class Sender {
    private final BenchApp app;
    private final Events events;
    private final int count;
    private final long[] sentAt;
    private final long[] answeredAt;
    private final Latencies late = new Latencies();
    private final BlockingDeque<HttpConnection> idle = new LinkedBlockingDeque<>();

    Sender(BenchApp app, Events events, int count) {
      this.app = app;
      this.events = events;
      this.count = count;
      this.sentAt = new long[count];
      this.answeredAt = new long[count];
    }

    void run() throws Exception {
      List<Future<?>> answers = new ArrayList<>();
      try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
        long first = System.nanoTime();
        for (int i = 0; i < count; i++) {
          long due = first + i * PERIOD_NANOS;
          Wait.untilNanoTime(due);
          int index = i;
          answers.add(threads.submit(() -> send(index, due)));
        }
      } finally {
        closeAll();
      }
      for (Future<?> answer : answers) {
        answer.get();
      }
    }

    private void send(int index, long due) {
      Events.Body body = events.body(1);
      body.fill(index);
      byte[] head = Load.head(app, body);
      HttpConnection known = idle.pollFirst();
      HttpConnection connection = known == null ? app.node().connect() : known;
      long now = System.nanoTime();
      late.add(now - due);
      sentAt[index] = now;
      Load.single(connection, head, body);
      answeredAt[index] = System.nanoTime();
      idle.addFirst(connection);
    }

    Measured measured(Arrivals arrivals, double seconds) {
      Latencies fromSend = new Latencies();
      Latencies fromAnswer = new Latencies();
      Latencies answer = new Latencies();
      for (int i = 0; i < count; i++) {
        fromSend.add(arrivals.at(i) - sentAt[i]);
        answer.add(answeredAt[i] - sentAt[i]);
        // the webhook may be faster than the answer
        fromAnswer.add(Math.max(0, arrivals.at(i) - answeredAt[i]));
      }
      return Measured.rate(count, seconds)
          .with("", fromSend)
          .with("answer_", answer)
          .with("after_answer_", fromAnswer)
          .with("sent_late_", late);
    }

    private void closeAll() throws IOException {
      for (HttpConnection connection : idle) {
        connection.close();
      }
    }
  }
}
