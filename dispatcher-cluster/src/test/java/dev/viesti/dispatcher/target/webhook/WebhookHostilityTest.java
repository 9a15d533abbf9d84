package dev.viesti.dispatcher.target.webhook;

import static dev.viesti.dispatcher.target.webhook.WebhookFixture.LONG;
import static dev.viesti.dispatcher.target.webhook.WebhookFixture.SECRET;
import static dev.viesti.dispatcher.target.webhook.WebhookFixture.SHORT;
import static dev.viesti.dispatcher.target.webhook.WebhookFixture.answered;
import static dev.viesti.dispatcher.target.webhook.WebhookFixture.call;
import static dev.viesti.dispatcher.target.webhook.WebhookFixture.run;
import static dev.viesti.dispatcher.target.webhook.WebhookFixture.settings;
import static dev.viesti.dispatcher.target.webhook.WebhookFixture.target;
import static org.assertj.core.api.Assertions.assertThat;

import dev.viesti.protocol.delivery.Outcome;
import dev.viesti.protocol.trigger.Target;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.ServerSocket;
import java.net.SocketAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Endpoints that hang, drip, lie, redirect or stand where nobody may call. */
@Timeout(value = 60, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class WebhookHostilityTest {
  @Test
  void doesNotFollowRedirects() throws Exception {
    try (FakeEndpoint inside = new FakeEndpoint(FakeEndpoint.status("200 OK"))) {
      Outcome outcome =
          answered(FakeEndpoint.status("307 Go", "Location: " + inside.url("127.0.0.1")));
      assertThat(outcome)
          .isInstanceOfSatisfying(
              Outcome.Retryable.class, r -> assertThat(r.reason()).contains("not followed"));
      assertThat(inside.connections).hasValue(0);
    }
  }

  @Test
  void doesNotReadABodyWithoutEnd() throws Exception {
    AtomicInteger written = new AtomicInteger();
    byte[] chunk = ("2000\r\n" + "x".repeat(0x2000) + "\r\n").getBytes(StandardCharsets.US_ASCII);
    Outcome outcome =
        answered(
            (request, socket, out) -> {
              out.write(
                  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                      .getBytes(StandardCharsets.US_ASCII));
              while (true) {
                out.write(chunk);
                written.incrementAndGet();
              }
            });
    assertThat(outcome)
        .isEqualTo(new Outcome.Succeeded(new Outcome.Response(200, "x".repeat(4_096))));
  }

  @Test
  void takesAStatusForGoodWhateverTheBodyIs() throws Exception {
    for (String body :
        List.of(
            "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzzz\r\n",
            "Content-Length: 100\r\n\r\nhello",
            "Content-Encoding: gzip\r\n\r\nhello")) {
      assertThat(answered(FakeEndpoint.raw("HTTP/1.1 200 OK\r\n" + body)))
          .isEqualTo(new Outcome.Succeeded(new Outcome.Response(200, "hello")));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "garbage\r\n\r\n", "HTTP/9.9 abc\r\n\r\n", "HTTP/1.1 200 OK\r\nx"})
  void retriesWhatIsNotHttp(String bytes) throws Exception {
    assertThat(answered(FakeEndpoint.raw(bytes)))
        .isInstanceOfSatisfying(
            Outcome.Retryable.class, r -> assertThat(r.reason()).contains("127.0.0.1"));
  }

  @Test
  void boundsTheHead() throws Exception {
    assertThat(answered(FakeEndpoint.raw("HTTP/1.1 200 OK\r\nx: " + "y".repeat(100_000))))
        .isInstanceOf(Outcome.Retryable.class);
    assertThat(answered(FakeEndpoint.raw("HTTP/1.1 200 OK\r\n" + "x: y\r\n".repeat(10_000))))
        .isInstanceOf(Outcome.Retryable.class);
  }

  @Test
  void retriesAResetAndARefusal() throws Exception {
    assertThat(
            answered(
                (request, socket, out) -> {
                  socket.setSoLinger(true, 0);
                  socket.close();
                }))
        .isInstanceOf(Outcome.Retryable.class);
    int free;
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      free = socket.getLocalPort();
    }
    try (WebhookTarget target = target(settings(true, 10))) {
      assertThat(run(target, URI.create("http://127.0.0.1:" + free), LONG))
          .isInstanceOfSatisfying(
              Outcome.Retryable.class,
              r -> assertThat(r.reason()).startsWith("could not connect to 127.0.0.1:" + free));
    }
    try (WebhookTarget target =
        target(
            settings(true, 10),
            host -> {
              throw new UnknownHostException(host);
            })) {
      assertThat(run(target, URI.create("http://nowhere.example/"), LONG))
          .isInstanceOfSatisfying(
              Outcome.Retryable.class,
              r -> assertThat(r.reason()).contains("host not found").contains("nowhere.example"));
    }
  }

  @Test
  void timesOutOnSilenceAndOnDrips() throws Exception {
    Semaphore never = new Semaphore(0);
    FakeEndpoint.Answer silent = (request, socket, out) -> never.acquire();
    FakeEndpoint.Answer drippingHead =
        (request, socket, out) -> {
          out.write("HTTP/1.1 200 OK\r\nx: ".getBytes(StandardCharsets.US_ASCII));
          while (!never.tryAcquire(20, TimeUnit.MILLISECONDS)) {
            out.write('y');
          }
        };
    FakeEndpoint.Answer drippingBody =
        (request, socket, out) -> {
          out.write(
              "HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"
                  .getBytes(StandardCharsets.US_ASCII));
          while (!never.tryAcquire(20, TimeUnit.MILLISECONDS)) {
            out.write('y');
          }
        };
    for (FakeEndpoint.Answer answer : List.of(silent, drippingHead, drippingBody)) {
      try (FakeEndpoint endpoint = new FakeEndpoint(answer);
          WebhookTarget target = target(settings(true, 10))) {
        long start = System.nanoTime();
        assertThat(run(target, endpoint.url("127.0.0.1"), SHORT))
            .isEqualTo(new Outcome.TimedOut(SHORT));
        assertThat(Duration.ofNanos(System.nanoTime() - start))
            .isBetween(SHORT.minusMillis(20), SHORT.plusSeconds(3));
      }
    }
  }

  @Test
  void retriesWhenNoConnectionBecomesFree() throws Exception {
    Semaphore never = new Semaphore(0);
    try (FakeEndpoint endpoint = new FakeEndpoint((request, socket, out) -> never.acquire());
        WebhookTarget target = target(settings(true, 10))) {
      for (int i = 0; i < 4; i++) {
        Thread.ofVirtual()
            .start(new FutureTask<>(() -> run(target, endpoint.url("127.0.0.1"), LONG)));
      }
      while (endpoint.requests.size() < 4) {
        Thread.onSpinWait();
      }
      assertThat(run(target, endpoint.url("127.0.0.1"), SHORT))
          .isInstanceOfSatisfying(
              Outcome.Retryable.class, r -> assertThat(r.reason()).contains("became free"));
    }
  }

  @Test
  void endsWhenInterrupted() throws Exception {
    Semaphore arrived = new Semaphore(0);
    Semaphore never = new Semaphore(0);
    try (FakeEndpoint endpoint =
            new FakeEndpoint(
                (request, socket, out) -> {
                  arrived.release();
                  never.acquire();
                });
        WebhookTarget target = target(settings(true, 1))) {
      for (int i = 0; i < 3; i++) {
        FutureTask<Outcome> task =
            new FutureTask<>(
                () ->
                    target.run(
                        new Target.Webhook(endpoint.url("127.0.0.1"), SECRET), call(1), LONG));
        Thread thread = Thread.ofVirtual().start(task);
        arrived.acquire();
        long start = System.nanoTime();
        thread.interrupt();
        try {
          task.get();
          assertThat(true).as("an interrupted attempt has no outcome").isFalse();
        } catch (ExecutionException ended) {
          assertThat(ended).hasCauseInstanceOf(InterruptedException.class);
        }
        assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(2));
      }
      assertThat(endpoint.requests).as("interrupts do not open the breaker").hasSize(3);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "127.0.0.1",
        "localhost",
        "LOCALHOST.",
        "2130706433",
        "[::1]",
        "[::ffff:127.0.0.1]"
      })
  void refusesToCallTheInside(String host) throws Exception {
    try (FakeEndpoint endpoint = new FakeEndpoint(FakeEndpoint.status("200 OK"));
        WebhookTarget target = target(settings(false, 10))) {
      assertThat(run(target, endpoint.url(host), LONG))
          .isInstanceOfSatisfying(
              Outcome.Permanent.class,
              p ->
                  assertThat(p.reason())
                      .contains("--allow-private-targets")
                      .contains("viesti.webhook.allow-list"));
      assertThat(endpoint.connections).hasValue(0);
    }
  }

  @Test
  void connectsToTheAddressThatWasChecked() throws Exception {
    AtomicInteger lookups = new AtomicInteger();
    InetAddress allowed = InetAddress.getLoopbackAddress();
    InetAddress inside = InetAddress.getAllByName("127.0.0.2")[0];
    AddressGuard.Lookup changing =
        host ->
            lookups.getAndIncrement() == 0
                ? new InetAddress[] {inside, allowed}
                : new InetAddress[] {inside};
    try (FakeEndpoint endpoint =
            new FakeEndpoint(FakeEndpoint.status("200 OK", "Connection: close"));
        WebhookTarget target = target(settings(false, 10, "127.0.0.1/32"), changing)) {
      URI url = endpoint.url("rebinding.example");
      assertThat(run(target, url, LONG)).isInstanceOf(Outcome.Succeeded.class);
      assertThat(lookups).as("one lookup for check and connection").hasValue(1);
      assertThat(endpoint.requests.getFirst().headers())
          .containsEntry("host", "rebinding.example:" + endpoint.port());
      assertThat(run(target, url, LONG)).isInstanceOf(Outcome.Permanent.class);
      assertThat(endpoint.requests).hasSize(1);
    }
  }

  @Test
  void usesNoProxy() throws Exception {
    ProxySelector before = ProxySelector.getDefault();
    AtomicInteger asked = new AtomicInteger();
    ProxySelector.setDefault(
        new ProxySelector() {
          @Override
          public List<Proxy> select(URI uri) {
            asked.incrementAndGet();
            return List.of(Proxy.NO_PROXY);
          }

          @Override
          public void connectFailed(URI uri, SocketAddress address, IOException failure) {}
        });
    try {
      assertThat(answered(FakeEndpoint.status("200 OK"))).isInstanceOf(Outcome.Succeeded.class);
      assertThat(asked).hasValue(0);
    } finally {
      ProxySelector.setDefault(before);
    }
  }
}
