package dev.viesti.persistence.effects;

import dev.viesti.persistence.BinaryArray;
import dev.viesti.persistence.outbox.SqlArrays;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.event.Payload;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Values that calls put and delete. */
final class KvWrites implements Writes {
  /**
   * Meets every key in one order, whatever is to be done to it: a put and a delete, or a put of a
   * value that is there and of one that is not, in statements of their own would have two
   * transactions wait for each other. The conflict waits for whoever changes the row, and then sees
   * the version that was committed, so the comparison races with nobody.
   *
   * <p>Answers the keys that were as expected. A row that was inserted in spite of a version that
   * was expected still has that, and is none of them.
   */
  private static final String PUT =
      """
      with put as (
        insert into kv as d (app_id, collection, key, value, expected, version, updated_at)
        select k.app_id, k.collection, k.key, k.value, k.expected, nextval('viesti.kv_version'),
            now()
        from (
            select unnest(?::text[]) as app_id, unnest(?::text[]) as collection,
              unnest(?::text[]) as key, unnest(?::bytea[]) as value,
              unnest(?::bigint[]) as expected) as k
        on conflict (app_id, collection, key) do update
          set value = excluded.value, expected = -excluded.expected,
              version = nextval('viesti.kv_version'), updated_at = now()
          where excluded.expected is null or excluded.expected = d.version
        returning app_id, collection, key, expected
      )
      select app_id, collection, key from put where expected <= 0
      """;

  /** What was put as nothing goes; its rows are this transaction's already. */
  private static final String DELETE =
      """
      delete from kv
      where value is null and ctid = any (array (
        select found.ctid
        from (
            select unnest(?::text[]) as app_id, unnest(?::text[]) as collection,
              unnest(?::text[]) as key) as k,
          lateral (
            select d.ctid
            from kv d
            where d.app_id = k.app_id and d.collection = k.collection and d.key = k.key
            limit 1) as found))
      """;

  private static final Comparator<Write> ORDER =
      Comparator.comparing((Write write) -> write.target().app())
          .thenComparing(write -> write.target().collection())
          .thenComparing(write -> write.target().key());

  /**
   * @param by the call that has the expectation, if there is one
   */
  private record Write(
      Target.Kv target, @Nullable Payload value, @Nullable Long expected, Call.At by) {}

  private final List<Write> writes;

  /** The last of the writes of a key is left, with the expectation of the first. */
  KvWrites(List<Call> calls) {
    Map<Target.Kv, Write> last = new HashMap<>();
    for (Call call : calls) {
      for (Effects.KvWrite kv : call.effects().kv()) {
        var target = new Target.Kv(call.effects().app(), kv.collection(), kv.key());
        Write before = last.get(target);
        last.put(
            target,
            before == null
                ? new Write(target, kv.value(), kv.expected(), call.at())
                : new Write(target, kv.value(), before.expected(), before.by()));
      }
    }
    this.writes = last.values().stream().sorted(ORDER).toList();
  }

  @Override
  public boolean isEmpty() {
    return writes.isEmpty();
  }

  @Override
  public List<Miss> run(Connection connection) throws SQLException {
    List<Miss> misses = put(connection);
    List<Write> deletes = writes.stream().filter(write -> write.value() == null).toList();
    if (misses.isEmpty() && !deletes.isEmpty()) {
      try (PreparedStatement statement = connection.prepareStatement(DELETE)) {
        bindKeys(statement, deletes);
        statement.executeUpdate();
      }
    }
    return misses;
  }

  private List<Miss> put(Connection connection) throws SQLException {
    Set<Target> met = new HashSet<>();
    try (PreparedStatement statement = connection.prepareStatement(PUT)) {
      SqlArrays arrays = bindKeys(statement, writes);
      var values = new BinaryArray(BinaryArray.Type.BYTEA, writes.size());
      for (Write write : writes) {
        Payload value = write.value();
        values.add(value == null ? null : value.bytes());
      }
      arrays.array(values);
      arrays.longs(writes, Write::expected);
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          met.add(new Target.Kv(new AppId(row.getString(1)), row.getString(2), row.getString(3)));
        }
      }
    }
    return writes.stream()
        .filter(write -> write.expected() != null && !met.contains(write.target()))
        .map(write -> new Miss(write.by(), write.target()))
        .toList();
  }

  private static SqlArrays bindKeys(PreparedStatement statement, List<Write> writes)
      throws SQLException {
    var arrays = new SqlArrays(statement);
    arrays.texts(writes, write -> write.target().app().value());
    arrays.texts(writes, write -> write.target().collection());
    arrays.texts(writes, write -> write.target().key());
    return arrays;
  }
}
