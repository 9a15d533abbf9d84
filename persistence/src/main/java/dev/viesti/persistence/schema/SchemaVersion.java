package dev.viesti.persistence.schema;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * One migration, as the code and the database know it.
 *
 * @param name its file
 * @param appliedAt by the database's clock, null = pending
 */
public record SchemaVersion(int version, String name, @Nullable Instant appliedAt) {
  public boolean isPending() {
    return appliedAt == null;
  }
}
