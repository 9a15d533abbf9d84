package dev.viesti.dispatcher.target;

import dev.viesti.dispatcher.execution.Execution;
import dev.viesti.protocol.delivery.Delivery;
import dev.viesti.protocol.handler.HandlerCall;
import dev.viesti.protocol.trigger.Target;
import java.time.Duration;

/**
 * Runs attempts of scripts, which settle their delivery together with their effects. Thread-safe;
 * may block.
 */
@FunctionalInterface
public interface ScriptRunner {
  /**
   * @param row the delivery in the version that is settled
   * @param timeout what is left for this attempt
   * @throws InterruptedException when the execution was cancelled or its time was up: nothing has
   *     taken effect
   */
  Execution.Ended run(Target.Script target, HandlerCall call, Delivery row, Duration timeout)
      throws InterruptedException;
}
