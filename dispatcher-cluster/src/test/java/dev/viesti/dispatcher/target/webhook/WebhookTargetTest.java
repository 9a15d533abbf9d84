package dev.viesti.dispatcher.target.webhook;

import static dev.viesti.dispatcher.target.webhook.WebhookFixture.KEY;
import static dev.viesti.dispatcher.target.webhook.WebhookFixture.LONG;
import static dev.viesti.dispatcher.target.webhook.WebhookFixture.NOW;
import static dev.viesti.dispatcher.target.webhook.WebhookFixture.SECRET;
import static dev.viesti.dispatcher.target.webhook.WebhookFixture.TRACEPARENT;
import static dev.viesti.dispatcher.target.webhook.WebhookFixture.answered;
import static dev.viesti.dispatcher.target.webhook.WebhookFixture.call;
import static dev.viesti.dispatcher.target.webhook.WebhookFixture.run;
import static dev.viesti.dispatcher.target.webhook.WebhookFixture.settings;
import static dev.viesti.dispatcher.target.webhook.WebhookFixture.target;
import static org.assertj.core.api.Assertions.assertThat;

import com.standardwebhooks.Webhook;
import dev.viesti.dispatcher.cloudevents.CloudEvents;
import dev.viesti.protocol.delivery.Outcome;
import dev.viesti.protocol.trigger.Target;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Timeout(value = 60, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class WebhookTargetTest {
  @Test
  void postsASignedCloudEvent() throws Exception {
    Clock clock = Clock.systemUTC(); // the library's verify() knows no other
    try (FakeEndpoint endpoint = new FakeEndpoint(FakeEndpoint.text("200 OK", "thanks"));
        WebhookTarget target = new WebhookTarget(settings(true, 10), clock)) {
      assertThat(run(target, endpoint.url("127.0.0.1"), LONG))
          .isEqualTo(new Outcome.Succeeded(new Outcome.Response(200, "thanks")));
      FakeEndpoint.Request request = endpoint.requests.getFirst();
      Map<String, String> headers = request.headers();
      assertThat(request.line()).isEqualTo("POST /hook?x=1 HTTP/1.1");
      assertThat(request.body().bytes()).isEqualTo(CloudEvents.renderStructured(call(1).event()));
      assertThat(headers)
          .containsEntry("content-type", "application/cloudevents+json")
          .containsEntry("host", "127.0.0.1:" + endpoint.port())
          .containsEntry("webhook-id", call(1).delivery().toString())
          .containsEntry("viesti-app", "billing")
          .containsEntry("viesti-trigger", "notify")
          .containsEntry("viesti-attempt", "1")
          .containsEntry("viesti-epoch", "7")
          .containsEntry("traceparent", TRACEPARENT)
          .doesNotContainKeys("cookie", "expect", "upgrade", "accept-encoding", "authorization");
      assertThat(headers.get("user-agent")).startsWith("Viesti/");

      String body = new String(request.body().bytes(), StandardCharsets.UTF_8);
      new Webhook(SECRET)
          .verify(
              body,
              Map.of(
                  "webhook-id", List.of(headers.get("webhook-id")),
                  "webhook-timestamp", List.of(headers.get("webhook-timestamp")),
                  "webhook-signature", List.of(headers.get("webhook-signature"))));
      Mac mac = Mac.getInstance("HmacSHA256");
      mac.init(new SecretKeySpec(KEY, "HmacSHA256"));
      mac.update(
          (headers.get("webhook-id") + "." + headers.get("webhook-timestamp") + ".")
              .getBytes(StandardCharsets.US_ASCII));
      assertThat(headers.get("webhook-signature"))
          .isEqualTo(
              "v1," + Base64.getEncoder().encodeToString(mac.doFinal(request.body().bytes())));
    }
  }

  @Test
  void reusesTheConnectionAndTheId() throws Exception {
    try (FakeEndpoint endpoint =
            new FakeEndpoint(FakeEndpoint.text("500 Oops", "x".repeat(9_000)));
        WebhookTarget target = target(settings(true, 100))) {
      for (int attempt = 1; attempt <= 5; attempt++) {
        run(target, endpoint.url("127.0.0.1"), LONG);
      }
      assertThat(endpoint.requests).hasSize(5);
      assertThat(endpoint.connections).hasValue(1);
      assertThat(endpoint.requests.stream().map(r -> r.headers().get("webhook-id")).distinct())
          .hasSize(1);
      assertThat(endpoint.requests.getFirst().headers())
          .containsEntry("webhook-timestamp", Long.toString(NOW.getEpochSecond()));
    }
  }

  @ParameterizedTest
  @CsvSource({
    "200 OK,succeeded",
    "202 Accepted,succeeded",
    "204 No Content,succeeded",
    "301 Moved,retryable",
    "302 Found,retryable",
    "308 Moved,retryable",
    "304 Same,retryable",
    "400 Bad,retryable",
    "404 Not Found,retryable",
    "408 Slow,retryable",
    "425 Early,retryable",
    "429 Many,retryable",
    "410 Gone,permanent",
    "500 Oops,retryable",
    "503 Away,retryable",
    "599 What,retryable"
  })
  void decidesByStatus(String status, String word) throws Exception {
    Outcome outcome = answered(FakeEndpoint.status(status, "Location: http://127.0.0.1:1/"));
    assertThat(outcome.word()).isEqualTo(word);
    switch (outcome) {
      case Outcome.Retryable retryable ->
          assertThat(retryable.reason()).startsWith("HTTP " + status);
      case Outcome.Permanent permanent -> assertThat(permanent.disablesTrigger()).isTrue();
      default -> assertThat(status).startsWith("2");
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "429|120|PT2M",
        "503|0|PT0S",
        "500|7|PT7S",
        "408|7|PT7S",
        "425|7|PT7S",
        "503|Sat, 31 Jan 2026 12:01:30 GMT|PT1M30S",
        "503|Sat, 31 Jan 2026 11:00:00 GMT|PT0S",
        "503|99999999999999999999|PT8760H",
        "503|-5|",
        "503|soon|",
        "404|7|",
        "302|7|"
      })
  void honoursRetryAfter(String status, String value, Duration wish) throws Exception {
    assertThat(answered(FakeEndpoint.status(status + " Wait", "Retry-After: " + value)))
        .isInstanceOfSatisfying(
            Outcome.Retryable.class, r -> assertThat(r.retryAfter()).isEqualTo(wish));
  }

  @Test
  void keepsTheHeadOfABody() throws Exception {
    Outcome outcome =
        answered(
            FakeEndpoint.text(
                "200 OK",
                "a\0b" + "é".repeat(10_000),
                "Content-Type: text/plain; charset=nonsense"));
    assertThat(outcome)
        .isInstanceOfSatisfying(
            Outcome.Succeeded.class,
            s ->
                assertThat(Objects.requireNonNull(s.response()).body())
                    .startsWith("a\uFFFDbéé")
                    .hasSizeBetween(2_000, 2_060));
  }

  @Test
  void leavesAFailingEndpointAlone() throws Exception {
    try (FakeEndpoint endpoint = new FakeEndpoint(FakeEndpoint.status("502 Oops"));
        WebhookTarget target = target(settings(true, 3))) {
      for (int i = 0; i < 3; i++) {
        run(target, endpoint.url("127.0.0.1"), LONG);
      }
      assertThat(run(target, endpoint.url("127.0.0.1"), LONG))
          .isInstanceOfSatisfying(
              Outcome.Postponed.class,
              r -> {
                assertThat(r.reason()).startsWith("breaker open");
                assertThat(r.by()).isEqualTo(Duration.ofSeconds(5));
              });
      assertThat(endpoint.requests).hasSize(3);
    }
  }

  @Test
  void needsASecret() throws Exception {
    try (WebhookTarget target = target(settings(true, 10))) {
      assertThat(
              target.run(new Target.Webhook(URI.create("http://a.example"), null), call(1), LONG))
          .isInstanceOf(Outcome.Permanent.class);
    }
  }
}
