package dev.viesti.protocol.handler;

import dev.viesti.protocol.delivery.Outcome;

/**
 * A Java function that runs deliveries of triggers whose target names it.
 *
 * <p>Called on a virtual thread, many at a time: implementations must be thread-safe and may block.
 * At least once per delivery; {@link HandlerCall#delivery()} is the same in every attempt. When the
 * trigger's timeout is over the thread is interrupted and the attempt counts as timed out, whatever
 * the handler returns later.
 */
@FunctionalInterface
public interface EventHandler {
  /**
   * @return how the attempt ended; {@link Outcome.Succeeded#PLAIN} when all is well
   * @throws Exception counts as {@link Outcome.Retryable} with the exception's text as reason
   */
  Outcome handle(HandlerCall call) throws Exception;
}
