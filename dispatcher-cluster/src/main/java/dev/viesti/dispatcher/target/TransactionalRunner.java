package dev.viesti.dispatcher.target;

import dev.viesti.dispatcher.execution.Execution;
import dev.viesti.protocol.delivery.Delivery;
import dev.viesti.protocol.handler.HandlerCall;

/** Runs attempts of handlers that settle their delivery themselves. Thread-safe; may block. */
public interface TransactionalRunner extends AutoCloseable {
  /** Whether this node has a transactional handler of that name. */
  boolean knows(String name);

  /**
   * @param row the delivery in the version that is settled
   * @throws InterruptedException when the execution was cancelled or its time was up: everything is
   *     rolled back
   */
  Execution.Ended run(String name, HandlerCall call, Delivery row) throws InterruptedException;

  @Override
  void close();
}
