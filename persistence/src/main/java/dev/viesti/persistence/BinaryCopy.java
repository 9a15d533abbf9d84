package dev.viesti.persistence;

import java.sql.Connection;
import java.sql.SQLException;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyIn;

/**
 * Rows as <a href="https://www.postgresql.org/docs/current/sql-copy.html#id-1.9.55.9.4.6">{@code
 * copy … (format binary)}</a> reads them: a signature, flags, the length of an extension; then the
 * rows, each after the number of its fields; then -1. The types of the values must be exactly those
 * of the columns. Not thread-safe.
 */
public final class BinaryCopy extends BinaryValues {
  private static final byte[] SIGNATURE = {
    'P', 'G', 'C', 'O', 'P', 'Y', '\n', (byte) 0xff, '\r', '\n', 0
  };
  private static final int HEAD = 11 + 2 * Integer.BYTES;
  private static final short END = -1;

  /**
   * @param expected about how many bytes the rows will take
   */
  public BinaryCopy(int expected) {
    super(HEAD, expected);
    room(0).put(0, SIGNATURE); // flags and extension are 0
  }

  /** Begins a row; its values follow. */
  public void row(int fields) {
    room(Short.BYTES).putShort((short) fields);
  }

  /**
   * Writes the rows, if there are any, as part of the connection's transaction. Nothing may be
   * added afterwards.
   *
   * @param sql {@code copy … from stdin (format binary)}
   */
  public void run(Connection connection, String sql) throws SQLException {
    if (count() == 0) {
      return;
    }
    int length = room(Short.BYTES).putShort(END).position();
    CopyIn copy = connection.unwrap(PGConnection.class).getCopyAPI().copyIn(sql);
    try {
      copy.writeToCopy(bytes(), 0, length);
      copy.endCopy();
    } finally {
      if (copy.isActive()) {
        copy.cancelCopy();
      }
    }
  }
}
