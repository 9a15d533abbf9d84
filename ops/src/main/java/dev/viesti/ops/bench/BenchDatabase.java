package dev.viesti.ops.bench;

import com.zaxxer.hikari.util.DriverDataSource;
import dev.viesti.persistence.embedded.EmbeddedPostgres;
import dev.viesti.persistence.embedded.EmbeddedPostgresSettings;
import dev.viesti.persistence.schema.SchemaMigrator;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** The PostgreSQL of the workloads inside this JVM: one of their own, or a given one. */
final class BenchDatabase implements AutoCloseable {
  /** Of all apps that are measured with. */
  static final String PREFIX = "bench-";

  /**
   * What the table and its index grow to in the workloads that take seconds fits in it; a server
   * for production has more.
   */
  private static final int SHARED_BUFFERS_MIB = 1_024;

  /** Enough to know whose database it is. */
  private static final int FOREIGN_SHOWN_MAX = 3;

  private static final String HAS_SCHEMA = "select to_regclass('viesti.app') is not null";

  private static final String FOREIGN =
      """
      (select app_id from viesti.app where app_id not like '%1$s%%' limit %2$d)
      union
      (select app_id from viesti.outbox where app_id not like '%1$s%%' limit %2$d)
      order by app_id
      limit %2$d
      """
          .formatted(PREFIX, FOREIGN_SHOWN_MAX);

  private final @Nullable EmbeddedPostgres postgres;
  private final Bench.GivenDatabase address;
  private final DataSource source;
  private final Connection connection;

  private BenchDatabase(
      @Nullable EmbeddedPostgres postgres,
      Bench.GivenDatabase address,
      DataSource source,
      Connection connection) {
    this.postgres = postgres;
    this.address = address;
    this.source = source;
    this.connection = connection;
  }

  /**
   * Starts one where none is given, and creates the schema.
   *
   * @throws ForeignAppsException when others use the given one; nothing has been written
   */
  static BenchDatabase open(Bench.@Nullable GivenDatabase given, Path directory)
      throws SQLException {
    if (given != null) {
      return open(null, given);
    }
    EmbeddedPostgres own =
        EmbeddedPostgres.start(
            directory,
            EmbeddedPostgresSettings.defaults().withSharedBuffersMib(SHARED_BUFFERS_MIB));
    boolean opened = false;
    try {
      BenchDatabase database =
          open(own, new Bench.GivenDatabase(own.jdbcUrl(), own.user(), own.password()));
      opened = true;
      return database;
    } finally {
      if (!opened) {
        own.close();
      }
    }
  }

  private static BenchDatabase open(
      @Nullable EmbeddedPostgres postgres, Bench.GivenDatabase address) throws SQLException {
    DataSource source =
        new DriverDataSource(
            address.jdbcUrl(),
            "org.postgresql.Driver",
            new Properties(),
            address.user(),
            address.password());
    Connection connection = source.getConnection();
    boolean opened = false;
    try {
      refuseForeign(connection);
      new SchemaMigrator(source).migrate(SchemaMigrator.Mode.AUTO);
      opened = true;
      return new BenchDatabase(postgres, address, source, connection);
    } finally {
      if (!opened) {
        connection.close();
      }
    }
  }

  private static void refuseForeign(Connection connection) throws SQLException {
    List<String> foreign = new ArrayList<>();
    try (Statement statement = connection.createStatement()) {
      try (ResultSet row = statement.executeQuery(HAS_SCHEMA)) {
        row.next();
        if (!row.getBoolean(1)) {
          return;
        }
      }
      try (ResultSet rows = statement.executeQuery(FOREIGN)) {
        while (rows.next()) {
          foreign.add(rows.getString(1));
        }
      }
    }
    if (!foreign.isEmpty()) {
      throw new ForeignAppsException(foreign);
    }
  }

  Bench.GivenDatabase address() {
    return address;
  }

  /** Whether it outlives us. */
  boolean isGiven() {
    return postgres == null;
  }

  /** Plain connections. */
  DataSource source() {
    return source;
  }

  /** So that the pages that are written whole after a checkpoint are the same in each run. */
  void checkpoint() throws SQLException {
    execute("checkpoint");
  }

  void execute(String sql) throws SQLException {
    synchronized (connection) {
      try (Statement statement = connection.createStatement()) {
        statement.execute(sql);
      }
    }
  }

  NodeProbe.Reading read() throws SQLException {
    return new NodeProbe.Reading(
        System.nanoTime(),
        walBytes(),
        null,
        postgres == null ? null : ProcessCpu.ofTree(postgres.pid()),
        ProcessCpu.of(ProcessHandle.current()),
        ProcessCpu.ofMachine());
  }

  private long walBytes() throws SQLException {
    synchronized (connection) {
      try (Statement statement = connection.createStatement();
          ResultSet row =
              statement.executeQuery("select pg_current_wal_insert_lsn() - '0/0'::pg_lsn")) {
        row.next();
        return row.getLong(1);
      }
    }
  }

  @Override
  public void close() throws SQLException {
    try {
      connection.close();
    } finally {
      if (postgres != null) {
        postgres.close();
      }
    }
  }
}
