package dev.viesti.persistence.plugin;

import dev.viesti.persistence.Database;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Modules by the SHA-256 of their content, in 64 hexadecimal digits, each once for all apps.
 * Thread-safe; every method blocks.
 */
public final class ArtifactRepository {
  /** The time of the last upload counts: see {@link #deleteUnused}. */
  private static final String PUT =
      """
      insert into plugin_artifact (sha256, bytes, size, created_at)
      values (?, ?, ?, now())
      on conflict (sha256) do update set created_at = excluded.created_at
      """;

  private static final String GET = "select bytes from plugin_artifact where sha256 = ?";

  private static final String DELETE_UNUSED =
      """
      delete from plugin_artifact
      where sha256 <> all (?) and created_at < now() - ? * interval '1 second'
      """;

  private final Database database;

  public ArtifactRepository(Database database) {
    this.database = database;
  }

  /** Keeps a module, which may be there already. Returns its hash. */
  public String put(byte[] module) throws SQLException {
    String sha256 = sha256(module);
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
        if (!sha256(module).equals(sha256)) {
          throw new IllegalStateException(
              "the module " + sha256 + " has other bytes in the database; upload it again");
        }
        return module;
      }
    }
  }

  /**
   * Deletes modules that no app uses.
   *
   * @param used hashes that some app names
   * @param age those uploaded more recently stay: their apps may not have named them yet
   * @return how many it were
   */
  public int deleteUnused(Set<String> used, Duration age) throws SQLException {
    try (Connection connection = database.connection();
        PreparedStatement statement = connection.prepareStatement(DELETE_UNUSED)) {
      Array hashes = connection.createArrayOf("text", used.toArray());
      statement.setArray(1, hashes);
      statement.setLong(2, age.toSeconds());
      return statement.executeUpdate();
    }
  }

  private static String sha256(byte[] module) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(module));
    } catch (NoSuchAlgorithmException impossible) {
      throw new AssertionError("every JDK has SHA-256", impossible);
    }
  }
}
