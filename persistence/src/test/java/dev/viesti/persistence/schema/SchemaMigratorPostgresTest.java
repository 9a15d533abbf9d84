package dev.viesti.persistence.schema;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.viesti.persistence.embedded.TestDatabase;
import dev.viesti.persistence.embedded.TestPostgres;
import dev.viesti.persistence.schema.SchemaMigrator.Mode;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

final class SchemaMigratorPostgresTest {
  private static final Migration ONE =
      Migration.of("V001__one.sql", "create table viesti.one (n int);");
  private static final Migration TWO =
      Migration.of("V002__two.sql", "create table viesti.two (n int);");

  private final TestDatabase database = TestPostgres.freshDatabase();

  @Test
  void createsEveryTableOnAnEmptyDatabase() throws Exception {
    assertThat(real().migrate(Mode.AUTO))
        .containsExactly(
            "V001__create_tables.sql",
            "V002__clients_deferred_order.sql",
            "V003__quiet_owners.sql",
            "V004__plugins.sql",
            "V005__module_uses.sql");
    String tables =
        database.queryText(
            """
            select string_agg(tablename, ' ' order by tablename)
              from pg_tables
             where schemaname = 'viesti'
            """);
    assertThat(tables.split(" "))
        .containsExactly(
            "app",
            "cluster_lease",
            "dead_letter",
            "deferred_delivery",
            "durable_state",
            "event_journal",
            "event_tag",
            "idempotency_key",
            "kv",
            "module_use",
            "numbering",
            "outbox",
            "outbox_owner",
            "plugin_artifact",
            "plugin_entity",
            "schema_version",
            "snapshot");
  }

  @Test
  void outboxRowsComeInOrderOfTheirNumbers() throws Exception {
    real().migrate(Mode.AUTO);
    database.execute(
        """
        insert into viesti.outbox (due_at, event_id, accepted_at, app_id, source, type)
        select '-infinity', gen_random_uuid(), now(), 'shop', '/s', 't'
          from generate_series(1, 3)
        """);
    assertThat(
            database.queryText("select string_agg(seq::text, ' ' order by seq) from viesti.outbox"))
        .isEqualTo("1 1001 2001");
  }

  @Test
  void doesNothingTheSecondTime() throws Exception {
    real().migrate(Mode.AUTO);
    String first = database.queryText("select applied_at from viesti.schema_version");
    assertThat(real().migrate(Mode.AUTO)).isEmpty();
    assertThat(database.queryText("select applied_at from viesti.schema_version")).isEqualTo(first);
  }

  @Test
  void migratesOnceWhenManyNodesStartTogether() throws Exception {
    int nodes = 4;
    var start = new CyclicBarrier(nodes);
    var tasks = new ArrayList<Callable<List<String>>>();
    for (int node = 0; node < nodes; node++) {
      tasks.add(
          () -> {
            start.await(10, TimeUnit.SECONDS);
            return migrator(ONE, TWO).migrate(Mode.AUTO);
          });
    }
    var applied = new ArrayList<String>();
    try (var executor = Executors.newFixedThreadPool(nodes)) {
      for (var future : executor.invokeAll(tasks)) {
        applied.addAll(future.get());
      }
    }
    assertThat(applied).containsExactlyInAnyOrder("V001__one.sql", "V002__two.sql");
  }

  @Test
  void refusesAnEditedFile() {
    migrator(ONE).migrate(Mode.AUTO);
    Migration edited = Migration.of(ONE.name(), ONE.sql() + " -- edited");
    for (Mode mode : List.of(Mode.AUTO, Mode.VALIDATE)) {
      assertThatThrownBy(() -> migrator(edited).migrate(mode))
          .isInstanceOf(SchemaException.class)
          .hasMessageContaining("V001__one.sql was edited");
    }
  }

  @Test
  void otherLineEndsAreNoEdit() {
    migrator(ONE).migrate(Mode.AUTO);
    assertThat(Migration.of("V001__one.sql", "a\r\nb").checksum())
        .isEqualTo(Migration.of("V001__one.sql", "a\nb").checksum());
  }

  @Test
  void refusesADatabaseThatIsNewer() {
    migrator(ONE, TWO).migrate(Mode.AUTO);
    for (Mode mode : List.of(Mode.AUTO, Mode.VALIDATE)) {
      assertThatThrownBy(() -> migrator(ONE).migrate(mode))
          .isInstanceOf(SchemaException.class)
          .hasMessageContaining("V002__two.sql")
          .hasMessageContaining("Start the newer version");
    }
  }

  @Test
  void validateNamesWhatIsPendingAndWritesNothing() throws Exception {
    assertThatThrownBy(() -> migrator(ONE, TWO).migrate(Mode.VALIDATE))
        .isInstanceOf(SchemaException.class)
        .hasMessageContaining("V001__one.sql, V002__two.sql")
        .hasMessageContaining("viesti migrate");
    assertThat(schemas()).isEqualTo("0");
    migrator(ONE, TWO).migrate(Mode.AUTO);
    assertThat(migrator(ONE, TWO).migrate(Mode.VALIDATE)).isEmpty();
  }

  @Test
  void noneDoesNotEvenLook() throws Exception {
    assertThat(migrator(ONE).migrate(Mode.NONE)).isEmpty();
    assertThat(schemas()).isEqualTo("0");
  }

  @Test
  void failedMigrationLeavesNothing() throws Exception {
    Migration broken =
        Migration.of("V002__broken.sql", "create table viesti.half (n int); select nonsense;");
    assertThatThrownBy(() -> migrator(ONE, broken).migrate(Mode.AUTO))
        .isInstanceOf(SchemaException.class)
        .hasMessageContaining("V002__broken.sql")
        .hasMessageContaining("nonsense");
    assertThat(database.queryText("select to_regclass('viesti.half') is null")).isEqualTo("t");
    assertThat(migrator(ONE, TWO).migrate(Mode.AUTO)).containsExactly("V002__two.sql");
  }

  @Test
  void failsClearlyOnATableThatIsInUse() throws Exception {
    migrator(ONE).migrate(Mode.AUTO);
    Migration change = Migration.of("V002__c.sql", "alter table viesti.one add column m int;");
    try (var busy = database.connect();
        var statement = busy.createStatement()) {
      busy.setAutoCommit(false);
      statement.execute("lock table viesti.one in share mode");
      assertThatThrownBy(() -> migrator(ONE, change).migrate(Mode.AUTO))
          .isInstanceOf(SchemaException.class)
          .hasMessageContaining("pg_stat_activity");
    }
    assertThat(migrator(ONE, change).migrate(Mode.AUTO)).containsExactly("V002__c.sql");
  }

  @Test
  void printedSqlDoesTheSame() throws Exception {
    database.execute(SchemaMigrator.sql());
    assertThat(real().migrate(Mode.VALIDATE)).isEmpty();
    assertThat(real().migrate(Mode.AUTO)).isEmpty();
  }

  @Test
  void printsFromAVersionOn() {
    assertThat(SchemaMigrator.script(List.of(ONE, TWO), 2))
        .contains("viesti.two")
        .doesNotContain("viesti.one");
  }

  @Test
  void statusTellsAppliedFromPending() {
    migrator(ONE).migrate(Mode.AUTO);
    List<SchemaVersion> status = migrator(ONE, TWO).status();
    assertThat(status).extracting(SchemaVersion::name).containsExactly(ONE.name(), TWO.name());
    assertThat(status).extracting(SchemaVersion::isPending).containsExactly(false, true);
  }

  @Test
  void listsEveryMigrationFile() throws Exception {
    URI file =
        Objects.requireNonNull(
                SchemaMigrator.class.getResource(Migration.all().getFirst().name()), "resource")
            .toURI();
    try (var files = Files.list(Objects.requireNonNull(Path.of(file).getParent()))) {
      assertThat(
              files
                  .map(path -> path.getFileName().toString())
                  .filter(name -> name.endsWith(".sql"))
                  .sorted())
          .containsExactlyElementsOf(Migration.all().stream().map(Migration::name).toList());
    }
  }

  private String schemas() throws Exception {
    return database.queryText("select count(*) from pg_namespace where nspname = 'viesti'");
  }

  private SchemaMigrator real() {
    return new SchemaMigrator(database.dataSource());
  }

  private SchemaMigrator migrator(Migration... migrations) {
    return new SchemaMigrator(database.dataSource(), List.of(migrations));
  }
}
