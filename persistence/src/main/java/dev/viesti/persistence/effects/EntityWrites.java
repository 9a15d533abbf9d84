package dev.viesti.persistence.effects;

import dev.viesti.persistence.effects.Effects.EntityWrite;
import dev.viesti.persistence.outbox.SqlArrays;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.plugin.PluginId;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Entities that calls insert, update and delete; see {@link KvWrites} on the one statement. */
final class EntityWrites implements Writes {
  private static final String PUT =
      """
      with put as (
        insert into plugin_entity as d (app_id, plugin_id, entity, id, data, expected, version,
            created_at, created_by, updated_at, updated_by, deleted_at, deleted_by)
        select k.app_id, k.plugin_id, k.entity, k.id, coalesce(k.data::jsonb, '{}'), k.expected, 1,
            now(), k.author, now(), k.author, case when k.data is null then now() end,
            case when k.data is null then k.author end
        from (
            select unnest(?::text[]) as app_id, unnest(?::text[]) as plugin_id,
              unnest(?::text[]) as entity, unnest(?::uuid[]) as id, unnest(?::text[]) as data,
              unnest(?::bigint[]) as expected, unnest(?::text[]) as author) as k
        on conflict (app_id, plugin_id, entity, id) do update
          set data = case when excluded.deleted_at is null then excluded.data else d.data end,
              expected = -excluded.expected, version = d.version + 1, updated_at = now(),
              updated_by = excluded.updated_by, deleted_at = excluded.deleted_at,
              deleted_by = excluded.deleted_by
          where excluded.expected = d.version and d.deleted_at is null
        returning app_id, plugin_id, entity, id, expected
      )
      select app_id, plugin_id, entity, id from put where expected <= 0
      """;

  private static final Comparator<Write> ORDER =
      Comparator.comparing((Write write) -> write.target().app())
          .thenComparing(write -> write.target().plugin())
          .thenComparing(write -> write.target().entity())
          .thenComparing(write -> write.target().id());

  /**
   * @param json null deletes
   */
  private record Write(
      Target.Entity target, @Nullable String json, long expected, String author, Call.At by) {}

  private final List<Write> writes = new ArrayList<>();

  EntityWrites(List<Call> calls) {
    for (Call call : calls) {
      Effects effects = call.effects();
      for (EntityWrite write : effects.entities()) {
        var target = new Target.Entity(effects.app(), write.plugin(), write.entity(), write.id());
        writes.add(
            switch (write) {
              case EntityWrite.Insert insert ->
                  new Write(target, insert.json(), Effects.ABSENT, effects.by(), call.at());
              case EntityWrite.Update update ->
                  new Write(target, update.json(), update.expected(), effects.by(), call.at());
              case EntityWrite.Delete delete ->
                  new Write(target, null, delete.expected(), effects.by(), call.at());
            });
      }
    }
    writes.sort(ORDER);
  }

  @Override
  public boolean isEmpty() {
    return writes.isEmpty();
  }

  @Override
  public List<Miss> run(Connection connection) throws SQLException {
    Set<Target> met = new HashSet<>();
    try (PreparedStatement statement = connection.prepareStatement(PUT)) {
      var arrays = new SqlArrays(statement);
      arrays.texts(writes, write -> write.target().app().value());
      arrays.texts(writes, write -> write.target().plugin().value());
      arrays.texts(writes, write -> write.target().entity());
      arrays.uuids(writes, write -> write.target().id());
      arrays.texts(writes, Write::json);
      arrays.longs(writes, Write::expected);
      arrays.texts(writes, Write::author);
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          met.add(
              new Target.Entity(
                  new AppId(row.getString(1)),
                  new PluginId(row.getString(2)),
                  row.getString(3),
                  row.getObject(4, UUID.class)));
        }
      }
    }
    return writes.stream()
        .filter(write -> !met.contains(write.target()))
        .map(write -> new Miss(write.by(), write.target()))
        .toList();
  }
}
