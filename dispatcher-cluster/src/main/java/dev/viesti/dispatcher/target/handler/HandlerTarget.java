package dev.viesti.dispatcher.target.handler;

import dev.viesti.dispatcher.target.TargetRunner;
import dev.viesti.protocol.delivery.Outcome;
import dev.viesti.protocol.handler.EventHandler;
import dev.viesti.protocol.handler.HandlerCall;
import dev.viesti.protocol.trigger.Target;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;

/** Calls the handler of this node that has the target's name. */
public final class HandlerTarget implements TargetRunner<Target.Handler> {
  private final Map<String, EventHandler> handlers;

  public HandlerTarget(Map<String, EventHandler> handlers) {
    this.handlers = Map.copyOf(handlers);
  }

  /** Whether this node has a handler of that name. */
  public boolean knows(String name) {
    return handlers.containsKey(name);
  }

  @Override
  public Outcome run(Target.Handler target, HandlerCall call, Duration timeout)
      throws InterruptedException {
    EventHandler handler = handlers.get(target.name());
    if (handler == null) {
      return new Outcome.Retryable(
          "this node has no handler named '%s': register it on every node of the cluster"
              .formatted(target.name()));
    }
    try {
      Outcome outcome = handler.handle(call);
      return Objects.requireNonNullElse(
          outcome, new Outcome.Retryable("handler '" + target.name() + "' returned null"));
    } catch (InterruptedException stop) {
      throw stop;
    } catch (Exception failed) {
      return new Outcome.Retryable(failed.toString());
    }
  }
}
