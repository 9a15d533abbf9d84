package dev.viesti.dispatcher.commit;

import dev.viesti.dispatcher.TransactionalHandler;
import dev.viesti.dispatcher.execution.Execution.Ended;
import dev.viesti.dispatcher.target.TransactionalRunner;
import dev.viesti.persistence.SqlFailure;
import dev.viesti.persistence.outbox.EffectTransactions;
import dev.viesti.persistence.outbox.RowChange;
import dev.viesti.persistence.outbox.Settling;
import dev.viesti.protocol.delivery.Delivery;
import dev.viesti.protocol.delivery.Outcome;
import dev.viesti.protocol.handler.HandlerCall;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * Calls a handler in the transaction that settles its delivery. What the handler wrote becomes
 * visible exactly when the row goes, or never.
 */
public final class TransactionalHandlers implements TransactionalRunner {
  /** The pool of transactions is used up, or the database is away: soon it may not be. */
  private static final Duration NO_CONNECTION = Duration.ofMillis(250);

  /** A full disk takes somebody to make room. */
  private static final Duration NO_RESOURCES = Duration.ofSeconds(1);

  /** Libraries wrap an exception two or three times; a cause may even be its own. */
  private static final int CAUSES_MAX = 10;

  private final Map<String, TransactionalHandler> handlers;
  private final EffectTransactions transactions;

  public TransactionalHandlers(
      Map<String, TransactionalHandler> handlers, EffectTransactions transactions) {
    this.handlers = Map.copyOf(handlers);
    this.transactions = transactions;
  }

  @Override
  public boolean knows(String name) {
    return handlers.containsKey(name);
  }

  @Override
  public Ended run(String name, HandlerCall call, Delivery row) throws InterruptedException {
    TransactionalHandler handler = handlers.get(name);
    if (handler == null) {
      throw new IllegalArgumentException("no transactional handler '" + name + "'");
    }
    try (EffectTransactions.Effects effects = transactions.begin()) {
      Outcome outcome = handler.handle(call, effects.connection());
      if (Thread.interrupted()) {
        throw new InterruptedException("its time was up");
      }
      if (!(outcome instanceof Outcome.Succeeded)) {
        return new Ended.WithOutcome(
            outcome == null
                ? new Outcome.Retryable("handler '" + name + "' returned null")
                : outcome);
      }
      var settling = new Settling(call.app(), call.epoch(), List.of(new RowChange.Delete(row)));
      return switch (effects.commit(settling)) {
        case COMMITTED -> new Ended.Settled();
        case GONE -> new Ended.Gone();
        case FENCED -> new Ended.Fenced();
      };
    } catch (EffectTransactions.NoConnectionException away) {
      return new Ended.WithOutcome(
          new Outcome.Postponed(
              "no connection for its transaction: " + away.getMessage(), NO_CONNECTION));
    } catch (InterruptedException stop) {
      throw stop;
    } catch (Exception failed) {
      // the commit may have taken effect all the same: then the next attempt finds its row gone
      return new Ended.WithOutcome(
          isServersFault(failed)
              ? new Outcome.Postponed(failed.toString(), NO_RESOURCES)
              : new Outcome.Retryable(failed.toString()));
    }
  }

  /** A full disk says nothing about the delivery; whatever the handler uses may have wrapped it. */
  private static boolean isServersFault(Throwable failed) {
    Throwable cause = failed;
    for (int depth = 0; cause != null && depth < CAUSES_MAX; depth++) {
      if (cause instanceof SQLException sql && SqlFailure.isShortOfResources(sql)) {
        return true;
      }
      cause = cause.getCause();
    }
    return false;
  }

  @Override
  public void close() {
    transactions.close();
  }
}
