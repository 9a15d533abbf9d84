package dev.viesti.dispatcher.target;

import dev.viesti.dispatcher.Refusal;
import dev.viesti.dispatcher.target.handler.HandlerTarget;
import dev.viesti.dispatcher.target.log.LogTarget;
import dev.viesti.dispatcher.target.webhook.AddressGuard;
import dev.viesti.dispatcher.target.webhook.WebhookSettings;
import dev.viesti.dispatcher.target.webhook.WebhookTarget;
import dev.viesti.protocol.delivery.Outcome;
import dev.viesti.protocol.handler.HandlerCall;
import dev.viesti.protocol.trigger.Target;
import java.time.Clock;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** All targets of a node: the one place that knows every kind. Thread-safe. */
public final class Targets implements AutoCloseable {
  private final WebhookTarget webhooks;
  private final AddressGuard guard;
  private final HandlerTarget handlers;
  private final LogTarget log = new LogTarget();

  public Targets(WebhookSettings webhooks, HandlerTarget handlers, Clock clock) {
    this.webhooks = new WebhookTarget(webhooks, clock);
    this.guard = AddressGuard.of(webhooks);
    this.handlers = handlers;
  }

  /** What can be seen to be wrong when a trigger is registered; null when it is fine. */
  public Refusal.@Nullable Invalid check(Target target) {
    return switch (target) {
      case Target.Webhook webhook -> {
        String problem = guard.check(webhook.url());
        yield problem == null ? null : new Refusal.Invalid("/target/webhook/url", problem);
      }
      case Target.Handler handler ->
          handlers.knows(handler.name())
              ? null
              : new Refusal.Invalid(
                  "/target/handler/name",
                  "no handler named '%s' is registered on this node".formatted(handler.name()));
      case Target.Log any -> null;
    };
  }

  /** Runs one attempt on the calling thread; see {@link TargetRunner#run}. */
  public Outcome run(Target target, HandlerCall call, Duration timeout)
      throws InterruptedException {
    return switch (target) {
      case Target.Webhook webhook -> webhooks.run(webhook, call, timeout);
      case Target.Handler handler -> handlers.run(handler, call, timeout);
      case Target.Log any -> log.run(any, call, timeout);
    };
  }

  @Override
  public void close() {
    webhooks.close();
  }
}
