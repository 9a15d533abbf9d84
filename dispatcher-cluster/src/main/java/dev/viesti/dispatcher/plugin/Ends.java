package dev.viesti.dispatcher.plugin;

import dev.viesti.dispatcher.execution.Execution.Ended;
import dev.viesti.dispatcher.plugin.SandboxCalls.End;
import dev.viesti.protocol.delivery.Outcome;
import java.time.Duration;

/** What the end of a call means to whoever wanted it. */
final class Ends {
  /** An outage of the store may be over soon. */
  private static final Duration AWAY = Duration.ofMillis(250);

  /** What an error begins with when another attempt would fail as well. */
  private static final String PERMANENT = "permanent: ";

  private Ends() {}

  /** Of a call that was made for its own sake. */
  static CallEnd ofCall(End end) {
    return switch (end) {
      case End.Done(var reply, var settled) -> new CallEnd.Returned(reply);
      case End.Failed(var kind, var message) -> new CallEnd.Failed(kind, message);
      case End.Away(var why) -> new CallEnd.Unavailable(why);
      case End.Fenced() -> new CallEnd.Fenced();
      case End.Gone() -> new CallEnd.Fenced(); // only a delivery can be gone
    };
  }

  /**
   * Of an attempt of a delivery.
   *
   * @param timeout that it had
   */
  static Ended ofAttempt(End end, Duration timeout) {
    return switch (end) {
      case End.Done(var reply, var settled) ->
          settled ? new Ended.Settled() : new Ended.WithOutcome(Outcome.Succeeded.PLAIN);
      case End.Failed(var kind, var message) ->
          new Ended.WithOutcome(failed(kind, message, timeout));
      case End.Away(var why) -> new Ended.WithOutcome(new Outcome.Postponed(why, AWAY));
      case End.Fenced() -> new Ended.Fenced();
      case End.Gone() -> new Ended.Gone();
    };
  }

  private static Outcome failed(String kind, String message, Duration timeout) {
    return switch (kind) {
      case SandboxCalls.ERROR ->
          message.startsWith(PERMANENT)
              ? new Outcome.Permanent(message.substring(PERMANENT.length()))
              : new Outcome.Retryable(message);
      case SandboxCalls.REFUSED -> new Outcome.Permanent(message);
      case SandboxCalls.TIMEOUT -> new Outcome.TimedOut(timeout);
      default -> new Outcome.Retryable(kind + ": " + message);
    };
  }
}
