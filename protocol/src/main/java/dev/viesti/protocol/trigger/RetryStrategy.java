package dev.viesti.protocol.trigger;

import com.fasterxml.jackson.annotation.JsonProperty;

/** How the delay grows with the attempts; see {@link RetryPolicy#after}. */
public enum RetryStrategy {
  @JsonProperty("exponential")
  EXPONENTIAL,
  @JsonProperty("linear")
  LINEAR,
  @JsonProperty("constant")
  CONSTANT
}
