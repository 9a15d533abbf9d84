package dev.viesti.persistence.effects;

import static dev.viesti.persistence.effects.EffectsFixture.COMMITTED;
import static dev.viesti.persistence.effects.EffectsFixture.CRM;
import static dev.viesti.persistence.effects.EffectsFixture.call;
import static dev.viesti.persistence.effects.EffectsFixture.delete;
import static dev.viesti.persistence.effects.EffectsFixture.put;
import static org.assertj.core.api.Assertions.assertThat;

import dev.viesti.persistence.effects.EffectsFixture.Wish;
import dev.viesti.persistence.outbox.OutboxFixture;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.delivery.Delivery;
import dev.viesti.protocol.plugin.EntityType;
import dev.viesti.protocol.plugin.EntityType.FieldType;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * Plans are made while the tables are empty and stay when they are full. Reads of rows say so on a
 * machine of any speed; the time only breaks when a statement is quadratic.
 */
final class EffectsPlansPostgresTest {
  private static final int CALLS = 10_000;
  private static final int BATCH = 500;
  private static final Duration TIME_MAX = Duration.ofSeconds(60);
  private static final List<String> TABLES =
      List.of("outbox", "outbox_owner", "kv", "plugin_entity", "numbering", "idempotency_key");

  private final EffectsFixture fixture = new EffectsFixture();

  @AfterEach
  void close() {
    fixture.close();
  }

  @Test
  void writesManyCallsWithPlansMadeOnEmptyTables() throws Exception {
    for (String table : TABLES) {
      // vacuum and statistics would mend a plan behind the test's back
      fixture.rows.execute("alter table viesti." + table + " set (autovacuum_enabled = off)");
    }
    AppId app = fixture.owned("plans");
    commit(app, 0, 1);
    fixture.kv.list(app, "c", "", null, 1);
    List<Long> before = reads();
    long start = System.nanoTime();
    commit(app, 1, CALLS);
    for (int page = 0; page < 20; page++) {
      assertThat(fixture.kv.list(app, "c", "key", "key-5", 50)).hasSize(50);
    }
    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(TIME_MAX);
    List<Long> after = reads();
    assertThat(fixture.rows.all(app)).isEmpty();
    assertThat(fixture.rows.count("kv")).isEqualTo(CALLS / 2 + 1);
    assertThat(fixture.rows.count("plugin_entity")).isEqualTo(CALLS + 1);
    for (int table = 0; table < TABLES.size(); table++) {
      assertThat(after.get(table) - before.get(table))
          .as("rows of %s that were read in a scan of the table", TABLES.get(table))
          .isZero();
    }
    assertThat(indexReads("kv")).isLessThan(6L * CALLS);
    assertThat(indexReads("outbox")).isLessThan(6L * CALLS);
  }

  /** Every second call deletes the key of another one. */
  private void commit(AppId app, int first, int count) throws SQLException {
    List<Delivery> rows = new ArrayList<>();
    while (rows.size() < count) {
      rows.addAll(fixture.rows.rows(app, 1, Math.min(count - rows.size(), 1_000)));
    }
    for (int from = 0; from < count; from += BATCH) {
      List<Effects> batch = new ArrayList<>();
      for (int n = from; n < Math.min(count, from + BATCH); n++) {
        int at = first + n;
        Wish wish = call(app).settles(rows.get(n)).inserts(new UUID(5, at), "{}");
        batch.add(
            wish.with(n % 2 == 0 ? put("key-" + at, "1") : delete("none-" + at, null)).effects());
      }
      Set<Effects.Result> results = new HashSet<>(fixture.effects.commit(batch));
      assertThat(results).containsOnly(COMMITTED);
    }
  }

  @Test
  void forgetsAndFindsWithoutReadingOtherApps() throws Exception {
    OutboxFixture rows = fixture.rows;
    rows.execute(
        """
        insert into viesti.plugin_entity (app_id, plugin_id, entity, id, data, version, expected,
            created_at, updated_at, created_by, updated_by)
        select 'other-' || n % 100, 'crm', 'customer', gen_random_uuid(), '{}', 1, 0, now(), now(),
            'x', 'x'
        from generate_series(1, 20000) as n
        """);
    AppId app = fixture.owned("small");
    fixture.commit(call(app).inserts(new UUID(1, 1), "{\"name\":\"Ann\"}"));
    long before = indexReads("plugin_entity");
    var type =
        new EntityType(
            "customer", List.of(new EntityType.Field("name", FieldType.STRING, false, null)));
    var query =
        new EntityQuery(
            List.of(new EntityQuery.Condition("name", EntityQuery.Op.EQ, "Ann")),
            List.of(new EntityQuery.Sort("name", false)),
            10,
            null);
    assertThat(fixture.entities.query(app, CRM, type, query).entities()).hasSize(1);
    assertThat(new ForgetRepository(rows.database).forget(app, 10)).isEqualTo(1);
    assertThat(indexReads("plugin_entity") - before).isLessThan(20);
    assertThat(reads().get(TABLES.indexOf("plugin_entity"))).isZero();
  }

  private List<Long> reads() throws SQLException {
    List<Long> reads = new ArrayList<>();
    for (String table : TABLES) {
      reads.add(statistic("seq_tup_read", table));
    }
    return reads;
  }

  private long indexReads(String table) throws SQLException {
    return statistic("idx_tup_fetch", table);
  }

  /** Of all connections: each tells what it did when it is asked to. */
  private long statistic(String column, String table) throws SQLException {
    try (var connection = fixture.rows.database.connection();
        var statement = connection.createStatement()) {
      statement.execute("select pg_stat_force_next_flush()");
      try (var row =
          statement.executeQuery(
              "select %s from pg_stat_user_tables where schemaname = 'viesti' and relname = '%s'"
                  .formatted(column, table))) {
        row.next();
        return row.getLong(1);
      }
    }
  }
}
