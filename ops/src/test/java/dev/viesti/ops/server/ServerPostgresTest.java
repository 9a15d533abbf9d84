package dev.viesti.ops.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(240)
class ServerPostgresTest {
  private static final String KEY = "a-key-for-tests-only";

  @Test
  void startsServesAndStops(@TempDir Path dir) throws Exception {
    Server server = Server.start(ServerSettings.dev(dir, 0, 0, KEY));
    try (server) {
      assertThat(server.awaitReady(Duration.ofSeconds(90))).isTrue();
      assertThat(get(server.managementUri().resolve("/ready")).statusCode()).isEqualTo(200);
      assertThat(get(server.managementUri().resolve("/alive")).statusCode()).isEqualTo(200);
      assertThat(get(server.managementUri().resolve("/startup")).statusCode()).isEqualTo(200);
      assertThat(get(server.managementUri().resolve("/cluster/members")).body())
          .contains("\"status\":\"Up\"");
      assertThat(get(server.uri().resolve("/v1/cluster")).body())
          .contains("\"status\":\"up\"", "\"self\":true", "\"leader\":true");
      assertThat(get(server.uri().resolve("/v1/apps/nobody")).statusCode()).isEqualTo(404);
      assertThat(get(server.uri().resolve("/metrics")).body()).contains("viesti_build_info");
    }
    server.awaitTermination();
    assertThatThrownBy(() -> get(server.uri())).isInstanceOf(IOException.class);
  }

  @Test
  void saysWhichPortIsTaken(@TempDir Path dir) throws Exception {
    try (ServerSocket taken =
        new ServerSocket(0, 1, InetAddress.getByAddress(new byte[] {127, 0, 0, 1}))) {
      int port = taken.getLocalPort();
      assertThatThrownBy(() -> Server.start(ServerSettings.dev(dir, port, 0, KEY)))
          .isInstanceOf(StartException.class)
          .hasMessageContaining("port " + port + " on 127.0.0.1");
      assertThat(dir).isEmptyDirectory();
    }
  }

  private static HttpResponse<String> get(URI uri) throws IOException, InterruptedException {
    try (HttpClient client = HttpClient.newHttpClient()) {
      HttpRequest request =
          HttpRequest.newBuilder(uri)
              .timeout(Duration.ofSeconds(20))
              .header("Authorization", "Bearer " + KEY)
              .build();
      return client.send(request, BodyHandlers.ofString());
    }
  }
}
