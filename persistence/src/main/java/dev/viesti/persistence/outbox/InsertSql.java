package dev.viesti.persistence.outbox;

import dev.viesti.persistence.BinaryArray;
import dev.viesti.persistence.BinaryCopy;
import dev.viesti.persistence.BinaryValues;
import dev.viesti.protocol.delivery.Delivery;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.StringJoiner;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The texts of inserts, one for each form that is used. A column that few events have is left out
 * until a row has it, and is in all texts from then on: each array costs PostgreSQL time in a small
 * group, and each text a plan in each session. Thread-safe.
 */
final class InsertSql {
  /** How a row's value is added to those of its column, or to those of its row. */
  private interface Add {
    void add(BinaryValues values, Delivery row);
  }

  /**
   * A column of new rows.
   *
   * @param isUsedBy whether a row needs it; in the others it has its default
   */
  record Column(String name, BinaryArray.Type type, Predicate<Delivery> isUsedBy, Add add) {
    BinaryArray array(List<Delivery> rows) {
      var array = new BinaryArray(type, rows.size());
      rows.forEach(row -> add.add(array, row));
      return array;
    }

    void add(BinaryCopy copy, Delivery row) {
      add.add(copy, row);
    }
  }

  /**
   * A statement.
   *
   * @param columns in the order of its parameters
   */
  record Text(String sql, List<Column> columns) {}

  private enum Shape {
    ONE_APP,
    APPS,
    COPY
  }

  private record Form(Shape shape, boolean keyed, int rare) {}

  private static final String DUE = "due_at";

  private static final String UNLESS_REPEATED =
      "  and (k.external_id is null or (%1$s) in (select %1$s from fresh))\n";

  private static final String ANSWER = "select n, null::uuid from owned";

  private static final String ANSWER_KEYED =
      """
      select n, null::uuid, null::text from owned
      union all select 0, event_id, app_id from fresh
      """;

  private static final List<Column> COMMON =
      List.of(
          common("seq", BinaryArray.Type.INT8, (values, row) -> values.add(row.seq())),
          common("event_id", BinaryArray.Type.UUID, (values, row) -> values.add(row.event().id())),
          common(
              "accepted_at",
              BinaryArray.Type.TIMESTAMPTZ,
              (values, row) -> values.addTime(row.acceptedAt())),
          common(
              "trigger_id",
              BinaryArray.Type.TEXT,
              (values, row) -> values.add(row.trigger().value())),
          common(
              "source", BinaryArray.Type.TEXT, (values, row) -> values.add(row.event().source())),
          common("type", BinaryArray.Type.TEXT, (values, row) -> values.add(row.event().type())),
          common(
              "data",
              BinaryArray.Type.BYTEA,
              (array, row) ->
                  array.add(row.event().data().isEmpty() ? null : row.event().data().bytes())));

  private static final List<Column> RARE =
      List.of(
          new Column(
              DUE,
              BinaryArray.Type.TIMESTAMPTZ,
              row -> row.dueAt() != null,
              (values, row) -> values.addTime(row.dueAt())),
          new Column(
              "depth",
              BinaryArray.Type.INT2,
              row -> row.event().depth() != 0,
              (values, row) -> values.add((short) row.event().depth())),
          new Column(
              "data_binary",
              BinaryArray.Type.BOOL,
              row -> row.event().dataBinary(),
              (values, row) -> values.add(row.event().dataBinary())),
          new Column(
              "root_id",
              BinaryArray.Type.UUID,
              row -> row.event().rootId() != null,
              (values, row) -> values.add(row.event().rootId())),
          rare("ordering_key", Delivery::orderingKey),
          rare("subject", row -> row.event().subject()),
          rare("external_id", row -> row.event().externalId()),
          rare("attributes", row -> row.event().attributes()),
          rare("principal", row -> row.event().principal()),
          rare("traceparent", row -> row.event().traceparent()));

  /** In a copy, rows that are due at once say so. */
  private static final int DUE_BIT = 1;

  private final int copyRows;

  /** The rare columns that rows have had so far, as bits. */
  private final AtomicInteger used = new AtomicInteger();

  private final Map<Form, Text> texts = new ConcurrentHashMap<>();

  /**
   * @param copyRows from so many rows on a group goes by {@code copy}
   */
  InsertSql(int copyRows) {
    this.copyRows = copyRows;
  }

  int copyRows() {
    return copyRows;
  }

  private static Column common(String name, BinaryArray.Type type, Add add) {
    return new Column(name, type, row -> true, add);
  }

  private static Column rare(String name, Function<Delivery, @Nullable String> value) {
    return new Column(
        name,
        BinaryArray.Type.TEXT,
        row -> value.apply(row) != null,
        (values, row) -> values.add(value.apply(row)));
  }

  /**
   * The text for these rows.
   *
   * @param oneApp whether all are one app's
   * @param keyed whether events have ids of their senders'
   */
  Text text(List<Delivery> rows, boolean oneApp, boolean keyed) {
    return text(oneApp ? Shape.ONE_APP : Shape.APPS, keyed, rare(rows));
  }

  /** A {@code copy} of these rows, whose first column is the app, before those of the text. */
  Text copy(List<Delivery> rows) {
    return text(Shape.COPY, false, rare(rows) | DUE_BIT);
  }

  /** What has to come before a copy: parameters and answers are those of an insert of many apps. */
  static String hold(boolean keyed) {
    return "with " + Fence.OWNED + (keyed ? freshOfApps() + " " + ANSWER_KEYED : " " + ANSWER);
  }

  private Text text(Shape shape, boolean keyed, int rare) {
    return texts.computeIfAbsent(new Form(shape, keyed, rare), InsertSql::make);
  }

  private int rare(List<Delivery> rows) {
    int unused = ~used.get();
    int found = 0;
    for (int at = 0; at < RARE.size(); at++) {
      if ((unused & 1 << at) != 0 && rows.stream().anyMatch(RARE.get(at).isUsedBy())) {
        found |= 1 << at;
      }
    }
    return used.accumulateAndGet(found, (before, more) -> before | more);
  }

  private static Text make(Form form) {
    List<Column> columns = new ArrayList<>(COMMON);
    for (int at = 0; at < RARE.size(); at++) {
      if ((form.rare() & 1 << at) != 0) {
        columns.add(RARE.get(at));
      }
    }
    String sql =
        switch (form.shape()) {
          case ONE_APP -> ofOneApp(form, columns);
          case APPS -> ofApps(form, columns);
          case COPY -> copyOf(columns);
        };
    return new Text(sql, columns);
  }

  private static String ofOneApp(Form form, List<Column> columns) {
    String put = put(columns, "?", "", "exists (select from owned)");
    if (!form.keyed()) {
      return "with " + Fence.OWNED_BY_ONE + put;
    }
    return "with "
        + Fence.OWNED_BY_ONE
        + fresh("?, e.event_id", "unnest(?::uuid[]) as e(event_id)", "exists (select from owned)")
        + ", put as ("
        + put
        + UNLESS_REPEATED.formatted("event_id")
        + ") "
        + ANSWER_KEYED;
  }

  private static String ofApps(Form form, List<Column> columns) {
    String put =
        put(
            columns,
            "k.app_id",
            "unnest(?::int[]) as n, unnest(?::text[]) as app_id, ",
            "k.n = any (array (select n from owned))");
    if (!form.keyed()) {
      return "with " + Fence.OWNED + ", put as (" + put + ") " + ANSWER;
    }
    return "with "
        + Fence.OWNED
        + freshOfApps()
        + ", put as ("
        + put
        + UNLESS_REPEATED.formatted("app_id, event_id")
        + ") "
        + ANSWER_KEYED;
  }

  private static String copyOf(List<Column> columns) {
    var names = new StringJoiner(", ");
    columns.forEach(column -> names.add(column.name()));
    return "copy outbox (app_id, " + names + ") from stdin (format binary)";
  }

  private static String freshOfApps() {
    return fresh(
        "e.app_id, e.event_id",
        "unnest(?::int[], ?::text[], ?::uuid[]) as e(n, app_id, event_id)",
        "e.n = any (array (select n from owned))");
  }

  /** The order of the keys keeps two groups from waiting for each other. */
  private static String fresh(String keys, String from, String condition) {
    return """
        , fresh as (
          insert into idempotency_key (app_id, event_id)
          select %s
          from %s
          where %s
          order by 1, 2
          on conflict do nothing
          returning app_id, event_id
        )"""
        .formatted(keys, from, condition);
  }

  /**
   * In the select list, arrays are unnested side by side as rows are asked for. In the from clause,
   * each would be put into a store of its own first: a quarter of the statement's time.
   */
  private static String put(List<Column> columns, String app, String keys, String condition) {
    var names = new StringJoiner(", ");
    var values = new StringJoiner(", ");
    var arrays = new StringJoiner(", ");
    for (Column column : columns) {
      names.add(column.name());
      values.add("k." + column.name());
      arrays.add("unnest(?::%s[]) as %s".formatted(column.type().sql(), column.name()));
    }
    boolean later = columns.stream().anyMatch(column -> column.name().equals(DUE));
    if (!later) {
      names.add(DUE);
      values.add("'-infinity'");
    }
    return """

        insert into outbox (app_id, %s)
        select %s, %s
        from (select %s%s) as k
        where %s
        """
        .formatted(names, app, values, keys, arrays, condition);
  }
}
