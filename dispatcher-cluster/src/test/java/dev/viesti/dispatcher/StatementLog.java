package dev.viesti.dispatcher;

import dev.viesti.persistence.embedded.TestDatabase;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;

/** The statements that clients sent to a database, as {@code pg_stat_statements} counted them. */
record StatementLog(List<Line> lines) {
  /** What a statement does to the table {@code outbox}; one may insert and delete. */
  enum Deed {
    INSERT("insert into (viesti\\.)?outbox\\b"),
    DELETE("delete from (viesti\\.)?outbox\\b"),
    UPDATE("update (viesti\\.)?outbox\\b"),
    COPY("copy (viesti\\.)?outbox\\b"),
    MERGE("merge into (viesti\\.)?outbox\\b"),
    READ("(from|join) (viesti\\.)?outbox\\b");

    private final Pattern pattern;

    Deed(String regex) {
      this.pattern = Pattern.compile("\\b" + regex);
    }
  }

  /**
   * One text, its constants replaced.
   *
   * @param calls executions
   */
  record Line(long calls, String text) {
    boolean does(Deed deed) {
      return deed.pattern.matcher(text).find();
    }

    /** The sweep over all apps, or an owner's look for rows of clients. */
    boolean isOfTimer() {
      return text.startsWith("with recursive waiting") || text.contains("as oldest_running");
    }

    /** Nothing but a look: no row of the outbox is written. */
    boolean onlyReads() {
      return does(Deed.READ)
          && !does(Deed.INSERT)
          && !does(Deed.DELETE)
          && !does(Deed.UPDATE)
          && !does(Deed.COPY)
          && !does(Deed.MERGE);
    }
  }

  /** How a test begins statements of its own, that are not to be counted. */
  static final String OWN = "/* a look from outside */ ";

  private static final String ALL =
      """
      select s.calls || ' ' || s.query
      from pg_stat_statements s
      join pg_database d on d.oid = s.dbid
      where d.datname = current_database() and s.toplevel
        and s.query not like '%pg_stat_%' and s.query not like '/* a look%'
      order by s.calls desc, s.query
      """;

  /** Forgets what was counted; the extension must be there. */
  static void reset(TestDatabase database) throws SQLException {
    database.execute("select pg_stat_statements_reset()");
  }

  /** What was counted since the reset; the texts in lower case, on one line. */
  static StatementLog read(TestDatabase database) throws SQLException {
    List<Line> lines = new ArrayList<>();
    try (var connection = database.connect();
        var statement = connection.createStatement();
        var rows = statement.executeQuery(ALL)) {
      while (rows.next()) {
        String[] parts = rows.getString(1).split(" ", 2);
        String text = parts[1].toLowerCase(Locale.ROOT).replaceAll("\\s+", " ").strip();
        lines.add(new Line(Long.parseLong(parts[0]), text));
      }
    }
    return new StatementLog(lines);
  }

  List<Line> doing(Deed deed) {
    return lines.stream().filter(line -> line.does(deed)).toList();
  }

  /** But for the looks of a timer, which come whatever the events are. */
  List<Line> onlyReading() {
    return lines.stream().filter(line -> line.onlyReads() && !line.isOfTimer()).toList();
  }

  List<Line> ofTimers() {
    return lines.stream().filter(Line::isOfTimer).toList();
  }

  /** Rows that ran for longer than a second were marked as running. */
  boolean marked() {
    return doing(Deed.UPDATE).stream().anyMatch(line -> !line.text().contains("last_error"));
  }

  /** A table for people. */
  @Override
  public String toString() {
    var table = new StringBuilder("\n     calls  statement\n");
    for (Line line : lines) {
      String deeds =
          List.of(Deed.values()).stream().filter(line::does).map(Deed::name).toList().toString();
      table.append("%,10d  %-18s %.150s%n".formatted(line.calls(), deeds, line.text()));
    }
    return table.toString();
  }
}
