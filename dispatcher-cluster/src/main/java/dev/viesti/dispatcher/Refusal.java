package dev.viesti.dispatcher;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import java.time.Duration;

/** Why Viesti will not do what was asked. */
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "kind")
@JsonSubTypes({
  @JsonSubTypes.Type(value = Refusal.NotFound.class, name = "not-found"),
  @JsonSubTypes.Type(value = Refusal.Invalid.class, name = "invalid"),
  @JsonSubTypes.Type(value = Refusal.Conflict.class, name = "conflict"),
  @JsonSubTypes.Type(value = Refusal.PreconditionFailed.class, name = "precondition-failed"),
  @JsonSubTypes.Type(value = Refusal.Unavailable.class, name = "unavailable")
})
public sealed interface Refusal {
  /** One sentence for people: what is wrong and, where there is one, the next step. */
  String detail();

  /** There is no such app, trigger, delivery or dead letter. */
  record NotFound(String detail) implements Refusal {}

  /**
   * A value is wrong in a way that only the owner can see (a filter that does not compile, a
   * handler that no node has, a URL that points into a private network).
   *
   * @param pointer JSON Pointer of the field in the body that was sent
   */
  record Invalid(String pointer, String detail) implements Refusal {}

  /** The thing is not in a state in which this can be done. */
  record Conflict(String detail) implements Refusal {}

  /** It has another revision than the one that was expected. */
  record PreconditionFailed(long revision) implements Refusal {
    @Override
    public String detail() {
      return "the revision is now " + revision + ": read it again, then repeat the change";
    }
  }

  /** Not now: the database is away, a takeover is under way, or the app is over its limit. */
  record Unavailable(String detail, Duration retryAfter) implements Refusal {}
}
