package dev.viesti.protocol.deadletter;

import com.fasterxml.jackson.annotation.JsonProperty;

/** How a dead letter was dealt with. The words are also those of the table. */
public enum Resolution {
  @JsonProperty("replayed")
  REPLAYED("replayed"),
  @JsonProperty("ignored")
  IGNORED("ignored"),
  @JsonProperty("handled_by_script")
  HANDLED_BY_SCRIPT("handled_by_script"),
  @JsonProperty("handler_failed")
  HANDLER_FAILED("handler_failed");

  private final String word;

  Resolution(String word) {
    this.word = word;
  }

  /** The word in JSON and in the table. */
  public String word() {
    return word;
  }

  /**
   * @throws IllegalArgumentException if no resolution has this word
   */
  public static Resolution of(String word) {
    for (Resolution resolution : values()) {
      if (resolution.word.equals(word)) {
        return resolution;
      }
    }
    throw new IllegalArgumentException(
        "a resolution is replayed, ignored, handled_by_script or handler_failed, not '"
            + word
            + "'");
  }
}
