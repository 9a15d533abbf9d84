package dev.viesti.persistence.outbox;

import dev.viesti.persistence.BinaryCopy;
import dev.viesti.protocol.delivery.Delivery;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.function.LongSupplier;

/**
 * Accepts a group of inserts, of many apps, in one transaction: a small one in one statement, a
 * large one by {@code copy}, after a statement that holds the owners and takes the keys.
 */
final class InsertStatement {
  /** A guess: what a row takes beside its data. */
  private static final int ROW_BYTES = 200;

  private record Owner(int n, String app) {}

  private record Key(int n, String app, UUID eventId) {}

  private record AppEvent(String app, UUID eventId) {}

  private final List<Insert> inserts;
  private final InsertSql sql;
  private final Fence fence = new Fence();
  private final List<Delivery> rows = new ArrayList<>();

  /** Per row. */
  private final List<Owner> owners = new ArrayList<>();

  private final List<Key> keys = new ArrayList<>();

  /** Per insert, events whose id another event of this very group had before. */
  private final List<BitSet> repeated = new ArrayList<>();

  InsertStatement(List<Insert> inserts, LongSupplier seqs, InsertSql sql) {
    this.inserts = inserts;
    this.sql = sql;
    Set<Key> seen = new HashSet<>(); // by epoch: what a stale one claims is not written
    for (Insert insert : inserts) {
      int n = fence.number(insert.app(), insert.epoch());
      var owner = new Owner(n, insert.app().value());
      var repeats = new BitSet();
      repeated.add(repeats);
      for (int i = 0; i < insert.events().size(); i++) {
        Insert.Routed routed = insert.events().get(i);
        var event = routed.event();
        if (event.externalId() != null) {
          var key = new Key(n, owner.app(), event.id());
          if (!seen.add(key)) {
            repeats.set(i);
            continue;
          }
          keys.add(key);
        }
        for (Insert.Route route : routed.routes()) {
          owners.add(owner);
          rows.add(
              Delivery.fresh(
                  seqs.getAsLong(),
                  event,
                  route.trigger(),
                  route.orderingKey(),
                  insert.acceptedAt()));
        }
      }
    }
  }

  List<Inserted> execute(Connection connection) throws SQLException {
    if (!isCopy()) {
      return run(connection); // one statement is one transaction: no further round trips
    }
    connection.setAutoCommit(false);
    try {
      List<Inserted> answers = run(connection);
      connection.commit();
      return answers;
    } catch (SQLException | RuntimeException failed) {
      connection.rollback();
      throw failed;
    } finally {
      connection.setAutoCommit(true);
    }
  }

  private boolean isCopy() {
    return rows.size() >= sql.copyRows();
  }

  /** Part of the caller's transaction. */
  List<Inserted> run(Connection connection) throws SQLException {
    if (!isCopy()) {
      return insert(connection);
    }
    List<Inserted> answers = hold(connection);
    copy(connection, answers);
    return answers;
  }

  private List<Inserted> hold(Connection connection) throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement(InsertSql.hold(!keys.isEmpty()))) {
      bindFence(new SqlArrays(statement));
      return answers(statement);
    }
  }

  /** The owners are held to the end of the transaction: no other owner reads before these rows. */
  private void copy(Connection connection, List<Inserted> answers) throws SQLException {
    long bytes = 0;
    for (Delivery row : rows) {
      bytes += ROW_BYTES + row.event().data().size();
    }
    InsertSql.Text text = sql.copy(rows);
    var copy = new BinaryCopy(Math.toIntExact(bytes));
    for (int i = 0; i < inserts.size(); i++) {
      byte[] app = inserts.get(i).app().value().getBytes(StandardCharsets.UTF_8);
      for (Delivery row : answers.get(i).rows()) {
        copy.row(1 + text.columns().size());
        copy.add(app);
        for (InsertSql.Column column : text.columns()) {
          column.add(copy, row);
        }
      }
    }
    copy.run(connection, text.sql());
  }

  private List<Inserted> insert(Connection connection) throws SQLException {
    boolean oneApp = fence.size() == 1 && !rows.isEmpty();
    InsertSql.Text text = sql.text(rows, oneApp, !keys.isEmpty());
    try (PreparedStatement statement = connection.prepareStatement(text.sql())) {
      bind(statement, text, oneApp);
      if (oneApp && keys.isEmpty()) {
        return answers(statement.executeUpdate() > 0 ? Set.of(1) : Set.of(), Set.of());
      }
      return answers(statement);
    }
  }

  private List<Inserted> answers(PreparedStatement statement) throws SQLException {
    Set<Integer> owned = new HashSet<>();
    Set<AppEvent> fresh = new HashSet<>();
    try (ResultSet result = statement.executeQuery()) {
      while (result.next()) {
        UUID eventId = result.getObject(2, UUID.class);
        if (eventId == null) {
          owned.add(result.getInt(1));
        } else {
          fresh.add(new AppEvent(result.getString(3), eventId));
        }
      }
    }
    return answers(owned, fresh);
  }

  private void bind(PreparedStatement statement, InsertSql.Text text, boolean oneApp)
      throws SQLException {
    var arrays = new SqlArrays(statement);
    if (oneApp) {
      bindKeysOfOne(arrays);
    } else {
      bindKeys(arrays);
    }
    for (InsertSql.Column column : text.columns()) {
      arrays.array(column.array(rows));
    }
  }

  private void bindKeysOfOne(SqlArrays arrays) throws SQLException {
    String app = inserts.getFirst().app().value();
    fence.bindOne(arrays);
    if (!keys.isEmpty()) {
      arrays.text(app);
      arrays.uuids(keys, Key::eventId);
    }
    arrays.text(app);
  }

  private void bindFence(SqlArrays arrays) throws SQLException {
    fence.bind(arrays);
    if (!keys.isEmpty()) {
      arrays.ints(keys, Key::n);
      arrays.texts(keys, Key::app);
      arrays.uuids(keys, Key::eventId);
    }
  }

  private void bindKeys(SqlArrays arrays) throws SQLException {
    bindFence(arrays);
    arrays.ints(owners, Owner::n);
    arrays.texts(owners, Owner::app);
  }

  private List<Inserted> answers(Set<Integer> owned, Set<AppEvent> fresh) {
    List<Inserted> answers = new ArrayList<>(inserts.size());
    int row = 0;
    for (int i = 0; i < inserts.size(); i++) {
      Insert insert = inserts.get(i);
      boolean held = owned.contains(fence.number(insert.app(), insert.epoch()));
      var duplicates = new BitSet();
      List<Delivery> written = new ArrayList<>(insert.rows());
      for (int e = 0; e < insert.events().size(); e++) {
        Insert.Routed routed = insert.events().get(e);
        if (repeated.get(i).get(e)) {
          duplicates.set(e);
          continue;
        }
        var event = routed.event();
        if (event.externalId() != null
            && !fresh.contains(new AppEvent(insert.app().value(), event.id()))) {
          duplicates.set(e);
        }
        for (int r = 0; r < routed.routes().size(); r++, row++) {
          if (!duplicates.get(e)) {
            written.add(rows.get(row));
          }
        }
      }
      answers.add(held ? new Inserted(false, written, duplicates) : Inserted.FENCED);
    }
    return answers;
  }
}
