package dev.viesti.persistence;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Instant;
import java.util.Arrays;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.postgresql.core.BaseConnection;
import org.postgresql.core.Oid;
import org.postgresql.jdbc.PgArray;

/**
 * An array of one dimension as PostgreSQL's {@code array_recv} reads it: number of dimensions,
 * whether there are nulls, type of the elements, length, first index; then the elements, each after
 * its length in bytes, -1 for null. Numbers are big-endian. Not thread-safe.
 */
public final class BinaryArray {
  /** What the elements are. */
  public enum Type {
    BOOL("boolean", Oid.BOOL, Oid.BOOL_ARRAY),
    BYTEA("bytea", Oid.BYTEA, Oid.BYTEA_ARRAY),
    INT4("integer", Oid.INT4, Oid.INT4_ARRAY),
    INT8("bigint", Oid.INT8, Oid.INT8_ARRAY),
    TEXT("text", Oid.TEXT, Oid.TEXT_ARRAY),
    TIMESTAMPTZ("timestamptz", Oid.TIMESTAMPTZ, Oid.TIMESTAMPTZ_ARRAY),
    UUID("uuid", Oid.UUID, Oid.UUID_ARRAY);

    private final String sql;
    private final int element;
    private final int array;

    Type(String sql, int element, int array) {
      this.sql = sql;
      this.element = element;
      this.array = array;
    }

    /** The name of the elements' type. */
    public String sql() {
      return sql;
    }
  }

  /** PostgreSQL counts time from 2000-01-01 on. */
  private static final long EPOCH_MICROS = 946_684_800_000_000L;

  /** The smallest number stands for {@code -infinity}. */
  private static final long BEFORE_ALL = Long.MIN_VALUE;

  private static final int HEAD = 5 * Integer.BYTES;
  private static final int NULL = -1;

  /** A guess: numbers fit, and texts make it grow. */
  private static final int ELEMENT_BYTES = 12;

  private final Type type;
  private ByteBuffer buffer;
  private int length;
  private int nulls;

  /**
   * @param expected about how many elements will be added
   */
  public BinaryArray(Type type, int expected) {
    this.type = type;
    this.buffer = ByteBuffer.allocate(HEAD + expected * ELEMENT_BYTES).position(HEAD);
  }

  public void add(byte @Nullable [] value) {
    if (value == null) {
      addNull();
    } else {
      element(value.length).put(value);
    }
  }

  public void add(@Nullable String value) {
    add(value == null ? null : value.getBytes(StandardCharsets.UTF_8));
  }

  public void add(@Nullable UUID value) {
    if (value == null) {
      addNull();
    } else {
      element(2 * Long.BYTES)
          .putLong(value.getMostSignificantBits())
          .putLong(value.getLeastSignificantBits());
    }
  }

  public void add(@Nullable Long value) {
    if (value == null) {
      addNull();
    } else {
      element(Long.BYTES).putLong(value);
    }
  }

  /**
   * A time, cut to the microsecond.
   *
   * @param value null means {@code -infinity}
   * @throws ArithmeticException 292,000 years from now
   */
  public void addTime(@Nullable Instant value) {
    long micros =
        value == null
            ? BEFORE_ALL
            : Math.addExact(
                    Math.multiplyExact(value.getEpochSecond(), 1_000_000L), value.getNano() / 1_000)
                - EPOCH_MICROS;
    element(Long.BYTES).putLong(micros);
  }

  public void add(int value) {
    element(Integer.BYTES).putInt(value);
  }

  public void add(boolean value) {
    element(1).put((byte) (value ? 1 : 0));
  }

  private void addNull() {
    nulls++;
    element(NULL);
  }

  private ByteBuffer element(int bytes) {
    int needed = Integer.BYTES + Math.max(0, bytes);
    if (buffer.remaining() < needed) {
      int grown = Math.max(2 * buffer.capacity(), buffer.position() + needed);
      buffer = ByteBuffer.wrap(Arrays.copyOf(buffer.array(), grown)).position(buffer.position());
    }
    length++;
    return buffer.putInt(bytes);
  }

  /**
   * Sets a parameter to the array, or to the empty one when all its elements are null. Nothing may
   * be added afterwards.
   */
  public void bind(PreparedStatement statement, int parameter) throws SQLException {
    var connection = statement.getConnection().unwrap(BaseConnection.class);
    statement.setArray(parameter, new PgArray(connection, type.array, bytes()));
  }

  private byte[] bytes() {
    boolean empty = nulls == length;
    int end = buffer.position();
    buffer.position(0);
    buffer.putInt(empty ? 0 : 1).putInt(empty || nulls == 0 ? 0 : 1).putInt(type.element);
    if (empty) {
      return Arrays.copyOf(buffer.array(), buffer.position());
    }
    buffer.putInt(length).putInt(1);
    return Arrays.copyOf(buffer.array(), end);
  }
}
