package dev.viesti.persistence.outbox;

import dev.viesti.persistence.Database;
import dev.viesti.protocol.app.AppId;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Statements on {@code outbox_owner}: who may settle an app's rows, and the row numbers that come
 * with it. Thread-safe; every method blocks.
 */
public final class OwnerRepository {
  /** Row numbers that one {@code nextval} hands out; the sequence's increment. */
  public static final int SEQ_BLOCK = 1_000;

  private static final String CLAIM =
      """
      insert into outbox_owner as o (app_id, epoch, node, since)
      values (?, 1, ?, now())
      on conflict (app_id) do update
        set epoch = o.epoch + 1, node = excluded.node, since = excluded.since,
            crashes = case when o.node is null then 0 else o.crashes + 1 end,
            quiet_since = case when o.node is null then o.quiet_since end
      returning epoch, nextval('outbox_seq'), crashes,
        (extract(epoch from now() - quiet_since) * 1000000)::bigint
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
      set node = null, quiet_since = now() - ? * interval '1 microsecond'
      where app_id = ? and epoch = ?
      """;

  private static final String COUNT =
      """
      select count(*)
      from (select from outbox where app_id = ? and due_at < 'infinity' limit ?) as counted
      """;

  private final Database database;

  public OwnerRepository(Database database) {
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
      @Nullable Duration quiet;
      try (PreparedStatement statement = connection.prepareStatement(CLAIM)) {
        statement.setString(1, app.value());
        statement.setString(2, node);
        try (ResultSet row = statement.executeQuery()) {
          row.next();
          epoch = row.getLong(1);
          seq = row.getLong(2);
          crashes = row.getInt(3);
          long micros = Math.max(0, row.getLong(4)); // the database's clock was put back
          quiet = row.wasNull() ? null : Duration.of(micros, ChronoUnit.MICROS);
        }
      }
      try (PreparedStatement statement = connection.prepareStatement(COUNT)) {
        statement.setString(1, app.value());
        statement.setLong(2, pendingMax);
        try (ResultSet row = statement.executeQuery()) {
          row.next();
          return new Claim(epoch, seq, row.getLong(1), crashes, quiet);
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

  /**
   * Says that nobody owns the outbox now; the epoch stays.
   *
   * @param quiet for how long no attempt has been started
   */
  public void release(AppId app, long epoch, Duration quiet) throws SQLException {
    try (Connection connection = database.connection();
        PreparedStatement statement = connection.prepareStatement(RELEASE)) {
      statement.setLong(1, TimeUnit.NANOSECONDS.toMicros(quiet.toNanos()));
      statement.setString(2, app.value());
      statement.setLong(3, epoch);
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
}
