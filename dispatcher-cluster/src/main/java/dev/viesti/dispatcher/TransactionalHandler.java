package dev.viesti.dispatcher;

import dev.viesti.protocol.delivery.Outcome;
import dev.viesti.protocol.handler.EventHandler;
import dev.viesti.protocol.handler.HandlerCall;
import java.sql.Connection;

/**
 * A Java function whose writes and the settling of its delivery are one transaction: exactly one
 * effect per delivery, whatever crashes when.
 *
 * <p>Called like an {@link EventHandler}, with the connection of a transaction that was just begun.
 * When it answers {@link Outcome.Succeeded}, the delivery is settled on that connection and the
 * transaction is committed; if that is not possible (the delivery was settled before, the app has
 * another owner now, the database is away) everything is rolled back. Every other outcome, an
 * exception and the trigger's timeout roll back as well, and the attempt ends as the outcome says.
 *
 * <p>It may be <em>called</em> more than once for a delivery; only one call can take effect. The
 * connection is good for the length of the call. It is read committed, with no search path of
 * Viesti's, and refuses {@code commit}, {@code rollback}, {@code setAutoCommit}, {@code close} and
 * {@code unwrap}; savepoints are fine.
 */
@FunctionalInterface
public interface TransactionalHandler {
  /**
   * @return how the attempt ended; {@link Outcome.Succeeded#PLAIN} when all is well
   * @throws Exception counts as {@link Outcome.Retryable} with the exception's text as reason
   */
  Outcome handle(HandlerCall call, Connection connection) throws Exception;
}
