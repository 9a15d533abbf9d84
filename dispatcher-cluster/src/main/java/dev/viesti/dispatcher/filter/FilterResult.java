package dev.viesti.dispatcher.filter;

/** What a filter says about an event. */
public sealed interface FilterResult {
  /** The event is for the trigger. */
  record Matched() implements FilterResult {}

  /** It is not. */
  record NotMatched() implements FilterResult {}

  /**
   * The filter could not be evaluated on this event: a field was missing, types did not fit, or it
   * used up its budget. Counts as not matched.
   *
   * @param reason for the operator, at most {@link EventFilter#REASON_MAX} characters
   */
  record Failed(String reason) implements FilterResult {}
}
