package dev.viesti.ops.cli;

import com.fasterxml.jackson.databind.JsonNode;
import dev.viesti.ops.cli.Output.Column;
import java.util.ArrayList;
import java.util.List;

/**
 * Prints rows under aligned titles, page after page. Only the last column is cut to the terminal's
 * width: whatever stands before it (ids, states, times) can be copied whole.
 */
final class Table {
  private static final String GAP = "  ";

  /** Below it a cut text says nothing; such lines may wrap. */
  private static final int LAST_COLUMN_MIN = 12;

  private final Terminal terminal;
  private final List<Column> columns;
  private final int[] widths;
  private boolean titlesPrinted;

  Table(Terminal terminal, List<Column> columns) {
    this.terminal = terminal;
    this.columns = columns;
    this.widths = columns.stream().mapToInt(column -> column.title().length()).toArray();
  }

  void print(Iterable<JsonNode> rows) {
    var lines = new ArrayList<List<String>>();
    for (JsonNode row : rows) {
      lines.add(columns.stream().map(column -> cell(column, row)).toList());
    }
    for (List<String> line : lines) {
      for (int i = 0; i < widths.length; i++) {
        widths[i] = Math.max(widths[i], line.get(i).length());
      }
    }
    if (!titlesPrinted) {
      titlesPrinted = true;
      printLine(columns.stream().map(Column::title).toList());
    }
    lines.forEach(this::printLine);
  }

  private static String cell(Column column, JsonNode row) {
    String text = column.cell().apply(row);
    return text.isEmpty() ? "-" : text.replaceAll("\\p{Cntrl}+", " ");
  }

  private void printLine(List<String> cells) {
    var line = new StringBuilder();
    int last = cells.size() - 1;
    for (int i = 0; i < last; i++) {
      line.append(cells.get(i)).append(" ".repeat(widths[i] - cells.get(i).length())).append(GAP);
    }
    int room = terminal.columns() - line.length();
    String end = cells.get(last);
    boolean fits = end.length() <= room || room < LAST_COLUMN_MIN;
    line.append(fits ? end : end.substring(0, room - 1) + "…");
    terminal.out().println(line);
  }
}
