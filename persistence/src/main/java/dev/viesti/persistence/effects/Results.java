package dev.viesti.persistence.effects;

import dev.viesti.persistence.effects.Effects.Result;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** What became of the calls of a batch, each at its place. */
final class Results {
  private final @Nullable Result[] results;
  private boolean anyCommitted;

  Results(int calls) {
    this.results = new @Nullable Result[calls];
  }

  void put(Call.At at, Result result) {
    results[at.index()] = result;
    anyCommitted |= result instanceof Result.Committed;
  }

  boolean isCommitted(Call call) {
    return results[call.at().index()] instanceof Result.Committed;
  }

  boolean anyCommitted() {
    return anyCommitted;
  }

  /** When each call has one. */
  List<Result> all() {
    return Arrays.stream(results).map(Objects::requireNonNull).toList();
  }
}
