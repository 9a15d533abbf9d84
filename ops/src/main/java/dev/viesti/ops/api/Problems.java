package dev.viesti.ops.api;

import dev.viesti.dispatcher.Refusal;
import dev.viesti.dispatcher.RefusedException;
import dev.viesti.dispatcher.cloudevents.MalformedEventException;
import dev.viesti.dispatcher.cloudevents.TooLargeException;
import dev.viesti.ops.api.Problem.Kind;
import java.time.Duration;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Turns whatever ended a request into the problem that its sender sees. */
final class Problems {
  private static final Logger LOG = LoggerFactory.getLogger(Problems.class);

  private Problems() {}

  static Problem of(Throwable failure, String requestId) {
    Throwable cause = failure;
    while ((cause instanceof CompletionException || cause instanceof ExecutionException)
        && cause.getCause() != null) {
      cause = cause.getCause();
    }
    if (cause instanceof ProblemException problem) {
      return problem.problem();
    }
    if (cause instanceof RefusedException refused) {
      return of(refused.refusal());
    }
    if (cause instanceof MalformedEventException malformed) {
      Kind kind = malformed instanceof TooLargeException ? Kind.TOO_LARGE : Kind.MALFORMED;
      return Problem.at(kind, malformed.pointer(), String.valueOf(malformed.getMessage()));
    }
    if (cause instanceof TimeoutException) {
      String detail =
          "no answer in time; whether it took effect is not known: repeat it, events with the"
              + " same ids";
      return Problem.of(Kind.UNAVAILABLE, detail).with("Retry-After", "1");
    }
    LOG.error("request {} failed; its sender gets a 500", requestId, cause);
    return Problem.of(Kind.INTERNAL, "the log of this node says more about request " + requestId);
  }

  private static Problem of(Refusal refusal) {
    return switch (refusal) {
      case Refusal.NotFound none -> Problem.of(Kind.NOT_FOUND, none.detail());
      case Refusal.Invalid wrong -> Problem.at(Kind.INVALID, wrong.pointer(), wrong.detail());
      case Refusal.Malformed(var detail, var faults) ->
          Problem.of(
              Kind.INVALID,
              detail,
              faults.stream()
                  .map(fault -> new Problem.FieldError(fault.pointer(), fault.detail()))
                  .toList());
      case Refusal.CallFailed(var detail, var kind, var message) ->
          Problem.of(kindOf(kind), detail, new Problem.FailedCall(kind, message));
      case Refusal.Conflict conflict -> Problem.of(Kind.CONFLICT, conflict.detail());
      case Refusal.PreconditionFailed other ->
          Problem.of(Kind.PRECONDITION_FAILED, other.detail())
              .with("ETag", Call.etag(other.revision()));
      case Refusal.Unavailable later ->
          Problem.of(Kind.UNAVAILABLE, later.detail())
              .with("Retry-After", seconds(later.retryAfter()));
    };
  }

  /** Kinds of traps that nobody would handle differently share a type. */
  private static Kind kindOf(String call) {
    return switch (call) {
      case "error" -> Kind.PLUGIN_ERROR;
      case "init" -> Kind.PLUGIN_INIT_FAILED;
      case "fuel" -> Kind.PLUGIN_FUEL;
      case "conflict" -> Kind.PLUGIN_CONFLICT;
      case "timeout" -> Kind.PLUGIN_TIMEOUT;
      default -> Kind.PLUGIN_TRAP;
    };
  }

  /** Rounded up, and at least one: {@code Retry-After: 0} would invite a storm. */
  private static String seconds(Duration duration) {
    return Long.toString(Math.max(1, duration.plusSeconds(1).minusNanos(1).toSeconds()));
  }
}
