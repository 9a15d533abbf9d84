package dev.viesti.dispatcher.outbox;

import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;

/** Runs statements where they may block. */
public final class Statements {
  private Statements() {}

  /** The result of {@code statement}, or its exception, once {@code executor} has run it. */
  public static <T> CompletableFuture<T> on(Executor executor, Callable<T> statement) {
    var result = new CompletableFuture<T>();
    executor.execute(
        () -> {
          try {
            result.complete(statement.call());
          } catch (Exception failed) {
            result.completeExceptionally(failed);
          }
        });
    return result;
  }
}
