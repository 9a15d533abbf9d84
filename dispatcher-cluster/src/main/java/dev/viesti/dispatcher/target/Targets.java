package dev.viesti.dispatcher.target;

import dev.viesti.dispatcher.Refusal;
import dev.viesti.dispatcher.execution.Execution;
import dev.viesti.dispatcher.target.handler.HandlerTarget;
import dev.viesti.dispatcher.target.log.LogTarget;
import dev.viesti.dispatcher.target.webhook.AddressGuard;
import dev.viesti.dispatcher.target.webhook.WebhookSettings;
import dev.viesti.dispatcher.target.webhook.WebhookTarget;
import dev.viesti.protocol.delivery.Delivery;
import dev.viesti.protocol.delivery.Outcome;
import dev.viesti.protocol.handler.HandlerCall;
import dev.viesti.protocol.trigger.Target;
import dev.viesti.protocol.trigger.Trigger;
import java.time.Clock;
import org.jspecify.annotations.Nullable;

/** All targets of a node: the one place that knows every kind. Thread-safe. */
public final class Targets implements AutoCloseable {
  private final WebhookTarget webhooks;
  private final AddressGuard guard;
  private final HandlerTarget handlers;
  private final TransactionalRunner transactions;
  private final PluginRunner plugins;
  private final ScriptRunner scripts;
  private final LogTarget log = new LogTarget();

  public Targets(
      WebhookSettings webhooks,
      HandlerTarget handlers,
      TransactionalRunner transactions,
      PluginRunner plugins,
      ScriptRunner scripts,
      Clock clock) {
    this.transactions = transactions;
    this.plugins = plugins;
    this.scripts = scripts;
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
          handlers.knows(handler.name()) || transactions.knows(handler.name())
              ? null
              : new Refusal.Invalid(
                  "/target/handler/name",
                  "no handler named '%s' is registered on this node".formatted(handler.name()));
      case Target.Plugin plugin -> null; // which plugins there are, the app knows
      case Target.Script script -> null; // was checked before the app was asked: it takes too long
      case Target.Log any -> null;
    };
  }

  /**
   * Runs one attempt on the calling thread; see {@link TargetRunner#run}.
   *
   * @param row the delivery as it is in the table
   */
  public Execution.Ended run(Trigger trigger, HandlerCall call, Delivery row)
      throws InterruptedException {
    return switch (trigger.target()) {
      case Target.Webhook webhook -> ended(webhooks.run(webhook, call, trigger.timeout()));
      case Target.Handler handler when transactions.knows(handler.name()) ->
          transactions.run(handler.name(), call, row);
      case Target.Handler handler -> ended(handlers.run(handler, call, trigger.timeout()));
      case Target.Plugin plugin -> plugins.run(plugin, call, row, trigger.timeout());
      case Target.Script script -> scripts.run(script, call, row, trigger.timeout());
      case Target.Log any -> ended(log.run(any, call, trigger.timeout()));
    };
  }

  private static Execution.Ended ended(Outcome outcome) {
    return new Execution.Ended.WithOutcome(outcome);
  }

  @Override
  public void close() {
    webhooks.close();
    transactions.close();
  }
}
