package dev.viesti.persistence.schema;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import javax.sql.DataSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings the schema {@code viesti} to the version this code needs. Each migration runs in one
 * transaction together with its line in {@code viesti.schema_version}, so a failed or killed one
 * leaves nothing. Any number of nodes may start at once: a transaction-level advisory lock lets one
 * migrate while the others wait and then find nothing to do (it also works through a pooler in
 * transaction mode, where a session-level lock would not).
 */
public final class SchemaMigrator {
  private static final Logger LOG = LoggerFactory.getLogger(SchemaMigrator.class);

  /** What to do with pending migrations. */
  public enum Mode {
    /** Run them. The user needs the right to create tables. */
    AUTO,
    /** Refuse to start, naming them. Reads only. */
    VALIDATE,
    /** Do not even look. */
    NONE
  }

  /** How long a migration waits for a table that others use before it fails. */
  private static final Duration TABLE_LOCK_WAIT_MAX = Duration.ofSeconds(5);

  /** How long a node waits for another one that migrates; index builds on big tables take long. */
  private static final Duration MIGRATOR_WAIT_MAX = Duration.ofMinutes(10);

  /** Waited longer for a lock than lock_timeout allows. */
  private static final String LOCK_NOT_AVAILABLE = "55P03";

  /** The lock's key is "viesti" in ASCII: any number that no other software takes. */
  private static final String LOCK = "select pg_advisory_xact_lock(x'766965737469'::bigint)";

  private static final String VERSION_TABLE_EXISTS =
      "select to_regclass('viesti.schema_version') is not null";

  private static final String CREATE_VERSION_TABLE =
      """
      create schema if not exists viesti;
      create table if not exists viesti.schema_version (
        version    integer     primary key,
        name       text        not null,
        checksum   text        not null,
        applied_at timestamptz not null default now()
      );
      comment on table viesti.schema_version is
        'Migrations that have been applied; written by the migrator only.';
      """;

  private static final String READ_APPLIED =
      """
      select version, name, checksum, applied_at
        from viesti.schema_version
       order by version
      """;

  private final DataSource dataSource;
  private final List<Migration> migrations;

  /** The connections' user must own the schema, or have {@code create} on the database. */
  public SchemaMigrator(DataSource dataSource) {
    this(dataSource, Migration.all());
  }

  SchemaMigrator(DataSource dataSource, List<Migration> migrations) {
    this.dataSource = dataSource;
    this.migrations = List.copyOf(migrations);
  }

  private record Applied(int version, String name, String checksum, OffsetDateTime appliedAt) {}

  /**
   * Does what the mode says.
   *
   * @return the files run by this call, in order
   * @throws SchemaException if the database is newer than the code, an applied file was edited, a
   *     migration failed, or {@link Mode#VALIDATE} found pending ones
   */
  public List<String> migrate(Mode mode) {
    return switch (mode) {
      case AUTO -> apply();
      case VALIDATE -> {
        requireNothingPending();
        yield List.of();
      }
      case NONE -> List.of();
    };
  }

  /** Every migration that the code or the database knows, in order. Reads only. */
  public List<SchemaVersion> status() {
    Map<Integer, SchemaVersion> versions = new TreeMap<>();
    for (Migration migration : migrations) {
      versions.put(
          migration.version(), new SchemaVersion(migration.version(), migration.name(), null));
    }
    for (Applied applied : readApplied()) {
      versions.put(
          applied.version(),
          new SchemaVersion(applied.version(), applied.name(), applied.appliedAt().toInstant()));
    }
    return List.copyOf(versions.values());
  }

  /** The whole schema as one script; see {@link #sql(int)}. */
  public static String sql() {
    return sql(1);
  }

  /**
   * What {@link Mode#AUTO} would run, for those who apply SQL by hand, with {@code psql -v
   * ON_ERROR_STOP=1}. Records the versions, so {@link Mode#VALIDATE} is content afterwards.
   *
   * @param versionMin the first version to print, 1-based
   */
  public static String sql(int versionMin) {
    return script(Migration.all(), versionMin);
  }

  static String script(List<Migration> migrations, int versionMin) {
    return migrations.stream()
        .filter(migration -> migration.version() >= versionMin)
        .map(SchemaMigrator::transaction)
        .collect(Collectors.joining("\n"));
  }

  private static String transaction(Migration migration) {
    return """
        -- %s
        begin;
        set local lock_timeout = '%d s';
        %s;
        %s
        %s
        %s;
        commit;
        """
        .formatted(
            migration.name(),
            TABLE_LOCK_WAIT_MAX.toSeconds(),
            LOCK,
            CREATE_VERSION_TABLE,
            migration.sql(),
            recordApplied(migration));
  }

  private static String recordApplied(Migration migration) {
    // Text, not parameters, because the printed script needs it; a name and a checksum are safe.
    return "insert into viesti.schema_version (version, name, checksum) values (%d, '%s', '%s')"
        .formatted(migration.version(), migration.name(), migration.checksum());
  }

  private List<String> apply() {
    var names = new ArrayList<String>();
    // A newer database or an edited file is refused before anything is written.
    List<Applied> before = readApplied();
    verify(before);
    for (Migration migration : migrations) {
      if (!contains(before, migration) && applyInTransaction(migration)) {
        LOG.info("applied migration {}", migration.name());
        names.add(migration.name());
      }
    }
    return List.copyOf(names);
  }

  private boolean applyInTransaction(Migration migration) {
    try (var connection = dataSource.getConnection()) {
      connection.setAutoCommit(false);
      boolean committed = false;
      try {
        boolean applied = applyUnderLock(connection, migration);
        connection.commit();
        committed = true;
        return applied;
      } finally {
        if (!committed) {
          connection.rollback();
        }
      }
    } catch (SQLException failed) {
      String advice =
          LOCK_NOT_AVAILABLE.equals(failed.getSQLState())
              ? "Another session keeps a table or the migration lock;"
                  + " see pg_stat_activity, then run: viesti migrate"
              : "Nothing of it was kept. Repair the cause, then run: viesti migrate";
      throw new SchemaException(
          "migration %s failed: %s. %s".formatted(migration.name(), failed.getMessage(), advice),
          failed);
    }
  }

  /** False if another node has applied it while we waited for the lock. */
  private boolean applyUnderLock(Connection connection, Migration migration) throws SQLException {
    try (var statement = connection.createStatement()) {
      statement.execute("set local lock_timeout = '%d s'".formatted(MIGRATOR_WAIT_MAX.toSeconds()));
      statement.execute(LOCK);
      statement.execute(
          "set local lock_timeout = '%d s'".formatted(TABLE_LOCK_WAIT_MAX.toSeconds()));
      List<Applied> applied = readApplied(connection);
      verify(applied);
      if (contains(applied, migration)) {
        return false;
      }
      statement.execute(CREATE_VERSION_TABLE);
      statement.execute(migration.sql());
      statement.execute(recordApplied(migration));
      return true;
    }
  }

  private void requireNothingPending() {
    List<Applied> applied = readApplied();
    verify(applied);
    String pending =
        migrations.stream()
            .filter(migration -> !contains(applied, migration))
            .map(Migration::name)
            .collect(Collectors.joining(", "));
    if (!pending.isEmpty()) {
      throw new SchemaException("The database lacks %s. Run: viesti migrate".formatted(pending));
    }
  }

  private static boolean contains(List<Applied> applied, Migration migration) {
    return applied.stream().anyMatch(line -> line.version() == migration.version());
  }

  private void verify(List<Applied> applied) {
    for (Applied line : applied) {
      Migration known =
          migrations.stream()
              .filter(migration -> migration.version() == line.version())
              .findFirst()
              .orElseThrow(() -> databaseIsNewer(line));
      if (!known.checksum().equals(line.checksum())) {
        throw new SchemaException(
            ("Migration %s was edited after it had been applied to this database at %s."
                    + " Restore the file; put changes into a new migration.")
                .formatted(known.name(), line.appliedAt()));
      }
    }
  }

  private static SchemaException databaseIsNewer(Applied unknown) {
    return new SchemaException(
        ("The database has migration %s, which this version of Viesti does not know: it is older"
                + " than the database. Start the newer version.")
            .formatted(unknown.name()));
  }

  private List<Applied> readApplied() {
    try (var connection = dataSource.getConnection()) {
      return readApplied(connection);
    } catch (SQLException failed) {
      throw new SchemaException(
          "cannot read viesti.schema_version: " + failed.getMessage(), failed);
    }
  }

  private static List<Applied> readApplied(Connection connection) throws SQLException {
    try (var statement = connection.createStatement()) {
      try (ResultSet exists = statement.executeQuery(VERSION_TABLE_EXISTS)) {
        exists.next();
        if (!exists.getBoolean(1)) {
          return List.of();
        }
      }
      var applied = new ArrayList<Applied>();
      try (ResultSet rows = statement.executeQuery(READ_APPLIED)) {
        while (rows.next()) {
          applied.add(
              new Applied(
                  rows.getInt("version"),
                  rows.getString("name"),
                  rows.getString("checksum"),
                  rows.getObject("applied_at", OffsetDateTime.class)));
        }
      }
      return applied;
    }
  }
}
