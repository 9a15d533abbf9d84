package dev.viesti.dispatcher.outbox;

import dev.viesti.protocol.app.AppId;
import java.time.Instant;
import java.util.concurrent.Callable;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.apache.pekko.japi.function.Function2;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;

/**
 * What the parts of one outbox share: its actor and the ways to reach it, its node, its app. For
 * the actor's thread only, but for {@code posts}, {@code owners} and {@code app}.
 */
record OutboxParts(
    ActorContext<Outbox.Command> context,
    TimerScheduler<Outbox.Command> timers,
    PostBox posts,
    Owners owners,
    AppId app,
    OutboxParent parent,
    TurnClock time) {
  OutboxSettings settings() {
    return owners.settings();
  }

  /** The time of this turn. */
  Instant now() {
    return time.now();
  }

  /** Nanoseconds that nobody corrects, at this moment; only differences mean something. */
  long ticks() {
    return owners.ticker().getAsLong();
  }

  Logger log() {
    return context.getLog();
  }

  /** Runs a statement where it may block; its result or its failure comes as a command. */
  <T> void ask(Callable<T> statement, Function2<T, Throwable, Outbox.Command> news) {
    context.pipeToSelf(Statements.on(owners.blocking(), statement), news);
  }

  /** For a log line or an answer. */
  static String why(@Nullable Throwable failure) {
    return failure == null ? "no reason given" : String.valueOf(failure.getMessage());
  }
}
