package dev.viesti.persistence.embedded;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.Properties;

/**
 * Opens connections to the embedded server.
 *
 * @param password of user viesti
 */
record Connector(int port, String password) {
  static final String USER = "viesti";
  static final String DATABASE = "viesti";

  /** On the loopback interface an answer takes microseconds; only a stopped process takes long. */
  private static final int CONNECT_SECONDS_MAX = 5;

  /** A database that does not exist, https://www.postgresql.org/docs/17/errcodes-appendix.html. */
  private static final String UNKNOWN_DATABASE = "3D000";

  private static final String SHOW_DATA_DIRECTORY = "show data_directory";
  private static final String CREATE_DATABASE = "create database viesti";

  /** What a look at the server found. */
  sealed interface Answer {
    /**
     * It let us in.
     *
     * @param dataDirectory whose data it serves
     */
    record Ready(String dataDirectory) implements Answer {}

    /** It is not there yet, or still starts or recovers. */
    record NotYet(String reason) implements Answer {}

    /** It is there and refuses the user or the password. */
    record Refused(String reason) implements Answer {}
  }

  String jdbcUrl() {
    return "jdbc:postgresql://127.0.0.1:" + port + "/" + DATABASE;
  }

  Answer ask() {
    try (var connection = open("postgres");
        var statement = connection.createStatement();
        var rows = statement.executeQuery(SHOW_DATA_DIRECTORY)) {
      rows.next();
      return new Answer.Ready(rows.getString(1));
    } catch (SQLException failed) {
      String state = String.valueOf(failed.getSQLState());
      String reason = state + " " + failed.getMessage();
      return state.startsWith("28") ? new Answer.Refused(reason) : new Answer.NotYet(reason);
    }
  }

  void createDatabaseIfMissing() throws SQLException {
    try (var existing = open(DATABASE)) {
      existing.isValid(CONNECT_SECONDS_MAX);
    } catch (SQLException failed) {
      if (!UNKNOWN_DATABASE.equals(failed.getSQLState())) {
        throw failed;
      }
      try (var connection = open("postgres");
          var statement = connection.createStatement()) {
        statement.execute(CREATE_DATABASE);
      }
    }
  }

  private Connection open(String database) throws SQLException {
    var properties = new Properties();
    properties.setProperty("user", USER);
    properties.setProperty("password", password);
    properties.setProperty("connectTimeout", Integer.toString(CONNECT_SECONDS_MAX));
    properties.setProperty("socketTimeout", Integer.toString(CONNECT_SECONDS_MAX * 2));
    properties.setProperty("ApplicationName", "viesti-embedded");
    return DriverManager.getConnection(
        "jdbc:postgresql://127.0.0.1:" + port + "/" + database, properties);
  }
}
