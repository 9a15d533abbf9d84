package dev.viesti.persistence;

import java.nio.ByteBuffer;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.Arrays;
import org.postgresql.core.BaseConnection;
import org.postgresql.core.Oid;
import org.postgresql.jdbc.PgArray;

/**
 * An array of one dimension as PostgreSQL's {@code array_recv} reads it: number of dimensions,
 * whether there are nulls, type of the elements, length, first index; then the elements. Not
 * thread-safe.
 */
public final class BinaryArray extends BinaryValues {
  /** What the elements are. */
  public enum Type {
    BOOL("boolean", Oid.BOOL, Oid.BOOL_ARRAY),
    BYTEA("bytea", Oid.BYTEA, Oid.BYTEA_ARRAY),
    INT2("smallint", Oid.INT2, Oid.INT2_ARRAY),
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

  private static final int HEAD = 5 * Integer.BYTES;

  /** A guess: numbers fit, and texts make it grow. */
  private static final int ELEMENT_BYTES = 12;

  private final Type type;

  /**
   * @param expected about how many elements will be added
   */
  public BinaryArray(Type type, int expected) {
    super(HEAD, expected * ELEMENT_BYTES);
    this.type = type;
  }

  /**
   * Sets a parameter to the array, or to the empty one when all its elements are null. Nothing may
   * be added afterwards.
   */
  public void bind(PreparedStatement statement, int parameter) throws SQLException {
    var connection = statement.getConnection().unwrap(BaseConnection.class);
    statement.setArray(parameter, new PgArray(connection, type.array, array()));
  }

  private byte[] array() {
    ByteBuffer buffer = room(0);
    boolean empty = nulls() == count();
    int end = buffer.position();
    buffer.position(0);
    buffer.putInt(empty ? 0 : 1).putInt(empty || nulls() == 0 ? 0 : 1).putInt(type.element);
    if (empty) {
      return Arrays.copyOf(bytes(), buffer.position());
    }
    buffer.putInt(count()).putInt(1);
    return Arrays.copyOf(bytes(), end);
  }
}
