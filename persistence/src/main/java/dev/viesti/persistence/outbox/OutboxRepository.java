package dev.viesti.persistence.outbox;

import dev.viesti.persistence.Database;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.delivery.Delivery;
import dev.viesti.protocol.delivery.DeliveryId;
import dev.viesti.protocol.delivery.OrderKey;
import dev.viesti.protocol.trigger.TriggerId;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Types;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/** Statements on {@code outbox} and {@code outbox_owner}. Thread-safe; every method blocks. */
public final class OutboxRepository {
  /** Row numbers that one {@code nextval} hands out; the sequence's increment. */
  public static final int SEQ_BLOCK = 1_000;

  /**
   * Rows that the driver holds at a time while a page is read, so that a page is bounded by its
   * bytes: so many of any size, and more once they have turned out to be small.
   */
  private static final int FETCH_ROWS = 64;

  private static final int FETCH_ROWS_MAX = 1_024;

  /** Larger pieces save no more round trips that count. */
  private static final long FETCH_BYTES = 512 << 10;

  private static final String CLAIM =
      """
      insert into outbox_owner as o (app_id, epoch, node, since)
      values (?, 1, ?, now())
      on conflict (app_id) do update
        set epoch = o.epoch + 1, node = excluded.node, since = excluded.since,
            crashes = case when o.node is null then 0 else o.crashes + 1 end
      returning epoch, nextval('outbox_seq'), crashes
      """;

  private static final String RENEW =
      """
      update outbox_owner
      set epoch = epoch + 1, since = now()
      where app_id = ? and epoch = ?
      returning epoch
      """;

  private static final String RELEASE =
      """
      update outbox_owner
      set node = null
      where app_id = ? and epoch = ?
      """;

  private static final String COUNT =
      """
      select count(*)
      from (select from outbox where app_id = ? and due_at < 'infinity' limit ?) as counted
      """;

  private static final String AT_ONCE =
      """
      select %s
      from outbox
      where app_id = ? and due_at = '-infinity' and seq > ?
        and trigger_id is not null
      order by seq
      limit ?
      """
          .formatted(DeliveryRows.COLUMNS);

  private static final String SCHEDULED =
      """
      select %s
      from outbox
      where app_id = ? and due_at > '-infinity' and due_at <= ? and (due_at, seq) > (?, ?)
        and trigger_id is not null
      order by outbox.due_at, seq
      limit ?
      """
          .formatted(DeliveryRows.COLUMNS);

  private static final String ORDERED =
      """
      select %s
      from outbox
      where app_id = ? and due_at > '-infinity' and due_at < 'infinity' and (due_at, seq) > (?, ?)
        and ordering_key is not null and trigger_id is not null
        and (attempt > 0 or last_error is not null or running_since is not null)
      order by outbox.due_at, seq
      limit ?
      """
          .formatted(DeliveryRows.COLUMNS);

  private static final String NEXT_DUE =
      """
      select due_at
      from outbox
      where app_id = ? and due_at > ? and due_at < 'infinity'
      order by due_at
      limit 1
      """;

  private static final String LIST =
      """
      select %s
      from outbox
      where app_id = ? and (due_at, seq) > (coalesce(?::timestamptz, '-infinity'), ?)
        and due_at < 'infinity' and trigger_id is not null
        and (?::text is null or trigger_id = ?)
      order by outbox.due_at, seq
      limit ?
      """
          .formatted(DeliveryRows.COLUMNS);

  /**
   * The same derivation as {@link DeliveryId#of}; its first 12 hex digits carry no version bits.
   */
  private static final String FIND =
      """
      select %s
      from outbox
      where app_id = ? and trigger_id is not null
        and substr(encode(sha256(
              int4send(36) || convert_to(event_id::text, 'UTF8')
              || int4send(octet_length(trigger_id)) || convert_to(trigger_id, 'UTF8')),
            'hex'), 1, 12) = ?
      """
          .formatted(DeliveryRows.COLUMNS);

  /** The row that a hint points at; the caller checks whether it is the one. */
  private static final String FIND_DEFERRED =
      """
      select %s
      from outbox
      where app_id = ?
        and due_at = (select due_at from deferred_delivery where app_id = ? and delivery_id = ?)
        and seq = (select seq from deferred_delivery where app_id = ? and delivery_id = ?)
      """
          .formatted(DeliveryRows.COLUMNS);

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
      with %s
      delete from outbox
      where ctid = any (array (
        select o.ctid from outbox o, owned where o.app_id = ? order by o.due_at, o.seq limit ?))
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

  private static final String PARKED_KEYS =
      """
      select distinct trigger_id, ordering_key
      from dead_letter
      where app_id = ? and resolved_at is null and ordering_key is not null
        and trigger_id = any (?)
      """;

  private static final String FORGET_DEFERRED =
      """
      delete from deferred_delivery
      where (app_id, delivery_id) in (
        select app_id, delivery_id from deferred_delivery where due_at < ? order by due_at limit ?)
      """;

  private static final String FORGET_IDS_OF =
      """
      delete from idempotency_key
      where ctid = any (array (select ctid from idempotency_key where app_id = ? limit ?))
      """;

  private final Database database;

  public OutboxRepository(Database database) {
    this.database = database;
  }

  /**
   * Makes {@code node} the owner: waits for the statements of the owner before to end, after which
   * none of them can take effect any more.
   *
   * @param pendingMax how far to count the rows that wait
   */
  public Claim claim(AppId app, String node, long pendingMax) throws SQLException {
    try (Connection connection = database.connection()) {
      long epoch;
      long seq;
      int crashes;
      try (PreparedStatement statement = connection.prepareStatement(CLAIM)) {
        statement.setString(1, app.value());
        statement.setString(2, node);
        try (ResultSet row = statement.executeQuery()) {
          row.next();
          epoch = row.getLong(1);
          seq = row.getLong(2);
          crashes = row.getInt(3);
        }
      }
      try (PreparedStatement statement = connection.prepareStatement(COUNT)) {
        statement.setString(1, app.value());
        statement.setLong(2, pendingMax);
        try (ResultSet row = statement.executeQuery()) {
          row.next();
          return new Claim(epoch, seq, row.getLong(1), crashes);
        }
      }
    }
  }

  /**
   * Takes the next epoch while still being the owner: afterwards no statement that was under way
   * with the old one can take effect.
   *
   * @return empty when somebody else is the owner
   */
  public OptionalLong renew(AppId app, long epoch) throws SQLException {
    try (Connection connection = database.connection();
        PreparedStatement statement = connection.prepareStatement(RENEW)) {
      statement.setString(1, app.value());
      statement.setLong(2, epoch);
      try (ResultSet row = statement.executeQuery()) {
        return row.next() ? OptionalLong.of(row.getLong(1)) : OptionalLong.empty();
      }
    }
  }

  /** Says that nobody owns the outbox now: for people who look; the epoch stays. */
  public void release(AppId app, long epoch) throws SQLException {
    try (Connection connection = database.connection();
        PreparedStatement statement = connection.prepareStatement(RELEASE)) {
      statement.setString(1, app.value());
      statement.setLong(2, epoch);
      statement.executeUpdate();
    }
  }

  /** Firsts of {@code count} fresh blocks of {@link #SEQ_BLOCK} row numbers, growing. */
  public List<Long> nextSeqBlocks(int count) throws SQLException {
    try (Connection connection = database.connection();
        PreparedStatement statement =
            connection.prepareStatement(
                "select nextval('outbox_seq') from generate_series(1, ?)")) {
      statement.setInt(1, count);
      List<Long> blocks = new ArrayList<>(count);
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          blocks.add(row.getLong(1));
        }
      }
      return blocks;
    }
  }

  /**
   * Writes all rows of all inserts in one transaction; inserts with a stale epoch write nothing.
   *
   * @param seqs the next row number, growing
   * @return what became of each insert, in their order
   */
  public List<Inserted> insert(List<Insert> inserts, LongSupplier seqs) throws SQLException {
    var statement = new InsertStatement(inserts, seqs);
    try (Connection connection = database.connection()) {
      return statement.execute(connection);
    }
  }

  /** Makes the changes of all apps durable in one transaction; a stale epoch changes nothing. */
  public Settled settle(List<Settling> group) throws SQLException {
    try (Connection connection = database.connection()) {
      return new SettleStatements(group, connection).execute();
    }
  }

  /**
   * Rows that are due at once, by number.
   *
   * @param bytesMax the page ends with the row that goes beyond it
   */
  public Page atOnce(AppId app, long afterSeq, int rowsMax, long bytesMax) throws SQLException {
    return page(
        AT_ONCE,
        rowsMax,
        bytesMax,
        statement -> {
          statement.setString(1, app.value());
          statement.setLong(2, afterSeq);
          statement.setInt(3, rowsMax);
        });
  }

  /** Rows with a time of their own up to {@code until}, in the order of that time. */
  public Page scheduled(
      AppId app, Instant until, Instant afterDue, long afterSeq, int rowsMax, long bytesMax)
      throws SQLException {
    return page(
        SCHEDULED,
        rowsMax,
        bytesMax,
        statement -> {
          statement.setString(1, app.value());
          statement.setObject(2, DeliveryRows.timestamp(until));
          statement.setObject(3, DeliveryRows.timestamp(afterDue));
          statement.setLong(4, afterSeq);
          statement.setInt(5, rowsMax);
        });
  }

  /** Rows with an ordering key and a time of their own: the heads that hold others back. */
  public Page orderedHeads(AppId app, Instant afterDue, long afterSeq, int rowsMax, long bytesMax)
      throws SQLException {
    return page(
        ORDERED,
        rowsMax,
        bytesMax,
        statement -> {
          statement.setString(1, app.value());
          statement.setObject(2, DeliveryRows.timestamp(afterDue));
          statement.setLong(3, afterSeq);
          statement.setInt(4, rowsMax);
        });
  }

  /** When the first row that is due later than {@code after} is due; null when there is none. */
  public @Nullable Instant nextDue(AppId app, Instant after) throws SQLException {
    try (Connection connection = database.connection();
        PreparedStatement statement = connection.prepareStatement(NEXT_DUE)) {
      statement.setString(1, app.value());
      statement.setObject(2, DeliveryRows.timestamp(after));
      try (ResultSet row = statement.executeQuery()) {
        return row.next() ? DeliveryRows.instant(row, "due_at") : null;
      }
    }
  }

  /** A page for people, of every row in the order of due time and number. */
  public List<Delivery> list(
      AppId app, @Nullable TriggerId trigger, @Nullable Instant afterDue, long afterSeq, int limit)
      throws SQLException {
    return page(
            LIST,
            limit,
            Long.MAX_VALUE,
            statement -> {
              statement.setString(1, app.value());
              statement.setObject(
                  2, DeliveryRows.timestamp(afterDue), Types.TIMESTAMP_WITH_TIMEZONE);
              statement.setLong(3, afterSeq);
              statement.setString(4, trigger == null ? null : trigger.value());
              statement.setString(5, trigger == null ? null : trigger.value());
              statement.setInt(6, limit);
            })
        .rows();
  }

  /** Scans the app's rows; null when none of them is this delivery. */
  public @Nullable Delivery find(AppId app, DeliveryId id) throws SQLException {
    String hex = id.value().toString().replace("-", "").substring(0, 12);
    Page page =
        page(
            FIND,
            Integer.MAX_VALUE,
            Long.MAX_VALUE,
            statement -> {
              statement.setString(1, app.value());
              statement.setString(2, hex);
            });
    for (Delivery delivery : page.rows()) {
      if (delivery.id().equals(id)) {
        return delivery;
      }
    }
    return null;
  }

  /** A delivery whose outcome is deferred, found by its id at once; null when there is none. */
  public @Nullable Delivery findDeferred(AppId app, DeliveryId id) throws SQLException {
    Page page =
        page(
            FIND_DEFERRED,
            2,
            Long.MAX_VALUE,
            statement -> {
              statement.setString(1, app.value());
              statement.setString(2, app.value());
              statement.setObject(3, id.value());
              statement.setString(4, app.value());
              statement.setObject(5, id.value());
            });
    for (Delivery delivery : page.rows()) {
      if (delivery.isDeferred() && delivery.id().equals(id)) {
        return delivery;
      }
    }
    return null;
  }

  /**
   * The ordering keys with a dead letter that nobody has dealt with.
   *
   * @param triggers whose keys; empty = none
   */
  public Set<OrderKey> parkedKeys(AppId app, Collection<TriggerId> triggers) throws SQLException {
    Set<OrderKey> keys = new HashSet<>();
    if (triggers.isEmpty()) {
      return keys;
    }
    try (Connection connection = database.connection();
        PreparedStatement statement = connection.prepareStatement(PARKED_KEYS)) {
      statement.setString(1, app.value());
      statement.setArray(
          2, connection.createArrayOf("text", triggers.stream().map(TriggerId::value).toArray()));
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          keys.add(new OrderKey(new TriggerId(row.getString(1)), row.getString(2)));
        }
      }
    }
    return keys;
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
   * @return how many it were; 0 also when the epoch is not the owner's
   */
  public int purge(AppId app, long epoch, int limit) throws SQLException {
    var fence = new Fence();
    fence.number(app, epoch);
    try (Connection connection = database.connection();
        PreparedStatement statement = connection.prepareStatement(PURGE)) {
      fence.bind(new SqlArrays(statement));
      statement.setString(3, app.value());
      statement.setInt(4, limit);
      return statement.executeUpdate();
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

  private interface Binding {
    void bind(PreparedStatement statement) throws SQLException;
  }

  private Page page(String sql, int rowsMax, long bytesMax, Binding binding) throws SQLException {
    List<Delivery> rows = new ArrayList<>();
    long bytes = 0;
    try (Connection connection = database.connection()) {
      connection.setAutoCommit(false); // only then the driver fetches piece by piece
      try (PreparedStatement statement = connection.prepareStatement(sql)) {
        statement.setFetchSize(FETCH_ROWS);
        binding.bind(statement);
        try (ResultSet row = statement.executeQuery()) {
          while (bytes < bytesMax && row.next()) {
            Delivery delivery = DeliveryRows.delivery(row);
            bytes += delivery.weight();
            rows.add(delivery);
            if (rows.size() % FETCH_ROWS == 0) {
              long fit = FETCH_BYTES * rows.size() / Math.max(1, bytes);
              row.setFetchSize(Math.clamp(fit, FETCH_ROWS, FETCH_ROWS_MAX));
            }
          }
        }
      } finally {
        connection.rollback();
        connection.setAutoCommit(true);
      }
    }
    return new Page(rows, rows.size() < rowsMax && bytes < bytesMax);
  }
}
