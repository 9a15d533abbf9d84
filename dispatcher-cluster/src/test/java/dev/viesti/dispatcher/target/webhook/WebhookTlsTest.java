package dev.viesti.dispatcher.target.webhook;

import static org.assertj.core.api.Assertions.assertThat;

import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.delivery.DeliveryId;
import dev.viesti.protocol.delivery.Outcome;
import dev.viesti.protocol.event.Event;
import dev.viesti.protocol.event.Payload;
import dev.viesti.protocol.handler.HandlerCall;
import dev.viesti.protocol.trigger.Target;
import dev.viesti.protocol.trigger.TriggerId;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(value = 60, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class WebhookTlsTest {
  private static final String SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
  private static final char[] PASSWORD = "changeit".toCharArray();
  private static final WebhookSettings SETTINGS =
      new WebhookSettings(
          new WebhookSettings.Pool(Duration.ofSeconds(10), 8, 4, Duration.ofSeconds(30)),
          4_096,
          new WebhookSettings.Reach(true, List.of()),
          new WebhookSettings.Breaker(10, Duration.ofSeconds(5), Duration.ofSeconds(60)));

  private static Outcome run(WebhookTarget target, URI url, Duration timeout) throws Exception {
    Event event = Event.of(new UUID(1, 2), "/s", "t", null, Payload.NONE);
    TriggerId trigger = new TriggerId("notify");
    HandlerCall call =
        new HandlerCall(
            new AppId("billing"), trigger, DeliveryId.of(event.id(), trigger), 1, 7, event);
    FutureTask<Outcome> task =
        new FutureTask<>(() -> target.run(new Target.Webhook(url, SECRET), call, timeout));
    Thread.ofVirtual().start(task);
    return task.get();
  }

  private static ServerSocket selfSigned(Path directory) throws Exception {
    Path file = directory.resolve("keys.p12");
    Process keytool =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair",
                "-keyalg",
                "EC",
                "-alias",
                "a",
                "-dname",
                "CN=localhost",
                "-ext",
                "san=dns:localhost",
                "-storetype",
                "PKCS12",
                "-storepass",
                "changeit",
                "-keystore",
                file.toString())
            .redirectErrorStream(true)
            .start();
    assertThat(keytool.waitFor()).isZero();
    KeyStore keys = KeyStore.getInstance("PKCS12");
    try (InputStream in = Files.newInputStream(file)) {
      keys.load(in, PASSWORD);
    }
    KeyManagerFactory managers =
        KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    managers.init(keys, PASSWORD);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(managers.getKeyManagers(), null, null);
    return context.getServerSocketFactory().createServerSocket(0);
  }

  @Test
  void refusesACertificateThatNobodySigned(@TempDir Path directory) throws Exception {
    try (ServerSocket server = selfSigned(directory);
        WebhookTarget target = new WebhookTarget(SETTINGS, Clock.systemUTC())) {
      Thread.ofVirtual().start(() -> readOnce(server));
      URI url = URI.create("https://localhost:" + server.getLocalPort() + "/");
      assertThat(run(target, url, Duration.ofSeconds(20)))
          .isInstanceOfSatisfying(
              Outcome.Retryable.class,
              r -> assertThat(r.reason()).startsWith("TLS with localhost:").contains("PKIX"));
    }
  }

  private static void readOnce(ServerSocket server) {
    try (Socket socket = server.accept()) {
      socket.getInputStream().read();
    } catch (IOException refused) {
      // as it should be
    }
  }

  @Test
  void timesOutInAHandshakeThatNeverEnds() throws Exception {
    Duration timeout = Duration.ofMillis(400);
    try (ServerSocket silent = new ServerSocket(0, 5, InetAddress.getLoopbackAddress());
        WebhookTarget target = new WebhookTarget(SETTINGS, Clock.systemUTC())) {
      URI url = URI.create("https://127.0.0.1:" + silent.getLocalPort() + "/");
      long start = System.nanoTime();
      assertThat(run(target, url, timeout)).isEqualTo(new Outcome.TimedOut(timeout));
      assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(4));
    }
  }

  @Test
  void timesOutInALookupThatNeverEnds() throws Exception {
    Duration timeout = Duration.ofMillis(400);
    CountDownLatch never = new CountDownLatch(1);
    AddressGuard.Lookup silent =
        host -> {
          try {
            never.await();
          } catch (InterruptedException over) {
            Thread.currentThread().interrupt();
          }
          throw new UnknownHostException(host);
        };
    try (WebhookTarget target =
        new WebhookTarget(
            SETTINGS,
            Clock.systemUTC(),
            new AddressGuard(SETTINGS.reach(), silent, Duration.ofSeconds(10)))) {
      long start = System.nanoTime();
      assertThat(run(target, URI.create("http://slow.example/"), timeout))
          .isEqualTo(new Outcome.TimedOut(timeout));
      assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(4));
    }
  }
}
