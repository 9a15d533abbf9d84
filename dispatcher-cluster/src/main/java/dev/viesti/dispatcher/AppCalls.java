package dev.viesti.dispatcher;

import dev.viesti.dispatcher.app.App;
import dev.viesti.dispatcher.wire.Answer;
import dev.viesti.protocol.app.AppId;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.Function;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding;

/** Asks apps, wherever they are, and turns refusals and silence into {@link RefusedException}. */
final class AppCalls {
  private final ClusterSharding sharding;
  private final Duration timeout;
  private final Executor executor;

  /**
   * @param executor runs what follows an answer, and statements: it may block
   */
  AppCalls(ClusterSharding sharding, Duration timeout, Executor executor) {
    this.sharding = sharding;
    this.timeout = timeout;
    this.executor = executor;
  }

  Executor executor() {
    return executor;
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
    var result = new CompletableFuture<A>();
    // always the …Async form with an executor: Scala-backed stages start a thread per callback else
    sharding
        .entityRefFor(App.KEY, app.value())
        .<Answer>ask(command::apply, patience)
        .whenCompleteAsync(
            (answer, failure) -> {
              if (failure != null) {
                result.completeExceptionally(
                    new RefusedException(
                        new Refusal.Unavailable(
                            "the owner of app '%s' did not answer within %d ms"
                                .formatted(app, patience.toMillis()),
                            Duration.ofSeconds(1))));
              } else if (answer instanceof Answer.Refused(var refusal)) {
                result.completeExceptionally(new RefusedException(refusal));
              } else {
                result.complete(expected.cast(answer));
              }
            },
            executor);
    return result;
  }
}
