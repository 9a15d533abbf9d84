package dev.viesti.dispatcher;

import dev.viesti.dispatcher.app.App;
import dev.viesti.dispatcher.app.LocalApps;
import dev.viesti.dispatcher.outbox.Statements;
import dev.viesti.dispatcher.wire.Answer;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.event.Event;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding;

/**
 * Asks apps, wherever they are, and the database; turns refusals and silence into {@link
 * RefusedException}.
 */
final class AppCalls {
  private final ClusterSharding sharding;
  private final LocalApps locals;
  private final Duration timeout;
  private final Patience patience;
  private final Executor executor;
  private final BooleanSupplier stopping;

  /**
   * @param patience of {@code timeout}
   * @param executor runs what follows an answer, and statements: it may block
   * @param stopping whether this node leaves: apps are not asked through it any more
   */
  AppCalls(
      ClusterSharding sharding,
      LocalApps locals,
      Duration timeout,
      Patience patience,
      Executor executor,
      BooleanSupplier stopping) {
    this.sharding = sharding;
    this.locals = locals;
    this.timeout = timeout;
    this.patience = patience;
    this.executor = executor;
    this.stopping = stopping;
  }

  Executor executor() {
    return executor;
  }

  /** Runs a statement right here, where it may block. */
  <T> CompletionStage<T> read(Callable<T> statement) {
    return Statements.on(executor, statement)
        .handle(
            (result, failure) -> {
              if (failure instanceof SQLException away) {
                throw new RefusedException(
                    new Refusal.Unavailable(
                        "the database is not available: " + away.getMessage(),
                        Duration.ofSeconds(1)));
              }
              if (failure != null) {
                throw failure instanceof RuntimeException known
                    ? known
                    : new CompletionException(failure);
              }
              return result;
            });
  }

  /** Tells the app, wherever it is, and hears nothing. */
  void tell(AppId app, App.Command command) {
    sharding.entityRefFor(App.KEY, app.value()).tell(command);
  }

  /** Publishes: on the short way when the app's owner is on this node. */
  CompletableFuture<List<Receipt>> publish(AppId app, List<Event> events) {
    var reply = new Reply<List<Receipt>>(executor);
    if (!locals.publish(app, events, answer -> give(reply, answer))) {
      return ask(app, Answer.Accepted.class, replyTo -> new App.Publish(events, replyTo))
          .thenApply(Answer.Accepted::receipts);
    }
    patience.watch(reply, () -> silence(app, timeout));
    return reply;
  }

  private static void give(Reply<List<Receipt>> reply, Answer answer) {
    if (answer instanceof Answer.Refused(var refusal)) {
      reply.fail(new RefusedException(refusal));
    } else {
      reply.give(((Answer.Accepted) answer).receipts());
    }
  }

  private static <A extends Answer> void complete(
      CompletableFuture<A> result, Answer answer, Class<A> expected) {
    if (answer instanceof Answer.Refused(var refusal)) {
      result.completeExceptionally(new RefusedException(refusal));
    } else {
      result.complete(expected.cast(answer));
    }
  }

  private static RefusedException silence(AppId app, Duration patience) {
    return new RefusedException(
        new Refusal.Unavailable(
            "the owner of app '%s' did not answer within %d ms".formatted(app, patience.toMillis()),
            Duration.ofSeconds(1)));
  }

  /** The answer, which must be an {@code expected}. */
  <A extends Answer> CompletableFuture<A> ask(
      AppId app, Class<A> expected, Function<ActorRef<Answer>, App.Command> command) {
    return ask(app, expected, timeout, command);
  }

  <A extends Answer> CompletableFuture<A> ask(
      AppId app,
      Class<A> expected,
      Duration patience,
      Function<ActorRef<Answer>, App.Command> command) {
    if (stopping.getAsBoolean()) {
      // sharding that stops would keep the question, and the caller would wait until its time is up
      return CompletableFuture.failedFuture(
          new RefusedException(
              new Refusal.Unavailable("this node is stopping", Duration.ofSeconds(1))));
    }
    var result = new CompletableFuture<A>();
    // always the …Async form with an executor: Scala-backed stages start a thread per callback else
    sharding
        .entityRefFor(App.KEY, app.value())
        .<Answer>ask(command::apply, patience)
        .whenCompleteAsync(
            (answer, failure) -> {
              if (failure != null) {
                result.completeExceptionally(silence(app, patience));
              } else {
                complete(result, answer, expected);
              }
            },
            executor);
    return result;
  }
}
