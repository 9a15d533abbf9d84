package dev.viesti.dispatcher;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import java.time.Duration;
import java.util.List;

/** Why Viesti will not do what was asked. */
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "kind")
@JsonSubTypes({
  @JsonSubTypes.Type(value = Refusal.NotFound.class, name = "not-found"),
  @JsonSubTypes.Type(value = Refusal.Invalid.class, name = "invalid"),
  @JsonSubTypes.Type(value = Refusal.Malformed.class, name = "malformed"),
  @JsonSubTypes.Type(value = Refusal.CallFailed.class, name = "call-failed"),
  @JsonSubTypes.Type(value = Refusal.Conflict.class, name = "conflict"),
  @JsonSubTypes.Type(value = Refusal.PreconditionFailed.class, name = "precondition-failed"),
  @JsonSubTypes.Type(value = Refusal.Unavailable.class, name = "unavailable")
})
public sealed interface Refusal {
  /** One sentence for people: what is wrong and, where there is one, the next step. */
  String detail();

  /** There is no such app, trigger, plugin, value, delivery or dead letter. */
  record NotFound(String detail) implements Refusal {}

  /**
   * A value is wrong in a way that only the owner can see (a filter that does not compile, a
   * handler that no node has, a URL that points into a private network).
   *
   * @param pointer JSON Pointer of the field in the body that was sent
   */
  record Invalid(String pointer, String detail) implements Refusal {}

  /** One of several things that are wrong; see {@link Invalid}. */
  record Fault(String pointer, String detail) {}

  /**
   * Values are wrong, and these are all of them: whoever wrote them need not come back for each.
   *
   * @param detail what it is that they make unusable
   */
  record Malformed(String detail, List<Fault> faults) implements Refusal {}

  /**
   * What was asked for is a call of a plugin, and it failed: nothing of it has taken effect.
   *
   * @param kind as of {@link dev.viesti.dispatcher.plugin.CallEnd.Failed}
   * @param message what the plugin, or the sandbox, says of it
   */
  record CallFailed(String detail, String kind, String message) implements Refusal {}

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
