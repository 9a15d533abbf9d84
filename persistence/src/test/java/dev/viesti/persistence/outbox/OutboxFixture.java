package dev.viesti.persistence.outbox;

import dev.viesti.persistence.Database;
import dev.viesti.persistence.embedded.TestDatabase;
import dev.viesti.persistence.embedded.TestPostgres;
import dev.viesti.persistence.schema.SchemaMigrator;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.delivery.Delivery;
import dev.viesti.protocol.event.Event;
import dev.viesti.protocol.event.Payload;
import dev.viesti.protocol.trigger.TriggerId;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** A migrated database of its own, and short ways to fill it. Numbers are given out from 1. */
public final class OutboxFixture implements AutoCloseable {
  public static final Instant NOW = Instant.parse("2026-01-02T03:04:05.678901Z");
  public static final TriggerId TRIGGER = new TriggerId("bill");
  static final long ANY_BYTES = Long.MAX_VALUE;

  private static final Duration PATIENCE = Duration.ofSeconds(20);

  public final TestDatabase server = TestPostgres.freshDatabase();
  public final Database database;
  public final OutboxRepository outbox;
  public final OwnerRepository owners;
  public final DeliveryRepository deliveries;
  public final HousekeepingRepository housekeeping;
  private final AtomicLong numbers = new AtomicLong();

  public OutboxFixture() {
    new SchemaMigrator(server.dataSource()).migrate(SchemaMigrator.Mode.AUTO);
    database = Database.open(server.url(), server.user(), server.password(), 12, PATIENCE);
    outbox = new OutboxRepository(database);
    owners = new OwnerRepository(database);
    deliveries = new DeliveryRepository(database);
    housekeeping = new HousekeepingRepository(database);
  }

  @Override
  public void close() {
    database.close();
  }

  public long seq() {
    return numbers.incrementAndGet();
  }

  public static AppId app(String name) {
    return new AppId(name);
  }

  /** An event without an id of the sender's. */
  public Event event(String type) {
    return Event.of(
        new UUID(0x7000L, numbers.incrementAndGet()),
        "/shop",
        type,
        null,
        Payload.ofJson("{\"n\":1}"));
  }

  /** An event with an id of the sender's. */
  static Event keyed(String externalId) {
    return new Event(
        Event.derivedId("/shop", externalId),
        externalId,
        "/shop",
        "t",
        null,
        null,
        Payload.ofJson("{}"),
        false,
        null,
        0,
        null,
        null);
  }

  static Insert insert(AppId app, long epoch, Event... events) {
    return new Insert(app, epoch, NOW, Arrays.stream(events).map(e -> routed(e, TRIGGER)).toList());
  }

  static Insert.Routed routed(Event event, TriggerId... triggers) {
    List<Insert.Route> routes =
        Arrays.stream(triggers).map(trigger -> new Insert.Route(trigger, null)).toList();
    return new Insert.Routed(event, routes);
  }

  Inserted put(Insert insert) throws SQLException {
    return outbox.insert(List.of(insert), this::seq).getFirst();
  }

  /** So many fresh rows, without keys of order. */
  public List<Delivery> rows(AppId app, long epoch, int count) throws SQLException {
    List<Insert.Routed> events = new ArrayList<>();
    for (int n = 0; n < count; n++) {
      events.add(routed(event("t"), TRIGGER));
    }
    return put(new Insert(app, epoch, NOW, events)).rows();
  }

  public Delivery row(AppId app, long epoch) throws SQLException {
    return rows(app, epoch, 1).getFirst();
  }

  /** Moves fresh rows to times of their own, as a retry does. */
  List<Delivery> retried(AppId app, long epoch, List<Delivery> rows, Duration step)
      throws SQLException {
    List<RowChange> changes = new ArrayList<>();
    List<Delivery> later = new ArrayList<>();
    for (int i = 0; i < rows.size(); i++) {
      Delivery next = rows.get(i).retriedAt(NOW.plus(step.multipliedBy(i + 1)), NOW, "e", null);
      changes.add(new RowChange.Retry(rows.get(i), next));
      later.add(next);
    }
    outbox.settle(List.of(new Settling(app, epoch, changes)));
    return later;
  }

  static Settling settling(AppId app, long epoch, RowChange... changes) {
    return new Settling(app, epoch, List.of(changes));
  }

  static RowChange.Delete delete(Delivery row) {
    return new RowChange.Delete(row);
  }

  static RowChange.Retry retry(Delivery row) {
    return new RowChange.Retry(row, row.retriedAt(NOW.plusSeconds(1), NOW, "failed", "[1]"));
  }

  /** Ids grow with the number of the row. */
  public static RowChange.Bury bury(Delivery row) {
    UUID id = new UUID(0x0190_0000_0000_7000L, 0x8000_0000_0000_0000L | row.seq());
    return new RowChange.Bury(row, id, row.attempt() + 1, "dead", "[2]", NOW, NOW.plusSeconds(1));
  }

  public void buryAll(AppId app, long epoch, List<Delivery> rows) throws SQLException {
    outbox.settle(
        List.of(new Settling(app, epoch, rows.stream().map(OutboxFixture::bury).toList())));
  }

  /** Every row of the app, by due time and number. */
  public List<Delivery> all(AppId app) throws SQLException {
    return deliveries.list(app, null, null, Long.MIN_VALUE, 100_000);
  }

  public long count(String from) throws SQLException {
    return Long.parseLong(server.queryText("select count(*) from viesti." + from));
  }

  public @Nullable String text(String sql) throws SQLException {
    return server.queryText(sql);
  }

  public void execute(String sql) throws SQLException {
    server.execute(sql);
  }

  /** In a transaction of its own, which the caller ends. */
  public Connection transaction() throws SQLException {
    Connection connection = database.connection();
    connection.setAutoCommit(false);
    return connection;
  }

  public static void end(Connection transaction, boolean commit) throws SQLException {
    if (commit) {
      transaction.commit();
    } else {
      transaction.rollback();
    }
    transaction.setAutoCommit(true);
    transaction.close();
  }

  static Settled settleIn(Connection connection, Settling... group) throws SQLException {
    return new SettleStatements(List.of(group), connection).execute();
  }

  /**
   * @param copyRows from so many rows on by copy
   */
  Inserted insertIn(Connection connection, Insert insert, int copyRows) throws SQLException {
    return new InsertStatement(List.of(insert), this::seq, new InsertSql(copyRows))
        .run(connection)
        .getFirst();
  }

  /** What a new owner does first, left open. */
  public Connection openBump(AppId app) throws SQLException {
    Connection connection = transaction();
    try (var statement =
        connection.prepareStatement(
            "update outbox_owner set epoch = epoch + 1, node = 'other' where app_id = ?")) {
      statement.setString(1, app.value());
      statement.executeUpdate();
    }
    return connection;
  }

  /** Returns when so many sessions of this database wait for a lock. */
  public void awaitWaiting(int sessions) throws SQLException {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    String waiting =
        """
        select count(*)
        from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock'
        """;
    while (Integer.parseInt(server.queryText(waiting)) != sessions) {
      if (System.nanoTime() > deadline) {
        throw new AssertionError("never were " + sessions + " sessions waiting for a lock");
      }
      LockSupport.parkNanos(2_000_000);
    }
  }
}
