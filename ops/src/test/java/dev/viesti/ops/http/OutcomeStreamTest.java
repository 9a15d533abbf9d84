package dev.viesti.ops.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.Socket;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class OutcomeStreamTest {
  @AutoClose private final ApiServer api = new ApiServer();

  @Test
  void sendsOutcomesAndHeartbeats() throws Exception {
    HttpResponse<InputStream> response = open("/v1/stream?app=shop");
    assertThat(response.statusCode()).isEqualTo(200);
    assertThat(response.headers().firstValue("Content-Type").orElse(""))
        .startsWith("text/event-stream");
    assertThat(response.headers().firstValue("X-Accel-Buffering")).contains("no");
    assertThat(response.headers().firstValue("X-Request-Id")).isPresent();
    try (BufferedReader lines = lines(response.body())) {
      assertThat(block(lines)).contains("retry: 3000");
      eventually(() -> api.viesti.listeners.size() == 1);
      api.viesti.tell(api.viesti.notice("other", 1));
      api.viesti.tell(api.viesti.notice("shop", 2));
      List<String> outcome = withoutComments(lines);
      assertThat(outcome.get(0)).isEqualTo("event: outcome");
      assertThat(outcome.get(1)).isEqualTo("id: 00000000-0000-0001-0000-000000000002.2");
      assertThat(outcome.get(2))
          .contains("\"app\":\"shop\"")
          .contains("\"settlement\":\"settled\"");
      assertThat(block(lines)).contains(": still here");
    }
    eventually(() -> api.viesti.listeners.isEmpty());
    assertThat(api.metrics.streamClients()).hasValue(0);
  }

  @Test
  void tellsASlowClientHowManyItLost() throws Exception {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), api.port())) {
      socket.setReceiveBufferSize(4_096);
      String request =
          "GET /v1/stream HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "
              + ApiServer.KEY
              + "\r\n\r\n";
      socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
      eventually(() -> api.viesti.listeners.size() == 1);
      for (int i = 1; i <= 60_000; i++) {
        api.viesti.tell(api.viesti.notice("shop", i));
      }
      BufferedReader lines = lines(socket.getInputStream());
      String line = lines.readLine();
      while (line != null && !line.equals("event: dropped")) {
        line = lines.readLine();
      }
      assertThat(lines.readLine()).matches("data: \\{\"count\":[1-9]\\d*}");
    }
  }

  @Test
  void endsStreamsWhenTheNodeStops() throws Exception {
    try (InputStream stream = open("/v1/stream").body()) {
      eventually(() -> api.viesti.listeners.size() == 1);
      api.drain();
      assertThat(new String(stream.readAllBytes(), StandardCharsets.UTF_8))
          .startsWith(": outcomes");
      eventually(() -> api.viesti.listeners.isEmpty());
    }
  }

  @Test
  void refusesMoreClientsThanItMayHave() throws Exception {
    try (InputStream one = open("/v1/stream").body();
        InputStream two = open("/v1/stream").body()) {
      eventually(() -> api.viesti.listeners.size() == 2);
      assertThat(api.get("/v1/stream").status()).isEqualTo(503);
      assertThat(one).isNotSameAs(two);
    }
  }

  private HttpResponse<InputStream> open(String path) throws IOException, InterruptedException {
    return api.client().send(api.request(path).build(), BodyHandlers.ofInputStream());
  }

  private static BufferedReader lines(InputStream in) {
    return new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8));
  }

  /** Lines up to the next empty one. */
  private static List<String> block(BufferedReader lines) throws IOException {
    List<String> block = new ArrayList<>();
    for (String line = lines.readLine(); line != null && !line.isEmpty(); line = lines.readLine()) {
      block.add(line);
    }
    return block;
  }

  private static List<String> withoutComments(BufferedReader lines) throws IOException {
    List<String> block = block(lines);
    while (block.getFirst().startsWith(":")) {
      block = block(lines);
    }
    return block;
  }

  private static void eventually(BooleanSupplier condition) {
    long deadline = System.nanoTime() + Duration.ofSeconds(20).toNanos();
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime()).isLessThan(deadline);
      LockSupport.parkNanos(Duration.ofMillis(10).toNanos());
    }
  }
}
