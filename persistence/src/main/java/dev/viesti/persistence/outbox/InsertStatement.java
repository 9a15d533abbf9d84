package dev.viesti.persistence.outbox;

import dev.viesti.protocol.delivery.Delivery;
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

/** Accepts a group of inserts, of many apps, in one statement and thereby one transaction. */
final class InsertStatement {
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
    boolean oneApp = fence.size() == 1 && !rows.isEmpty();
    InsertSql.Text text = sql.text(rows, oneApp, !keys.isEmpty());
    Set<Integer> owned = new HashSet<>();
    Set<AppEvent> fresh = new HashSet<>();
    try (PreparedStatement statement = connection.prepareStatement(text.sql())) {
      bind(statement, text, oneApp);
      if (oneApp && keys.isEmpty()) {
        if (statement.executeUpdate() > 0) {
          owned.add(1);
        }
        return answers(owned, fresh);
      }
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

  private void bindKeys(SqlArrays arrays) throws SQLException {
    fence.bind(arrays);
    if (!keys.isEmpty()) {
      arrays.ints(keys, Key::n);
      arrays.texts(keys, Key::app);
      arrays.uuids(keys, Key::eventId);
    }
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
