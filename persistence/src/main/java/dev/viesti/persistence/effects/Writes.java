package dev.viesti.persistence.effects;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;

/** All writes of a group of calls to one table, in one order. */
interface Writes {
  /**
   * A write that has met another row than it expects, or none.
   *
   * @param by the call that expects it
   */
  record Miss(Call.At by, Target target) {}

  boolean isEmpty();

  /** Part of the caller's transaction, which must be rolled back when there are misses. */
  List<Miss> run(Connection connection) throws SQLException;
}
