package dev.viesti.persistence;

import java.sql.SQLException;
import org.jspecify.annotations.Nullable;

/** What a failed statement means for the one who sent it. */
public enum SqlFailure {
  /** The server said no to this very data: the same statement will fail again. */
  REFUSED,
  /**
   * The server said no for now (disk full, too many connections, a deadlock); nothing was written.
   */
  NOT_NOW,
  /** The connection broke: whether a commit that was under way took effect is unknown. */
  UNKNOWN;

  /**
   * Whether the server lacks disk, memory or connections, so that any statement may fail. A limit
   * that was set for the statement itself is none of that.
   */
  public static boolean isShortOfResources(SQLException failure) {
    String state = String.valueOf(failure.getSQLState());
    return state.startsWith("53") && !state.equals("53400");
  }

  /**
   * Reads the <a
   * href="https://www.postgresql.org/docs/current/errcodes-appendix.html">SQLSTATE</a>.
   */
  public static SqlFailure of(SQLException failure) {
    @Nullable String state = failure.getSQLState();
    if (state == null || state.length() < 2) {
      return UNKNOWN;
    }
    if (state.equals("40003")) {
      return UNKNOWN; // "statement completion unknown"
    }
    return switch (state.substring(0, 2)) {
      case "22", "23", "42", "54" -> REFUSED;
      case "53", "40", "55" -> NOT_NOW;
      case "25" -> NOT_NOW;
      case "57" -> state.equals("57014") ? NOT_NOW : UNKNOWN;
      default -> UNKNOWN;
    };
  }
}
