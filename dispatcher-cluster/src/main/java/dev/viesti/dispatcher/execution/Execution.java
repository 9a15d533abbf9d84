package dev.viesti.dispatcher.execution;

import dev.viesti.protocol.delivery.Outcome;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.PostStop;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/**
 * One attempt. Runs the work on a virtual thread of its own, reports exactly one outcome unless it
 * is cancelled, and stops. When the time is up it reports and interrupts: a thread that does not
 * listen runs on, and what it returns is ignored.
 */
public final class Execution {
  /** What an execution understands. */
  public sealed interface Command {}

  /** Interrupts the work; nothing will be reported. */
  public record Cancel() implements Command {}

  private record Ended(Outcome outcome) implements Command {}

  private record TimeUp() implements Command {}

  /** A target that watches the time itself knows better what it was waiting for: it goes first. */
  private static final Duration GRACE = Duration.ofMillis(200);

  private Execution() {}

  /**
   * @param timeout after which, and a short grace, the attempt counts as timed out
   * @param report called on the actor's thread: may only tell
   */
  public static Behavior<Command> create(
      String name, Callable<Outcome> work, Duration timeout, Consumer<Outcome> report) {
    return Behaviors.setup(
        context ->
            Behaviors.withTimers(
                timers -> {
                  Thread thread = start(context, name, work);
                  timers.startSingleTimer(new TimeUp(), timeout.plus(GRACE));
                  return running(thread, timeout, report);
                }));
  }

  private static Thread start(ActorContext<Command> context, String name, Callable<Outcome> work) {
    var self = context.getSelf();
    return Thread.ofVirtual()
        .name(name)
        .start(
            () -> {
              Outcome outcome;
              try {
                outcome = work.call();
              } catch (InterruptedException cancelled) {
                outcome = new Outcome.Retryable("interrupted");
              } catch (Exception failed) {
                outcome = new Outcome.Retryable(describe(failed));
              } catch (StackOverflowError | AssertionError | LinkageError broken) {
                outcome = new Outcome.Retryable(describe(broken));
              }
              self.tell(new Ended(outcome));
            });
  }

  private static Behavior<Command> running(
      Thread thread, Duration timeout, Consumer<Outcome> report) {
    return Behaviors.receive(Command.class)
        .onAnyMessage(
            command -> {
              switch (command) {
                case Ended(var outcome) -> report.accept(outcome);
                case TimeUp() -> report.accept(new Outcome.TimedOut(timeout));
                case Cancel() -> {} // whoever cancels does not want to hear of it
              }
              return Behaviors.stopped();
            })
        .onSignal(
            PostStop.class,
            stopped -> {
              thread
                  .interrupt(); // also when the owner stops; without effect on a thread that ended
              return Behaviors.same();
            })
        .build();
  }

  private static String describe(Throwable failed) {
    String message = failed.getMessage();
    return message == null || message.isBlank()
        ? failed.getClass().getName()
        : failed.getClass().getSimpleName() + ": " + message;
  }
}
