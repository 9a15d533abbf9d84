package dev.viesti.ops.demo;

import static org.assertj.core.api.Assertions.assertThat;

import dev.viesti.ops.cli.client.ApiClient;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Duration;
import java.util.Base64;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;

class DemoTest {
  private static final String SECRET = "whsec_" + Base64.getEncoder().encodeToString(new byte[24]);

  private final StringWriter out = new StringWriter();

  @Test
  void endsWellWhenEveryNumberAddsUp() throws Exception {
    assertThat(run("", Duration.ofSeconds(20))).as("%s", out).isTrue();
    assertThat(out.toString())
        .containsPattern("events accepted +300 +300")
        .containsPattern("deliveries +330 +330")
        .containsPattern("settled +327 +327")
        .containsPattern("attempts retried +60 +60")
        .containsPattern("dead letters +3 +3")
        .contains("every number adds up");
  }

  @Test
  void namesWhatDoesNotAddUp() throws Exception {
    assertThat(run("order-5", Duration.ofSeconds(3))).isFalse();
    assertThat(out.toString())
        .contains("not done after 3 s")
        .contains("works: delivery ids seen: expected 300, counted 299");
  }

  private boolean run(String forgotten, Duration timeout) throws Exception {
    try (var node = new FakeNode(forgotten);
        var client = new ApiClient(node.url(), null)) {
      var console =
          new Demo.DemoConsole(
              new PrintWriter(out, true), false, pause -> LockSupport.parkNanos(pause.toNanos()));
      return Demo.run(client, 300, SECRET, timeout, console);
    }
  }
}
