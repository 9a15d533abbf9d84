package dev.viesti.dispatcher.plugin.manifest;

import java.util.List;
import java.util.stream.Collectors;

/** What came in is no manifest; says everything that is wrong with it, for its author. */
public final class MalformedManifestException extends Exception {
  private static final long serialVersionUID = 1L;

  /** The message is for a log line: whoever shows faults shows the list. */
  private static final int IN_MESSAGE_MAX = 3;

  private final transient List<Fault> faults;

  /** Takes at least one. */
  public MalformedManifestException(List<Fault> faults) {
    // An author can cause these at will: without a stack trace they cost little.
    super(summary(faults), null, false, false);
    this.faults = List.copyOf(faults);
  }

  /** At least one, at most 100, in the order of the text. */
  public List<Fault> faults() {
    return faults;
  }

  private static String summary(List<Fault> faults) {
    String first =
        faults.stream()
            .limit(IN_MESSAGE_MAX)
            .map(Fault::toString)
            .collect(Collectors.joining("; "));
    int rest = faults.size() - IN_MESSAGE_MAX;
    return rest > 0 ? first + "; and " + rest + " more" : first;
  }
}
