package dev.viesti.persistence.effects;

import dev.viesti.persistence.Database;
import dev.viesti.persistence.outbox.DeliveryRows;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.event.Payload;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Types;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * The values of an app, for reading and for changes that no plugin's call makes. Thread-safe; every
 * method blocks.
 */
public final class KvRepository {
  /**
   * A value.
   *
   * @param version one that it never had before and never has again
   */
  public record Value(Payload data, long version, Instant updatedAt) {}

  /** What a list says of a value. */
  public record Key(String key, long version, int bytes, Instant updatedAt) {}

  /** Longest page of {@link #list}: keys of 256 characters make 1 MiB. */
  public static final int PAGE_MAX = 1_000;

  /** As long as no key can be, of the last character that there is. */
  private static final String BEHIND_ALL =
      Character.toString(Character.MAX_CODE_POINT).repeat(KvLimits.NAME_MAX);

  private static final String GET =
      """
      select value, version, updated_at
      from kv
      where app_id = ? and collection = ? and key = ?
      """;

  /** The end of the prefix's range; without it the rest of the collection would be read. */
  private static final String LIST =
      """
      select key, version, octet_length(value), updated_at
      from kv
      where app_id = ? and collection = ? and key >= ? and key > ? and key < ?
      order by key
      limit ?
      """;

  private static final String PUT =
      """
      insert into kv as d (app_id, collection, key, value, expected, version, updated_at)
      values (?, ?, ?, ?, ?, nextval('viesti.kv_version'), now())
      on conflict (app_id, collection, key) do update
        set value = excluded.value, expected = -excluded.expected,
            version = nextval('viesti.kv_version'), updated_at = now()
        where excluded.expected is null or excluded.expected = d.version
      returning version
      """;

  private static final String REPLACE =
      """
      update kv
      set value = ?, expected = null, version = nextval('viesti.kv_version'), updated_at = now()
      where app_id = ? and collection = ? and key = ? and version = ?
      returning version
      """;

  private static final String DELETE =
      """
      delete from kv
      where app_id = ? and collection = ? and key = ? and (?::bigint is null or version = ?)
      """;

  private final Database database;

  public KvRepository(Database database) {
    this.database = database;
  }

  /**
   * Null when there is none.
   *
   * @throws IllegalArgumentException naming what no value can be called ({@link KvLimits})
   */
  public @Nullable Value get(AppId app, String collection, String key) throws SQLException {
    require(KvLimits.problem(collection, key, null));
    try (Connection connection = database.connection();
        PreparedStatement statement = connection.prepareStatement(GET)) {
      statement.setString(1, app.value());
      statement.setString(2, collection);
      statement.setString(3, key);
      try (ResultSet row = statement.executeQuery()) {
        return row.next()
            ? new Value(
                Payload.of(row.getBytes(1)),
                row.getLong(2),
                DeliveryRows.instant(row, "updated_at"))
            : null;
      }
    }
  }

  /**
   * Keys of a collection that begin with {@code prefix}, ordered by their UTF-8 bytes.
   *
   * @param after the last key of the page before; null for the first page
   * @param limit 1 to {@value #PAGE_MAX}
   * @throws IllegalArgumentException naming what is out of its bounds
   */
  public List<Key> list(
      AppId app, String collection, String prefix, @Nullable String after, int limit)
      throws SQLException {
    require(KvLimits.problem(collection, prefix.isEmpty() ? "any" : prefix, null));
    if (limit < 1 || limit > PAGE_MAX) {
      throw new IllegalArgumentException("limit is 1 to " + PAGE_MAX + ", not " + limit);
    }
    try (Connection connection = database.connection();
        PreparedStatement statement = connection.prepareStatement(LIST)) {
      statement.setString(1, app.value());
      statement.setString(2, collection);
      statement.setString(3, prefix);
      statement.setString(4, after == null ? "" : after);
      statement.setString(5, behind(prefix));
      statement.setInt(6, limit);
      List<Key> keys = new ArrayList<>();
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          keys.add(
              new Key(
                  row.getString(1),
                  row.getLong(2),
                  row.getInt(3),
                  DeliveryRows.instant(row, "updated_at")));
        }
      }
      return keys;
    }
  }

  /**
   * Puts a value.
   *
   * @param expected the version that is replaced, {@link Effects#ABSENT} for none; null takes
   *     effect whatever is there
   * @return its version now; empty when the expected one is not there
   * @throws IllegalArgumentException naming the field that is out of its bounds ({@link KvLimits})
   */
  public OptionalLong put(
      AppId app, String collection, String key, Payload value, @Nullable Long expected)
      throws SQLException {
    require(KvLimits.problem(collection, key, value));
    boolean replaces = expected != null && expected != Effects.ABSENT;
    try (Connection connection = database.connection();
        PreparedStatement statement = connection.prepareStatement(replaces ? REPLACE : PUT)) {
      int at = 0;
      if (replaces) {
        statement.setBytes(++at, value.bytes());
      }
      statement.setString(++at, app.value());
      statement.setString(++at, collection);
      statement.setString(++at, key);
      if (!replaces) {
        statement.setBytes(++at, value.bytes());
      }
      statement.setObject(++at, expected, Types.BIGINT);
      try (ResultSet row = statement.executeQuery()) {
        return row.next() ? OptionalLong.of(row.getLong(1)) : OptionalLong.empty();
      }
    }
  }

  /**
   * Deletes a value.
   *
   * @param expected its version; null takes any
   * @return whether there was one, in that version
   */
  public boolean delete(AppId app, String collection, String key, @Nullable Long expected)
      throws SQLException {
    require(KvLimits.problem(collection, key, null));
    try (Connection connection = database.connection();
        PreparedStatement statement = connection.prepareStatement(DELETE)) {
      statement.setString(1, app.value());
      statement.setString(2, collection);
      statement.setString(3, key);
      statement.setObject(4, expected, Types.BIGINT);
      statement.setObject(5, expected, Types.BIGINT);
      return statement.executeUpdate() > 0;
    }
  }

  private static void require(@Nullable String problem) {
    if (problem != null) {
      throw new IllegalArgumentException(problem);
    }
  }

  /**
   * What comes after all keys that begin with the prefix: its last character one further, where
   * there is one. In UTF-8, bytes sort as code points do.
   */
  static String behind(String prefix) {
    int end = prefix.length();
    while (end > 0) {
      int last = prefix.codePointBefore(end);
      end -= Character.charCount(last);
      if (last < Character.MAX_CODE_POINT) {
        int next = last + 1 == Character.MIN_SURROGATE ? Character.MAX_SURROGATE + 1 : last + 1;
        return prefix.substring(0, end) + Character.toString(next);
      }
    }
    return BEHIND_ALL;
  }
}
