package dev.viesti.persistence.outbox;

import dev.viesti.protocol.delivery.Delivery;
import java.nio.ByteBuffer;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.postgresql.core.BaseConnection;
import org.postgresql.core.Oid;
import org.postgresql.jdbc.PgArray;

/** Binds one array per column, in the order of the calls. */
final class SqlArrays {
  /** Stands for {@code infinity} among microseconds: the due time of a client's row. */
  static final long UNROUTED = Long.MAX_VALUE;

  /** Dimensions, whether there are nulls, type, length, first index. */
  private static final int ARRAY_HEAD = 5 * Integer.BYTES;

  private static final int UUID_BYTES = 2 * Long.BYTES;

  private final PreparedStatement statement;
  private int at;

  SqlArrays(PreparedStatement statement) {
    this.statement = statement;
  }

  <T> void texts(List<T> rows, Function<? super T, @Nullable String> column) throws SQLException {
    var values = new @Nullable String[rows.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = column.apply(rows.get(i));
    }
    bind("text", values);
  }

  /** The driver would send them as text, each of which PostgreSQL then has to read. */
  <T> void uuids(List<T> rows, Function<? super T, @Nullable UUID> column) throws SQLException {
    var values = new @Nullable UUID[rows.size()];
    boolean nulls = false;
    for (int i = 0; i < values.length; i++) {
      values[i] = column.apply(rows.get(i));
      nulls |= values[i] == null;
    }
    var connection = statement.getConnection().unwrap(BaseConnection.class);
    statement.setArray(++at, new PgArray(connection, Oid.UUID_ARRAY, binary(values, nulls)));
  }

  /** As {@code array_send} writes it. */
  private static byte[] binary(@Nullable UUID[] values, boolean nulls) {
    var bytes = ByteBuffer.allocate(ARRAY_HEAD + values.length * (Integer.BYTES + UUID_BYTES));
    bytes.putInt(1).putInt(nulls ? 1 : 0).putInt(Oid.UUID).putInt(values.length).putInt(1);
    for (UUID value : values) {
      if (value == null) {
        bytes.putInt(-1);
      } else {
        bytes.putInt(UUID_BYTES);
        bytes.putLong(value.getMostSignificantBits()).putLong(value.getLeastSignificantBits());
      }
    }
    return Arrays.copyOf(bytes.array(), bytes.position());
  }

  <T> void longs(List<T> rows, Function<? super T, @Nullable Long> column) throws SQLException {
    var values = new @Nullable Long[rows.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = column.apply(rows.get(i));
    }
    bind("int8", values);
  }

  <T> void ints(List<T> rows, Function<? super T, Integer> column) throws SQLException {
    var values = new Integer[rows.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = column.apply(rows.get(i));
    }
    bind("int4", values);
  }

  <T> void booleans(List<T> rows, Function<? super T, Boolean> column) throws SQLException {
    var values = new Boolean[rows.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = column.apply(rows.get(i));
    }
    bind("bool", values);
  }

  <T> void bytes(List<T> rows, Function<? super T, byte @Nullable []> column) throws SQLException {
    var values = new byte @Nullable [rows.size()][];
    for (int i = 0; i < values.length; i++) {
      values[i] = column.apply(rows.get(i));
    }
    bind("bytea", values);
  }

  /** A plain parameter between the arrays. */
  void text(String value) throws SQLException {
    statement.setString(++at, value);
  }

  private void bind(String type, @Nullable Object[] values) throws SQLException {
    statement.setArray(++at, statement.getConnection().createArrayOf(type, values));
  }

  /**
   * A time as whole microseconds since 1970, which is what {@code timestamptz} holds; null stays
   * null and stands for "at once". Exact in {@code timestamptz 'epoch' + n * interval '1
   * microsecond'} until the year 2255 (2^53 µs).
   */
  static @Nullable Long micros(@Nullable Instant instant) {
    if (Delivery.UNROUTED.equals(instant)) {
      return UNROUTED;
    }
    return instant == null
        ? null
        : Math.addExact(
            Math.multiplyExact(instant.getEpochSecond(), 1_000_000L), instant.getNano() / 1_000);
  }
}
