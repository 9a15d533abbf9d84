package dev.viesti.persistence;

import static org.assertj.core.api.Assertions.assertThat;

import java.sql.SQLException;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class SqlFailureTest {
  @ParameterizedTest
  @CsvSource({
    "22021, REFUSED", // a text holds U+0000
    "22003, REFUSED", // number out of range
    "23505, REFUSED", // unique key
    "42P01, REFUSED", // no such table
    "54000, REFUSED", // row too large
    "53100, NOT_NOW", // disk full
    "53200, NOT_NOW", // out of memory
    "53300, NOT_NOW", // too many connections
    "40P01, NOT_NOW", // deadlock
    "55P03, NOT_NOW", // lock not available
    "25006, NOT_NOW", // read-only: a standby
    "57014, NOT_NOW", // statement timeout
    "57P01, UNKNOWN", // server shuts down
    "57P02, UNKNOWN", // server crashed
    "57P03, UNKNOWN", // server starts
    "58030, UNKNOWN", // I/O error
    "08006, UNKNOWN", // connection broke
    "XX000, UNKNOWN",
    "'',    UNKNOWN",
    ",      UNKNOWN"
  })
  void readsTheState(@Nullable String state, SqlFailure meaning) {
    assertThat(SqlFailure.of(new SQLException("x", state))).isEqualTo(meaning);
  }

  @ParameterizedTest
  @CsvSource({
    "53100, true",
    "53200, true",
    "53300, true",
    "53400, false",
    "23505, false",
    ", false"
  })
  void knowsWhenTheServerLacksSomething(@Nullable String state, boolean lacks) {
    assertThat(SqlFailure.isShortOfResources(new SQLException("x", state))).isEqualTo(lacks);
  }
}
