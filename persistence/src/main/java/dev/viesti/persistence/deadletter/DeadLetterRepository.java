package dev.viesti.persistence.deadletter;

import dev.viesti.persistence.Database;
import dev.viesti.persistence.outbox.DeliveryRows;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.deadletter.DeadLetter;
import dev.viesti.protocol.deadletter.Resolution;
import dev.viesti.protocol.delivery.DeliveryId;
import dev.viesti.protocol.delivery.OrderKey;
import dev.viesti.protocol.trigger.TriggerId;
import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Statements on {@code dead_letter}. Thread-safe; every method blocks. */
public final class DeadLetterRepository {
  private static final UUID BEFORE_ALL = new UUID(0, 0);
  private static final UUID AFTER_ALL = new UUID(-1, -1);

  private static final String COLUMNS =
      "id, delivery_id, trigger_id, ordering_key, attempt, created_at, accepted_at,"
          + " first_attempt_at, last_attempt_at, resolved_at, resolution, resolution_note,"
          + " last_error, attempts, "
          + DeliveryRows.EVENT_COLUMNS;

  private static final String OPEN = "resolved_at is null";

  /** The state is part of the text, so that the planner may use the index of open ones. */
  private static final String FITS =
      """
      app_id = ? and (?::text is null or trigger_id = ?) and %s
      """;

  private static final String LIST =
      """
      select %s
      from dead_letter
      where %s and id < ?
      order by id desc
      limit ?
      """
          .formatted(COLUMNS, FITS);

  private static final String IDS =
      """
      select id
      from dead_letter
      where %s and id > ?
      order by id
      limit ?
      """
          .formatted(FITS.formatted(OPEN));

  private static final String COUNT =
      """
      select count(*) from (select from dead_letter where %s limit ?) as counted
      """
          .formatted(FITS);

  private static final String GET =
      """
      select %s
      from dead_letter
      where app_id = ? and id = ?
      """
          .formatted(COLUMNS);

  private static final String PARKED_KEYS =
      """
      select distinct trigger_id, ordering_key
      from dead_letter
      where app_id = ? and resolved_at is null and ordering_key is not null
        and trigger_id = any (?)
      """;

  private static final String RESOLVE =
      """
      update dead_letter
      set resolved_at = now(), resolution = ?, resolution_note = ?
      where app_id = ? and id = ? and resolved_at is null
      """;

  /**
   * Resolves and puts back in one statement. An ordered delivery of a trigger that parks its keys
   * gets its old number, and thereby its old place in its key; any other gets a fresh one. The
   * owner row is locked first, so a former owner neither resolves nor inserts. {@code lateral …
   * limit 1} pins one look-up by key per id: a plain join, planned while the table was small, read
   * all open dead letters for each id.
   */
  private static final String REPLAY =
      """
      with owned as materialized (
        select app_id from outbox_owner where app_id = ? and epoch = ? for share
      ), resolved as (
        update dead_letter d
        set resolved_at = now(), resolution = 'replayed'
        from (
          select found.ctid, wanted.seq,
            found.ordering_key is not null and found.trigger_id = any (parks.triggers) as parking
          from owned, (select ?::text[] as triggers) as parks,
            unnest(?::uuid[], ?::bigint[]) as wanted(id, seq),
            lateral (
              select l.ctid, l.trigger_id, l.ordering_key
              from dead_letter l
              where l.app_id = owned.app_id and l.id = wanted.id and l.resolved_at is null
              limit 1
            ) as found
          offset 0
        ) as x
        where d.ctid = x.ctid and d.resolved_at is null
        returning d.*, x.parking, case when x.parking then coalesce(d.seq, x.seq) else x.seq end as new_seq
      ), put as (
        insert into outbox (due_at, seq, event_id, accepted_at, root_id, priority, depth,
            data_binary, app_id, trigger_id, ordering_key, source, type, subject, external_id,
            attributes, principal, traceparent, data)
        select '-infinity', new_seq, event_id, accepted_at, root_id, priority, depth, data_binary,
            app_id, trigger_id, ordering_key, source, type, subject, external_id, attributes,
            principal, traceparent, data
        from resolved
        returning seq
      ) select (select count(*) from owned), (select count(*) from put),
        (select min(new_seq) from resolved where parking)
      """;

  /**
   * Those that are asked for, and every other open one of the same keys of the triggers named.
   * Walks all open dead letters of the app.
   */
  private static final String WITH_PARKED =
      """
      with asked as (
        select id, trigger_id, ordering_key
        from dead_letter
        where app_id = ? and resolved_at is null and id = any (?)
      ), keys as materialized (
        select distinct trigger_id, ordering_key
        from asked
        where ordering_key is not null and trigger_id = any (?)
      )
      select d.id, d.trigger_id, d.ordering_key
      from dead_letter d, keys k
      where d.app_id = ? and d.resolved_at is null and d.seq is not null
        and d.trigger_id = k.trigger_id and d.ordering_key = k.ordering_key
      """;

  private static final String PURGE =
      """
      delete from dead_letter
      where ctid = any (array (select ctid from dead_letter where app_id = ? limit ?))
      """;

  private final Database database;

  public DeadLetterRepository(Database database) {
    this.database = database;
  }

  /**
   * Newest first.
   *
   * @param after the last id of the page before; null for the first page
   */
  public List<DeadLetter> list(
      AppId app,
      @Nullable TriggerId trigger,
      @Nullable Boolean resolved,
      @Nullable UUID after,
      int limit)
      throws SQLException {
    try (Connection connection = database.connection();
        PreparedStatement statement =
            connection.prepareStatement(LIST.formatted(state(resolved)))) {
      bindFits(statement, app, trigger);
      statement.setObject(4, after == null ? AFTER_ALL : after);
      statement.setInt(5, limit);
      List<DeadLetter> letters = new ArrayList<>();
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          letters.add(letter(row));
        }
      }
      return letters;
    }
  }

  /** Ids of unresolved dead letters, oldest first, after {@code after}. */
  public List<UUID> unresolvedIds(
      AppId app, @Nullable TriggerId trigger, @Nullable UUID after, int limit) throws SQLException {
    try (Connection connection = database.connection();
        PreparedStatement statement = connection.prepareStatement(IDS)) {
      bindFits(statement, app, trigger);
      statement.setObject(4, after == null ? BEFORE_ALL : after);
      statement.setInt(5, limit);
      List<UUID> ids = new ArrayList<>();
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          ids.add(row.getObject(1, UUID.class));
        }
      }
      return ids;
    }
  }

  /** How many fit, counted up to {@code limit}. */
  public long count(AppId app, @Nullable TriggerId trigger, @Nullable Boolean resolved, int limit)
      throws SQLException {
    try (Connection connection = database.connection();
        PreparedStatement statement =
            connection.prepareStatement(COUNT.formatted(state(resolved)))) {
      bindFits(statement, app, trigger);
      statement.setInt(4, limit);
      try (ResultSet row = statement.executeQuery()) {
        row.next();
        return row.getLong(1);
      }
    }
  }

  /** Null when the app has no such dead letter. */
  public @Nullable DeadLetter get(AppId app, UUID id) throws SQLException {
    try (Connection connection = database.connection();
        PreparedStatement statement = connection.prepareStatement(GET)) {
      statement.setString(1, app.value());
      statement.setObject(2, id);
      try (ResultSet row = statement.executeQuery()) {
        return row.next() ? letter(row) : null;
      }
    }
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
      statement.setArray(2, texts(connection, triggers));
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          keys.add(new OrderKey(new TriggerId(row.getString(1)), row.getString(2)));
        }
      }
    }
    return keys;
  }

  /**
   * @return false when it is resolved already, or is not there
   */
  public boolean resolve(AppId app, UUID id, Resolution resolution, @Nullable String note)
      throws SQLException {
    try (Connection connection = database.connection();
        PreparedStatement statement = connection.prepareStatement(RESOLVE)) {
      statement.setString(1, resolution.word());
      statement.setString(2, note);
      statement.setString(3, app.value());
      statement.setObject(4, id);
      return statement.executeUpdate() == 1;
    }
  }

  /**
   * What became of a replay.
   *
   * @param fenced the epoch was not the owner's any more: nothing was done
   * @param rows put back into the outbox
   * @param oldestSeq the smallest number among those that got their old one; null when there is
   *     none
   * @param keys of the triggers named, of which all open dead letters were put back
   */
  public record Replayed(boolean fenced, int rows, @Nullable Long oldestSeq, Set<OrderKey> keys) {}

  /**
   * Puts unresolved dead letters back and resolves them, as the app's owner.
   *
   * @param seqs one fresh number for each id
   * @param parking triggers of which a key is put back as a whole: with one of its dead letters all
   */
  public Replayed replay(
      AppId app, long epoch, List<UUID> ids, List<Long> seqs, Collection<TriggerId> parking)
      throws SQLException {
    List<UUID> all = new ArrayList<>(ids);
    Set<OrderKey> keys = new HashSet<>();
    try (Connection connection = database.connection()) {
      if (!parking.isEmpty()) {
        addParked(connection, app, parking, all, keys);
      }
      List<@Nullable Long> numbers = new ArrayList<>(seqs);
      while (numbers.size() < all.size()) {
        numbers.add(null); // these have their old ones
      }
      try (PreparedStatement statement = connection.prepareStatement(REPLAY)) {
        statement.setString(1, app.value());
        statement.setLong(2, epoch);
        statement.setArray(3, texts(connection, parking));
        statement.setArray(4, connection.createArrayOf("uuid", all.toArray()));
        statement.setArray(5, connection.createArrayOf("int8", numbers.toArray()));
        try (ResultSet row = statement.executeQuery()) {
          row.next();
          return new Replayed(
              row.getInt(1) == 0, row.getInt(2), row.getObject(3, Long.class), keys);
        }
      }
    }
  }

  private static Array texts(Connection connection, Collection<TriggerId> triggers)
      throws SQLException {
    return connection.createArrayOf("text", triggers.stream().map(TriggerId::value).toArray());
  }

  private static void addParked(
      Connection connection,
      AppId app,
      Collection<TriggerId> parking,
      List<UUID> ids,
      Set<OrderKey> keys)
      throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(WITH_PARKED)) {
      statement.setString(1, app.value());
      statement.setArray(2, connection.createArrayOf("uuid", ids.toArray()));
      statement.setArray(3, texts(connection, parking));
      statement.setString(4, app.value());
      Set<UUID> known = new HashSet<>(ids);
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          UUID id = row.getObject(1, UUID.class);
          if (known.add(id)) {
            ids.add(id);
          }
          keys.add(new OrderKey(new TriggerId(row.getString(2)), row.getString(3)));
        }
      }
    }
  }

  /** Removes up to {@code limit} dead letters of an app that is being deleted. */
  public int purge(AppId app, int limit) throws SQLException {
    try (Connection connection = database.connection();
        PreparedStatement statement = connection.prepareStatement(PURGE)) {
      statement.setString(1, app.value());
      statement.setInt(2, limit);
      return statement.executeUpdate();
    }
  }

  private static String state(@Nullable Boolean resolved) {
    if (resolved == null) {
      return "true";
    }
    return resolved ? "resolved_at is not null" : OPEN;
  }

  private static void bindFits(PreparedStatement statement, AppId app, @Nullable TriggerId trigger)
      throws SQLException {
    statement.setString(1, app.value());
    statement.setString(2, trigger == null ? null : trigger.value());
    statement.setString(3, trigger == null ? null : trigger.value());
  }

  private static DeadLetter letter(ResultSet row) throws SQLException {
    String resolution = row.getString("resolution");
    return new DeadLetter(
        row.getObject("id", UUID.class),
        new DeliveryId(row.getObject("delivery_id", UUID.class)),
        DeliveryRows.event(row, row.findColumn("event_id")),
        new TriggerId(row.getString("trigger_id")),
        row.getString("ordering_key"),
        row.getInt("attempt"),
        DeliveryRows.instant(row, "accepted_at"),
        DeliveryRows.instantOrNull(row, "first_attempt_at"),
        DeliveryRows.instantOrNull(row, "last_attempt_at"),
        row.getString("last_error"),
        row.getString("attempts"),
        DeliveryRows.instant(row, "created_at"),
        DeliveryRows.instantOrNull(row, "resolved_at"),
        resolution == null ? null : Resolution.of(resolution),
        row.getString("resolution_note"));
  }
}
