package dev.viesti.ops.bench;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Queue;
import java.util.UUID;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * What bare PostgreSQL does here with the same table, by the same driver: no fence, no owner, no
 * handler. Rows have the columns and the 200 bytes of the events of the workloads. Connections are
 * open, and plans made, before a part is measured; each begins with a vacuum and a checkpoint.
 */
final class Limit {
  /** Rows inserted by one connection and deleted by their keys by another, 1,000 a statement. */
  static final String PIPELINE = "pipeline_per_s";

  /** Rows inserted by two connections, as many as a node's writer has, 1,000 a statement. */
  static final String INSERT = "insert_per_s";

  /**
   * Rows written since the checkpoint, deleted by their keys by one connection, 1,000 a statement.
   */
  static final String DELETE = "delete_per_s";

  /** Transactions of one row, 8 connections. */
  static final String SINGLE = "single_per_s";

  /** All of them. */
  static final List<String> FIGURES = List.of(PIPELINE, INSERT, DELETE, SINGLE);

  /** Whose rows they are; no node knows it. */
  static final String APP = BenchDatabase.PREFIX + "0";

  private static final Duration WARM_UP = Duration.ofSeconds(1);
  private static final int BATCH = 1_000;
  private static final int WRITERS = 2;
  private static final int CALLERS = 8;

  /** Batches between the two connections of the pipeline. */
  private static final int BETWEEN = 4;

  /** After so many executions the driver has the statement prepared on the server. */
  private static final int PREPARED_AFTER = 6;

  /** When one connection fails before, the others do not wait for it for ever. */
  private static final int PREPARING_MAX_S = 60;

  private static final String PUT =
      """
      insert into viesti.outbox (due_at, seq, event_id, accepted_at, app_id, trigger_id, source, type,
          data)
      select '-infinity', k.seq, k.event_id, now(), ?, 'noop', 'bench', 'noop', k.data
      from (
        select unnest(?::bigint[]) as seq, unnest(?::uuid[]) as event_id, unnest(?::bytea[]) as data
      ) as k
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

  /** From PostgreSQL 17 on, one scan of the index takes the numbers leaf by leaf. */
  private static final String REMOVE_BY_LEAF =
      """
      delete from viesti.outbox
      where ctid = any (array (
        select o.ctid from viesti.outbox o
        where o.seq = any (?::bigint[]) and o.app_id = ? and o.due_at = '-infinity'))
      """;

  private static final int BY_LEAF_SINCE = 17;

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

  private final BenchDatabase database;
  private final AtomicLong seqs = new AtomicLong(1);
  private final byte[] data = new byte[Events.DATA_BYTES];

  private Limit(BenchDatabase database) {
    this.database = database;
  }

  /**
   * Warms up, then measures every part {@code rounds} times. The standard figures of a round are
   * those of the pipeline; the other parts' have prefixes.
   *
   * @param time of the parts that have no number of rows
   * @param rowsMin rows that are inserted and deleted by themselves; as many as the pipeline did,
   *     when those are more
   */
  static List<Measured> measure(BenchDatabase database, Duration time, int rowsMin, int rounds)
      throws Exception {
    var limit = new Limit(database);
    var unused = limit.pipeline(WARM_UP);
    unused = limit.singles(WARM_UP);
    List<Measured> measured = new ArrayList<>();
    for (int round = 0; round < rounds; round++) {
      measured.add(limit.round(time, rowsMin));
    }
    return measured;
  }

  private Measured round(Duration time, int rowsMin) throws Exception {
    Measured pipeline = pipeline(time);
    int rows = (int) Math.max(rowsMin, events(pipeline));
    Queue<Long[]> batches = new ConcurrentLinkedQueue<>();
    prepare();
    Measured inserts = inserts(rows, batches);
    Measured deletes = deletes(batches);
    Measured singles = singles(time);
    return pipeline
        .with(PIPELINE, rate(pipeline))
        .with(INSERT, rate(inserts))
        .with(DELETE, rate(deletes))
        .with(SINGLE, rate(singles))
        .withPart("insert_", inserts)
        .withPart("delete_", deletes)
        .withPart("single_", singles);
  }

  /** Without it, rows would go into the gaps that others left: a page written whole for each. */
  private void prepare() throws SQLException {
    database.execute("vacuum viesti.outbox");
    database.checkpoint();
  }

  private static double events(Measured part) {
    return part.figures().getOrDefault(Measured.EVENTS, 0.0);
  }

  private static double rate(Measured part) {
    return part.figures().getOrDefault(Measured.EVENTS_PER_S, Double.NaN);
  }

  private Measured pipeline(Duration time) throws Exception {
    prepare();
    BlockingQueue<Long[]> inserted = new ArrayBlockingQueue<>(BETWEEN);
    try (Connection writing = connect();
        Connection removing = connect();
        ExecutorService threads = Executors.newFixedThreadPool(2)) {
      for (int n = 0; n < PREPARED_AFTER; n++) {
        remove(removing, insert(writing));
      }
      Stretch stretch = Stretch.start(database);
      long end = stretch.started() + time.toNanos();
      Future<Long> writer = threads.submit(() -> write(writing, end, inserted));
      Future<Long> remover = threads.submit(() -> removeAll(removing, inserted));
      remover.get();
      return stretch.end(writer.get());
    }
  }

  private long write(Connection connection, long end, BlockingQueue<Long[]> inserted)
      throws SQLException, InterruptedException {
    long rows = 0;
    try {
      for (; System.nanoTime() - end < 0; rows += BATCH) {
        inserted.put(insert(connection));
      }
    } finally {
      inserted.put(new Long[0]);
    }
    return rows;
  }

  private static long removeAll(Connection connection, BlockingQueue<Long[]> inserted)
      throws SQLException, InterruptedException {
    long rows = 0;
    for (Long[] batch = inserted.take(); batch.length > 0; batch = inserted.take()) {
      try {
        remove(connection, batch);
      } catch (SQLException | RuntimeException failed) {
        drain(inserted);
        throw failed;
      }
      rows += batch.length;
    }
    return rows;
  }

  /** So that the other side does not wait for room for ever. */
  private static void drain(BlockingQueue<Long[]> inserted) throws InterruptedException {
    while (inserted.take().length > 0) {
      // nobody deletes them any more
    }
  }

  private Measured inserts(int rows, Queue<Long[]> batches) throws Exception {
    var left = new AtomicLong(rows);
    return together(
        WRITERS,
        (connection, begun) -> {
          for (int n = 0; n < PREPARED_AFTER; n++) {
            remove(connection, insert(connection));
          }
          begun.await(PREPARING_MAX_S, TimeUnit.SECONDS);
          long done = 0;
          for (; left.getAndAdd(-BATCH) > 0; done += BATCH) {
            batches.add(insert(connection));
          }
          return done;
        });
  }

  private Measured deletes(Queue<Long[]> batches) throws Exception {
    try (Connection connection = connect()) {
      for (int n = 0; n < PREPARED_AFTER; n++) {
        remove(connection, insert(connection));
      }
      Stretch stretch = Stretch.start(database);
      for (Long[] batch : batches) {
        remove(connection, batch);
      }
      return stretch.end((long) batches.size() * BATCH);
    }
  }

  private Measured singles(Duration time) throws Exception {
    prepare();
    Measured singles =
        together(
            CALLERS,
            (connection, begun) -> {
              try (PreparedStatement statement = connection.prepareStatement(ONE)) {
                for (int n = 0; n < PREPARED_AFTER; n++) {
                  single(statement);
                }
                begun.await(PREPARING_MAX_S, TimeUnit.SECONDS);
                long end = System.nanoTime() + time.toNanos();
                long done = 0;
                for (; System.nanoTime() - end < 0; done++) {
                  single(statement);
                }
                return done;
              }
            });
    database.execute("delete from viesti.outbox where app_id = '%s'".formatted(APP));
    return singles;
  }

  /** What one connection does. */
  private interface Part {
    /**
     * @param begun awaited once all is prepared: everybody begins at the same time
     * @return rows
     */
    long run(Connection connection, CyclicBarrier begun) throws Exception;
  }

  private Measured together(int connections, Part part) throws Exception {
    List<Connection> open = new ArrayList<>();
    List<Future<Long>> running = new ArrayList<>();
    var stretch = new AtomicReference<@Nullable Stretch>();
    try (ExecutorService threads = Executors.newFixedThreadPool(connections)) {
      var begun = new CyclicBarrier(connections, () -> stretch.set(startUnchecked()));
      for (int n = 0; n < connections; n++) {
        Connection connection = connect();
        open.add(connection);
        running.add(threads.submit(() -> part.run(connection, begun)));
      }
      long rows = 0;
      for (Future<Long> one : running) {
        rows += one.get();
      }
      return Objects.requireNonNull(stretch.get()).end(rows);
    } finally {
      for (Connection connection : open) {
        connection.close();
      }
    }
  }

  private Stretch startUnchecked() {
    try {
      return Stretch.start(database);
    } catch (SQLException failed) {
      throw new IllegalStateException(failed);
    }
  }

  private void single(PreparedStatement statement) throws SQLException {
    statement.setLong(1, seqs.getAndIncrement());
    statement.setObject(2, UUID.randomUUID());
    statement.setString(3, APP);
    statement.setBytes(4, data);
    statement.executeUpdate();
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
    try (PreparedStatement statement = connection.prepareStatement(PUT)) {
      statement.setString(1, APP);
      statement.setArray(2, connection.createArrayOf("int8", numbers));
      statement.setArray(3, connection.createArrayOf("uuid", ids));
      statement.setArray(4, connection.createArrayOf("bytea", payloads));
      statement.executeUpdate();
    }
    return numbers;
  }

  private static void remove(Connection connection, Long[] numbers) throws SQLException {
    boolean byLeaf = connection.getMetaData().getDatabaseMajorVersion() >= BY_LEAF_SINCE;
    try (PreparedStatement statement =
        connection.prepareStatement(byLeaf ? REMOVE_BY_LEAF : REMOVE)) {
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
    Connection connection = database.source().getConnection();
    try (var statement = connection.createStatement()) {
      for (String plan : PLANS) {
        statement.execute(plan);
      }
    }
    return connection;
  }
}
