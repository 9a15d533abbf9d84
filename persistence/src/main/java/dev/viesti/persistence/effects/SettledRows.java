package dev.viesti.persistence.effects;

import dev.viesti.persistence.outbox.RowVersion;
import dev.viesti.persistence.outbox.SqlArrays;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.delivery.Delivery;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** The rows of the outbox that calls settle. */
final class SettledRows implements Writes {
  /** The array of places is read in their order, so two of these lock rows in the same one. */
  private static final String DELETE =
      """
      delete from outbox
      where ctid = any (array (
        select found.ctid
        from (
            select unnest(?::text[]) as app_id, unnest(?::bigint[]) as due,
              unnest(?::bigint[]) as seq, unnest(?::int[]) as attempt) as k,
          lateral (select d.ctid from outbox d %s) as found))
      returning app_id, seq
      """
          .formatted(RowVersion.IS_NAMED);

  private record Settled(Call.At by, AppId app, Delivery row) {
    Target.Row target() {
      return new Target.Row(app, row.seq());
    }
  }

  private final List<Settled> rows = new ArrayList<>();

  SettledRows(List<Call> calls) {
    for (Call call : calls) {
      Delivery row = call.effects().settles();
      if (row != null) {
        rows.add(new Settled(call.at(), call.effects().app(), row));
      }
    }
  }

  @Override
  public boolean isEmpty() {
    return rows.isEmpty();
  }

  @Override
  public List<Miss> run(Connection connection) throws SQLException {
    Set<Target> gone = new HashSet<>();
    try (PreparedStatement statement = connection.prepareStatement(DELETE)) {
      var arrays = new SqlArrays(statement);
      arrays.texts(rows, settled -> settled.app().value());
      arrays.longs(rows, settled -> SqlArrays.micros(settled.row().dueAt()));
      arrays.longs(rows, settled -> settled.row().seq());
      arrays.ints(rows, settled -> settled.row().attempt());
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          gone.add(new Target.Row(new AppId(row.getString(1)), row.getLong(2)));
        }
      }
    }
    if (gone.size() == rows.size()) {
      return List.of();
    }
    return rows.stream()
        .filter(settled -> !gone.contains(settled.target()))
        .map(settled -> new Miss(settled.by(), settled.target()))
        .toList();
  }
}
