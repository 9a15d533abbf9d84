package dev.viesti.dispatcher.target.webhook;

import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.delivery.DeliveryId;
import dev.viesti.protocol.delivery.Outcome;
import dev.viesti.protocol.event.Event;
import dev.viesti.protocol.event.Payload;
import dev.viesti.protocol.handler.HandlerCall;
import dev.viesti.protocol.trigger.Target;
import dev.viesti.protocol.trigger.TriggerId;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Base64;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.FutureTask;

/** An attempt, its settings and what it takes to run it. */
final class WebhookFixture {
  static final Instant NOW = Instant.parse("2026-01-31T12:00:00Z");
  static final Duration LONG = Duration.ofSeconds(20);
  static final Duration SHORT = Duration.ofMillis(400);
  static final byte[] KEY = "0123456789abcdef0123456789abcdef".getBytes(StandardCharsets.US_ASCII);
  static final String SECRET = "whsec_" + Base64.getEncoder().encodeToString(KEY);
  static final String TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

  static WebhookSettings settings(boolean allowPrivate, int failures, String... allow) {
    return new WebhookSettings(
        new WebhookSettings.Pool(Duration.ofSeconds(2), 8, 4, Duration.ofSeconds(30)),
        4_096,
        new WebhookSettings.Reach(allowPrivate, List.of(allow)),
        new WebhookSettings.Breaker(failures, Duration.ofSeconds(5), Duration.ofSeconds(60)));
  }

  static WebhookTarget target(WebhookSettings settings) {
    return new WebhookTarget(settings, Clock.fixed(NOW, ZoneOffset.UTC));
  }

  static WebhookTarget target(WebhookSettings settings, AddressGuard.Lookup lookup) {
    return new WebhookTarget(
        settings,
        Clock.fixed(NOW, ZoneOffset.UTC),
        new AddressGuard(settings.reach(), lookup, Duration.ofSeconds(2)));
  }

  static HandlerCall call(int attempt) {
    Event event =
        new Event(
            new UUID(1, 2),
            "e-1",
            "/s",
            "t",
            "é",
            null,
            Payload.ofJson("{\"a\": 1.00}"),
            false,
            null,
            0,
            null,
            TRACEPARENT);
    TriggerId trigger = new TriggerId("notify");
    return new HandlerCall(
        new AppId("billing"), trigger, DeliveryId.of(event.id(), trigger), attempt, 7, event);
  }

  static Outcome run(WebhookTarget target, URI url, Duration timeout) throws Exception {
    FutureTask<Outcome> task =
        new FutureTask<>(() -> target.run(new Target.Webhook(url, SECRET), call(1), timeout));
    Thread.ofVirtual().start(task);
    return task.get();
  }

  static Outcome answered(FakeEndpoint.Answer answer) throws Exception {
    try (FakeEndpoint endpoint = new FakeEndpoint(answer);
        WebhookTarget target = target(settings(true, 10))) {
      return run(target, endpoint.url("127.0.0.1"), LONG);
    }
  }

  private WebhookFixture() {}
}
