package dev.viesti.ops.bench;

import java.io.Serial;
import java.util.List;

/** The given database is somebody's: its rows would be run, and its figures spoilt. */
public final class ForeignAppsException extends RuntimeException {
  @Serial private static final long serialVersionUID = 1L;

  /**
   * @param apps some of them
   */
  ForeignAppsException(List<String> apps) {
    super(
        ("the database holds apps that bench has not made (%s): its load and theirs would mix, and"
                + " nothing was written. Give an empty database (createdb viesti_bench), or leave"
                + " --database-url out: bench then brings a PostgreSQL of its own")
            .formatted(String.join(", ", apps)));
  }
}
