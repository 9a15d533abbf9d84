package dev.viesti.persistence.effects;

import dev.viesti.persistence.Database;
import dev.viesti.persistence.SqlFailure;
import dev.viesti.persistence.outbox.DeliveryRows;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.plugin.EntityType;
import dev.viesti.protocol.plugin.PluginId;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Reads entities. Every statement names the app, and none finds what is deleted. Thread-safe; every
 * method blocks.
 */
public final class EntityRepository {
  /**
   * An entity.
   *
   * @param json its fields
   */
  public record Entity(
      UUID id,
      long version,
      String json,
      Instant createdAt,
      String createdBy,
      Instant updatedAt,
      String updatedBy) {}

  /**
   * Rows of a query.
   *
   * @param cursor for the page that follows; null when none does
   */
  public record Page(List<Entity> entities, @Nullable String cursor) {}

  /**
   * What a caller has changed and not written yet; a query with it finds what it would find if that
   * were written.
   *
   * @param touched ids of all that it has changed
   * @param there those of them that are not deleted, as they are for the caller
   */
  public record Unwritten(Set<UUID> touched, List<Entity> there) {
    public static final Unwritten NOTHING = new Unwritten(Set.of(), List.of());

    boolean isEmpty() {
      return touched.isEmpty();
    }
  }

  private static final String GET =
      """
      select d.id, d.version, d.created_at, d.created_by, d.updated_at, d.updated_by, d.data::text
      from plugin_entity d
      where d.app_id = ? and d.plugin_id = ? and d.entity = ? and d.id = ? and d.deleted_at is null
      """;

  private static final int COLUMNS = 7;

  /** A page ends after the entity that takes it to this, so that a few calls cannot fill a heap. */
  private static final long PAGE_CHARACTERS_MAX = 1 << 20;

  /** At 256 KiB each, 2 MiB on their way from the server. */
  private static final int FETCH_ROWS = 8;

  private final Database database;

  public EntityRepository(Database database) {
    this.database = database;
  }

  /** Null when there is none. */
  public @Nullable Entity get(AppId app, PluginId plugin, String entity, UUID id)
      throws SQLException {
    try (Connection connection = database.connection();
        PreparedStatement statement = connection.prepareStatement(GET)) {
      statement.setString(1, app.value());
      statement.setString(2, plugin.value());
      statement.setString(3, entity);
      statement.setObject(4, id);
      try (ResultSet row = statement.executeQuery()) {
        return row.next() ? entity(row) : null;
      }
    }
  }

  /** Whether a reference leads to an entity now; nothing keeps it from being deleted afterwards. */
  public boolean exists(AppId app, PluginId plugin, String entity, UUID id) throws SQLException {
    return get(app, plugin, entity, id) != null;
  }

  /** As the longer one, for who has changed nothing. */
  public Page query(AppId app, PluginId plugin, EntityType type, EntityQuery query)
      throws SQLException {
    return query(app, plugin, type, query, Unwritten.NOTHING);
  }

  /**
   * A page of entities. Pages that follow each other neither repeat nor leave out an entity that is
   * there all the time and does not change.
   *
   * @throws InvalidQueryException naming the part that does not fit the type
   */
  public Page query(
      AppId app, PluginId plugin, EntityType type, EntityQuery query, Unwritten unwritten)
      throws SQLException {
    var prepared = new EntityStatement(app, plugin, type, query, unwritten);
    try (Connection connection = database.connection()) {
      connection.setAutoCommit(false); // else the driver takes all rows at once
      try (PreparedStatement statement = prepared.prepare(connection)) {
        statement.setFetchSize(FETCH_ROWS);
        return page(statement, query);
      } finally {
        connection.rollback();
        connection.setAutoCommit(true);
      }
    } catch (SQLException failed) {
      if (query.cursor() != null && SqlFailure.of(failed) == SqlFailure.REFUSED) {
        // the other values were checked before
        var wrong = EntityCursor.wrong();
        wrong.addSuppressed(failed);
        throw wrong;
      }
      throw failed;
    }
  }

  private static Page page(PreparedStatement statement, EntityQuery query) throws SQLException {
    List<Entity> entities = new ArrayList<>();
    String cursor = null;
    long characters = 0;
    try (ResultSet row = statement.executeQuery()) {
      while (row.next()) {
        if (cursor != null) {
          return new Page(entities, cursor);
        }
        Entity entity = entity(row);
        entities.add(entity);
        characters += entity.json().length();
        if (entities.size() == query.limit() || characters >= PAGE_CHARACTERS_MAX) {
          cursor = cursor(row, query);
        }
      }
      return new Page(entities, null);
    }
  }

  private static String cursor(ResultSet row, EntityQuery query) throws SQLException {
    List<@Nullable String> values = new ArrayList<>();
    for (int i = 1; i <= query.sort().size(); i++) {
      values.add(row.getString(COLUMNS + i));
    }
    return new EntityCursor(values, row.getObject(1, UUID.class)).encode(query.sort());
  }

  private static Entity entity(ResultSet row) throws SQLException {
    return new Entity(
        row.getObject(1, UUID.class),
        row.getLong(2),
        row.getString(7),
        DeliveryRows.instant(row, "created_at"),
        row.getString(4),
        DeliveryRows.instant(row, "updated_at"),
        row.getString(6));
  }
}
