package dev.viesti.ops.bench;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import javax.sql.DataSource;

/**
 * What bare PostgreSQL does here with the same table, by the same driver: no fence, no owner, no
 * handler. Rows have the columns and the 200 bytes of the events of the other workloads.
 */
final class Limit {
  /** Rows inserted by one connection and deleted by another, 1,000 a statement. */
  static final String PIPELINE = "pipeline_per_s";

  /** Rows deleted by their keys, 1,000 a statement. */
  static final String DELETE = "delete_per_s";

  /** Transactions of one row, 8 connections. */
  static final String SINGLE = "single_per_s";

  private static final Duration WARM_UP = Duration.ofSeconds(1);
  private static final int BATCH = 1_000;
  private static final int DELETED = 100_000;
  private static final int CALLERS = 8;
  private static final String APP = "bench-limit";

  private static final String INSERT =
      """
      insert into viesti.outbox (due_at, seq, event_id, accepted_at, app_id, trigger_id, source, type,
          data)
      select '-infinity', k.seq, k.event_id, now(), ?, 'noop', 'bench', 'noop', k.data
      from unnest(?::bigint[], ?::uuid[], ?::bytea[]) as k(seq, event_id, data)
      """;

  private static final String REMOVE =
      """
      delete from viesti.outbox
      where ctid = any (array (
        select found.ctid
        from unnest(?::bigint[]) as k(seq),
          lateral (
            select o.ctid from viesti.outbox o
            where o.app_id = ? and o.due_at = '-infinity' and o.seq = k.seq
            limit 1
          ) as found))
      """;

  private static final String ONE =
      """
      insert into viesti.outbox (due_at, seq, event_id, accepted_at, app_id, trigger_id, source, type,
          data)
      values ('-infinity', ?, ?, now(), ?, 'noop', 'bench', 'noop', ?)
      """;

  private static final List<String> PLANS =
      List.of(
          "set plan_cache_mode = force_generic_plan",
          "set enable_seqscan = off",
          "set enable_bitmapscan = off",
          "set jit = off");

  private final DataSource database;
  private final AtomicLong seqs = new AtomicLong(1);
  private final byte[] data = new byte[Events.DATA_BYTES];

  private Limit(DataSource database) {
    this.database = database;
  }

  /** What was measured. */
  record Result(Map<String, Double> figures, long events, double seconds) {
    Measured measured() {
      Measured measured = Measured.rate(events, seconds);
      figures.forEach(measured::with);
      return measured;
    }
  }

  /** Warms up, then measures all three. */
  static Result measure(DataSource database, Workload.Setting setting) throws Exception {
    var limit = new Limit(database);
    Duration time = setting.seconds();
    limit.pipeline(WARM_UP);
    Map<String, Double> figures = new HashMap<>();
    long started = System.nanoTime();
    long rows = limit.pipeline(time);
    double seconds = (System.nanoTime() - started) / 1e9;
    figures.put(PIPELINE, rows / seconds);
    figures.put(DELETE, limit.delete());
    limit.singles(WARM_UP);
    figures.put(SINGLE, limit.singles(time) / (time.toNanos() / 1e9));
    return new Result(figures, rows, seconds);
  }

  private long pipeline(Duration time) throws Exception {
    BlockingQueue<Long[]> inserted = new ArrayBlockingQueue<>(4);
    long end = System.nanoTime() + time.toNanos();
    try (ExecutorService threads = Executors.newFixedThreadPool(2)) {
      Future<Long> inserter =
          threads.submit(
              () -> {
                long rows = 0;
                try (Connection connection = connect()) {
                  while (System.nanoTime() < end) {
                    inserted.put(insert(connection));
                    rows += BATCH;
                  }
                } finally {
                  inserted.put(new Long[0]);
                }
                return rows;
              });
      Future<Long> remover =
          threads.submit(
              (Callable<Long>)
                  () -> {
                    try (Connection connection = connect()) {
                      Long[] batch = inserted.take();
                      while (batch.length > 0) {
                        remove(connection, batch);
                        batch = inserted.take();
                      }
                    }
                    return 0L;
                  });
      remover.get();
      return inserter.get();
    }
  }

  private double delete() throws Exception {
    List<Long[]> batches = new ArrayList<>();
    try (Connection connection = connect()) {
      for (int rows = 0; rows < DELETED; rows += BATCH) {
        batches.add(insert(connection));
      }
      long started = System.nanoTime();
      for (Long[] batch : batches) {
        remove(connection, batch);
      }
      return DELETED / ((System.nanoTime() - started) / 1e9);
    }
  }

  private long singles(Duration time) throws Exception {
    long end = System.nanoTime() + time.toNanos();
    List<Future<Long>> callers = new ArrayList<>();
    try (ExecutorService threads = Executors.newFixedThreadPool(CALLERS)) {
      for (int n = 0; n < CALLERS; n++) {
        callers.add(threads.submit(() -> single(end)));
      }
    }
    long sum = 0;
    for (Future<Long> caller : callers) {
      sum += caller.get(1, TimeUnit.MINUTES);
    }
    try (Connection connection = connect();
        PreparedStatement clean =
            connection.prepareStatement("delete from viesti.outbox where app_id = ?")) {
      clean.setString(1, APP);
      clean.executeUpdate();
    }
    return sum;
  }

  private long single(long end) throws SQLException {
    long done = 0;
    try (Connection connection = connect();
        PreparedStatement statement = connection.prepareStatement(ONE)) {
      for (; System.nanoTime() < end; done++) {
        statement.setLong(1, seqs.getAndIncrement());
        statement.setObject(2, UUID.randomUUID());
        statement.setString(3, APP);
        statement.setBytes(4, data);
        statement.executeUpdate();
      }
    }
    return done;
  }

  private Long[] insert(Connection connection) throws SQLException {
    Long[] numbers = new Long[BATCH];
    UUID[] ids = new UUID[BATCH];
    byte[][] payloads = new byte[BATCH][];
    for (int row = 0; row < BATCH; row++) {
      numbers[row] = seqs.getAndIncrement();
      ids[row] = new UUID(System.nanoTime(), row);
      payloads[row] = data;
    }
    try (PreparedStatement statement = connection.prepareStatement(INSERT)) {
      statement.setString(1, APP);
      statement.setArray(2, connection.createArrayOf("int8", numbers));
      statement.setArray(3, connection.createArrayOf("uuid", ids));
      statement.setArray(4, connection.createArrayOf("bytea", payloads));
      statement.executeUpdate();
    }
    return numbers;
  }

  private static void remove(Connection connection, Long[] numbers) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(REMOVE)) {
      statement.setArray(1, connection.createArrayOf("int8", numbers));
      statement.setString(2, APP);
      int removed = statement.executeUpdate();
      if (removed != numbers.length) {
        throw new IllegalStateException(
            "%d of %d rows were removed".formatted(removed, numbers.length));
      }
    }
  }

  private Connection connect() throws SQLException {
    Connection connection = database.getConnection();
    try (var statement = connection.createStatement()) {
      for (String plan : PLANS) {
        statement.execute(plan);
      }
    }
    return connection;
  }
}
