package dev.viesti.persistence.outbox;

import dev.viesti.persistence.BinaryArray;
import dev.viesti.protocol.delivery.Delivery;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import java.util.function.Function;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;

/**
 * Binds one array per column, in the order of the calls, in PostgreSQL's binary form: the driver
 * would box each number and send ids as text. A column that is null in all rows goes as an empty
 * array, which is the same where columns are unnested side by side: a shorter one is filled up with
 * nulls.
 */
public final class SqlArrays {
  /** Stands for {@code infinity} among microseconds: the due time of a client's row. */
  static final long UNROUTED = Long.MAX_VALUE;

  private final PreparedStatement statement;
  private int at;

  public SqlArrays(PreparedStatement statement) {
    this.statement = statement;
  }

  public <T> void texts(List<T> rows, Function<? super T, @Nullable String> column)
      throws SQLException {
    var array = new BinaryArray(BinaryArray.Type.TEXT, rows.size());
    for (T row : rows) {
      array.add(column.apply(row));
    }
    array.bind(statement, ++at);
  }

  public <T> void uuids(List<T> rows, Function<? super T, @Nullable UUID> column)
      throws SQLException {
    var array = new BinaryArray(BinaryArray.Type.UUID, rows.size());
    for (T row : rows) {
      array.add(column.apply(row));
    }
    array.bind(statement, ++at);
  }

  public <T> void longs(List<T> rows, Function<? super T, @Nullable Long> column)
      throws SQLException {
    var array = new BinaryArray(BinaryArray.Type.INT8, rows.size());
    for (T row : rows) {
      array.add(column.apply(row));
    }
    array.bind(statement, ++at);
  }

  public <T> void ints(List<T> rows, ToIntFunction<? super T> column) throws SQLException {
    var array = new BinaryArray(BinaryArray.Type.INT4, rows.size());
    for (T row : rows) {
      array.add(column.applyAsInt(row));
    }
    array.bind(statement, ++at);
  }

  public void array(BinaryArray array) throws SQLException {
    array.bind(statement, ++at);
  }

  public void number(long value) throws SQLException {
    statement.setLong(++at, value);
  }

  /** A plain parameter between the arrays. */
  public void text(String value) throws SQLException {
    statement.setString(++at, value);
  }

  /**
   * A time as whole microseconds since 1970, which is what {@code timestamptz} holds; null stays
   * null and stands for "at once". Exact in {@code timestamptz 'epoch' + n * interval '1
   * microsecond'} until the year 2255 (2^53 µs).
   */
  public static @Nullable Long micros(@Nullable Instant instant) {
    if (Delivery.UNROUTED.equals(instant)) {
      return UNROUTED;
    }
    return instant == null
        ? null
        : Math.addExact(
            Math.multiplyExact(instant.getEpochSecond(), 1_000_000L), instant.getNano() / 1_000);
  }
}
