package dev.viesti.persistence.outbox;

import dev.viesti.persistence.Database;
import dev.viesti.protocol.app.AppId;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * What keeps the tables of all apps in order: finds apps with work and no owner, forgets what is
 * old, empties an app that is deleted. Thread-safe; every method blocks.
 */
public final class HousekeepingRepository {
  /** Hops from app to app along the primary key: its cost is the number of apps, not of rows. */
  private static final String DUE_APPS =
      """
      with recursive waiting as (
        (select app_id from outbox where app_id > ? order by app_id limit 1)
        union all
        select (select o.app_id from outbox o where o.app_id > w.app_id order by o.app_id limit 1)
        from waiting w
        where w.app_id is not null
      )
      select w.app_id
      from waiting w
      where w.app_id is not null
        and (exists (select from outbox o where o.app_id = w.app_id and o.due_at <= ?)
          or exists (select from outbox o where o.app_id = w.app_id and o.due_at = 'infinity'))
      limit ?
      """;

  private static final String PURGE =
      """
      with %s, gone as (
        delete from outbox
        where ctid = any (array (
          select o.ctid from outbox o, owned where o.app_id = ? order by o.due_at, o.seq limit ?))
        returning 1
      ) select (select count(*) from gone) from owned
      """
          .formatted(Fence.OWNED);

  /**
   * A block range index is only ever read by a bitmap scan, which these connections have switched
   * off: without this the sweep reads every id that is remembered.
   */
  private static final String ALLOW_BITMAP_SCAN = "set local enable_bitmapscan = on";

  private static final String FORGET_IDS =
      """
      delete from idempotency_key
      where ctid = any (array (
        select ctid from idempotency_key where accepted_at < ? limit ?))
      """;

  private static final String FORGET_IDS_OF =
      """
      delete from idempotency_key
      where ctid = any (array (select ctid from idempotency_key where app_id = ? limit ?))
      """;

  private static final String FORGET_DEFERRED =
      """
      delete from deferred_delivery
      where (app_id, delivery_id) in (
        select app_id, delivery_id from deferred_delivery where due_at < ? order by due_at limit ?)
      """;

  private final Database database;

  public HousekeepingRepository(Database database) {
    this.database = database;
  }

  /**
   * Apps that have rows due at {@code now}, or rows of clients that are not routed, by id.
   *
   * @param after the last app of the page before; null for the first page
   */
  public List<AppId> dueApps(Instant now, @Nullable AppId after, int limit) throws SQLException {
    try (Connection connection = database.connection();
        PreparedStatement statement = connection.prepareStatement(DUE_APPS)) {
      statement.setString(1, after == null ? "" : after.value());
      statement.setObject(2, DeliveryRows.timestamp(now));
      statement.setInt(3, limit);
      List<AppId> apps = new ArrayList<>();
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          apps.add(new AppId(row.getString(1)));
        }
      }
      return apps;
    }
  }

  /**
   * Removes up to {@code limit} rows of an app that is being deleted.
   *
   * @return how many it were; empty when the epoch is not the owner's
   */
  public OptionalInt purge(AppId app, long epoch, int limit) throws SQLException {
    var fence = new Fence();
    fence.number(app, epoch);
    try (Connection connection = database.connection();
        PreparedStatement statement = connection.prepareStatement(PURGE)) {
      fence.bind(new SqlArrays(statement));
      statement.setString(3, app.value());
      statement.setInt(4, limit);
      try (ResultSet row = statement.executeQuery()) {
        return row.next() ? OptionalInt.of(row.getInt(1)) : OptionalInt.empty();
      }
    }
  }

  /** Forgets up to {@code limit} event ids that were accepted before {@code before}. */
  public int forgetIds(Instant before, int limit) throws SQLException {
    try (Connection connection = database.connection()) {
      connection.setAutoCommit(false);
      try (var allow = connection.prepareStatement(ALLOW_BITMAP_SCAN);
          var statement = connection.prepareStatement(FORGET_IDS)) {
        allow.execute();
        statement.setObject(1, DeliveryRows.timestamp(before));
        statement.setInt(2, limit);
        int forgotten = statement.executeUpdate();
        connection.commit();
        return forgotten;
      } catch (SQLException | RuntimeException failed) {
        connection.rollback();
        throw failed;
      } finally {
        connection.setAutoCommit(true);
      }
    }
  }

  /** Forgets up to {@code limit} event ids of an app that is being deleted. */
  public int forgetIdsOf(AppId app, int limit) throws SQLException {
    try (Connection connection = database.connection();
        PreparedStatement statement = connection.prepareStatement(FORGET_IDS_OF)) {
      statement.setString(1, app.value());
      statement.setInt(2, limit);
      return statement.executeUpdate();
    }
  }

  /**
   * Removes up to {@code limit} hints to deferred deliveries whose deadline was before {@code
   * before}.
   */
  public int forgetDeferred(Instant before, int limit) throws SQLException {
    try (Connection connection = database.connection();
        PreparedStatement statement = connection.prepareStatement(FORGET_DEFERRED)) {
      statement.setObject(1, DeliveryRows.timestamp(before));
      statement.setInt(2, limit);
      return statement.executeUpdate();
    }
  }
}
