package dev.viesti.dispatcher.target;

import dev.viesti.protocol.delivery.Outcome;
import dev.viesti.protocol.handler.HandlerCall;
import dev.viesti.protocol.trigger.Target;
import java.time.Duration;

/** Runs attempts for one kind of target. Thread-safe; may block, and must end when interrupted. */
@FunctionalInterface
public interface TargetRunner<T extends Target> {
  /**
   * @param timeout what is left for this attempt; the execution interrupts the thread soon after
   * @return how it ended; failures of the endpoint are outcomes, not exceptions
   * @throws InterruptedException when the execution was cancelled or its time was up
   */
  Outcome run(T target, HandlerCall call, Duration timeout) throws InterruptedException;
}
