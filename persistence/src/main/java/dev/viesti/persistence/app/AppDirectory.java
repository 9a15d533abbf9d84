package dev.viesti.persistence.app;

import dev.viesti.persistence.Database;
import dev.viesti.persistence.outbox.DeliveryRows;
import dev.viesti.protocol.app.AppId;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Statements on {@code app}. Thread-safe; every method blocks. */
public final class AppDirectory {
  /** One line of the directory. */
  public record Line(
      AppId app,
      @Nullable String displayName,
      boolean paused,
      Instant createdAt,
      Instant updatedAt) {}

  private static final String PUT =
      """
      insert into app (app_id, display_name, paused, created_at, updated_at)
      values (?, ?, ?, ?, ?)
      on conflict (app_id) do update
        set display_name = excluded.display_name, paused = excluded.paused,
            created_at = excluded.created_at, updated_at = excluded.updated_at
      """;

  private static final String REMOVE = "delete from app where app_id = ?";

  private static final String LIST =
      """
      select app_id, display_name, paused, created_at, updated_at
      from app
      where app_id > ?
      order by app_id
      limit ?
      """;

  private final Database database;

  public AppDirectory(Database database) {
    this.database = database;
  }

  public void put(Line line) throws SQLException {
    try (Connection connection = database.connection();
        PreparedStatement statement = connection.prepareStatement(PUT)) {
      statement.setString(1, line.app().value());
      statement.setString(2, line.displayName());
      statement.setBoolean(3, line.paused());
      statement.setObject(4, DeliveryRows.timestamp(line.createdAt()));
      statement.setObject(5, DeliveryRows.timestamp(line.updatedAt()));
      statement.executeUpdate();
    }
  }

  public void remove(AppId app) throws SQLException {
    try (Connection connection = database.connection();
        PreparedStatement statement = connection.prepareStatement(REMOVE)) {
      statement.setString(1, app.value());
      statement.executeUpdate();
    }
  }

  /** Lines by app id, after {@code after}. */
  public List<Line> list(@Nullable AppId after, int limit) throws SQLException {
    try (Connection connection = database.connection();
        PreparedStatement statement = connection.prepareStatement(LIST)) {
      statement.setString(1, after == null ? "" : after.value());
      statement.setInt(2, limit);
      List<Line> lines = new ArrayList<>();
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          lines.add(
              new Line(
                  new AppId(row.getString("app_id")),
                  row.getString("display_name"),
                  row.getBoolean("paused"),
                  DeliveryRows.instant(row, "created_at"),
                  DeliveryRows.instant(row, "updated_at")));
        }
      }
      return lines;
    }
  }
}
