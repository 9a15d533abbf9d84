package dev.viesti.protocol.trigger;

import com.fasterxml.jackson.annotation.JsonProperty;

/** What becomes of the later deliveries of an ordering key when one is given up on. */
public enum OnFailure {
  /** They go on: the one that failed is a dead letter, and the next one runs. */
  @JsonProperty("skip")
  SKIP,
  /**
   * They become dead letters as well, without an attempt, until those are replayed (all of the key
   * together, in their old order) or resolved.
   */
  @JsonProperty("park")
  PARK,
  /**
   * They wait: the one that failed stays in the outbox, and nothing of its key runs, until somebody
   * retries or cancels it.
   */
  @JsonProperty("block")
  BLOCK
}
