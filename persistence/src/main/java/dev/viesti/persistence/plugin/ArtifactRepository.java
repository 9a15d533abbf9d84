package dev.viesti.persistence.plugin;

import dev.viesti.persistence.Database;
import dev.viesti.protocol.plugin.Sha256;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Modules by the SHA-256 of their content, in 64 hexadecimal digits, each once for all apps.
 * Thread-safe; every method blocks.
 */
public final class ArtifactRepository {
  /** The time of the last upload counts: see {@link #sweep}. */
  private static final String PUT =
      """
      insert into plugin_artifact (sha256, bytes, size, created_at)
      values (?, ?, ?, now())
      on conflict (sha256) do update set created_at = excluded.created_at
      """;

  private static final String GET = "select bytes from plugin_artifact where sha256 = ?";

  /** An upload, or a use that is written down, at the same time makes it pass a module over. */
  private static final String SWEEP =
      """
      delete from plugin_artifact
      where uses_known
        and created_at < now() - ? * interval '1 second'
        and sha256 = any (array (
          select a.sha256
          from plugin_artifact a
          where a.uses_known
            and a.created_at < now() - ? * interval '1 second'
            and not exists (select from module_use u where u.sha256 = a.sha256)
          limit ?))
      """;

  private final Database database;

  public ArtifactRepository(Database database) {
    this.database = database;
  }

  /** Keeps a module, which may be there already. Returns its hash. */
  public String put(byte[] module) throws SQLException {
    String sha256 = Sha256.hex(module);
    try (Connection connection = database.connection();
        PreparedStatement statement = connection.prepareStatement(PUT)) {
      statement.setString(1, sha256);
      statement.setBytes(2, module);
      statement.setInt(3, module.length);
      statement.executeUpdate();
    }
    return sha256;
  }

  /**
   * Null when there is none.
   *
   * @throws IllegalStateException when the bytes are not those that were put: somebody changed them
   */
  public byte @Nullable [] get(String sha256) throws SQLException {
    try (Connection connection = database.connection();
        PreparedStatement statement = connection.prepareStatement(GET)) {
      statement.setString(1, sha256);
      try (ResultSet row = statement.executeQuery()) {
        if (!row.next()) {
          return null;
        }
        byte[] module = row.getBytes(1);
        if (!Sha256.hex(module).equals(sha256)) {
          throw new IllegalStateException(
              "the module " + sha256 + " has other bytes in the database; upload it again");
        }
        return module;
      }
    }
  }

  /**
   * Deletes up to {@code limit} modules that no app uses; see {@link ModuleUseRepository}. Those
   * from before uses were written down stay.
   *
   * @param age those uploaded or taken into use more recently stay, so that who has just uploaded
   *     one has time to use it
   * @return how many it were
   */
  public int sweep(Duration age, int limit) throws SQLException {
    try (Connection connection = database.connection();
        PreparedStatement statement = connection.prepareStatement(SWEEP)) {
      statement.setLong(1, age.toSeconds());
      statement.setLong(2, age.toSeconds());
      statement.setInt(3, limit);
      return statement.executeUpdate();
    }
  }
}
