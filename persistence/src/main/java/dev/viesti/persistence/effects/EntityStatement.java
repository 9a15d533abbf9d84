package dev.viesti.persistence.effects;

import dev.viesti.persistence.effects.EntityQuery.Condition;
import dev.viesti.persistence.effects.EntityQuery.Op;
import dev.viesti.persistence.effects.EntityQuery.Sort;
import dev.viesti.persistence.effects.EntityRepository.Entity;
import dev.viesti.persistence.effects.EntityRepository.Unwritten;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.plugin.EntityType;
import dev.viesti.protocol.plugin.PluginId;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A query as SQL. Its text is put together of constants alone, which enums choose; names of fields
 * and values are parameters, so none of them can become SQL.
 */
final class EntityStatement {
  private static final String SELECT =
      """
      select d.id, d.version, d.created_at, d.created_by, d.updated_at, d.updated_by,
        d.data::text\
      """;

  private static final String FROM =
      """

      from plugin_entity d
      where d.app_id = ? and d.plugin_id = ? and d.entity = ? and d.deleted_at is null\
      """;

  /** The same with rows of a caller's own in the place of those that it has changed. */
  private static final String FROM_WITH_UNWRITTEN =
      """

      from (
        select e.id, e.version, e.created_at, e.created_by, e.updated_at, e.updated_by, e.data
        from plugin_entity e
        where e.app_id = ? and e.plugin_id = ? and e.entity = ? and e.deleted_at is null
          and e.id <> all (?::uuid[])
        union all
        select u.id, u.version, u.created_at, u.created_by, u.updated_at, u.updated_by, u.data
        from unnest(?::uuid[], ?::bigint[], ?::timestamptz[], ?::text[], ?::timestamptz[], ?::text[],
            ?::jsonb[])
          as u(id, version, created_at, created_by, updated_at, updated_by, data)
      ) d
      where true\
      """;

  private final EntityType type;
  private final StringBuilder sql = new StringBuilder(SELECT);
  private final List<Object> parameters = new ArrayList<>();
  private final List<Column> sorted = new ArrayList<>();

  /**
   * @throws InvalidQueryException naming the part that does not fit the type
   */
  EntityStatement(
      AppId app, PluginId plugin, EntityType type, EntityQuery query, Unwritten unwritten) {
    this.type = type;
    for (int i = 0; i < query.sort().size(); i++) {
      sorted.add(sortable("sort[" + i + "].field", query.sort().get(i).field()));
    }
    for (Column column : sorted) {
      sql.append(", (");
      sort(column);
      sql.append(")::text");
    }
    sql.append(unwritten.isEmpty() ? FROM : FROM_WITH_UNWRITTEN);
    parameters.add(app.value());
    parameters.add(plugin.value());
    parameters.add(type.name());
    if (!unwritten.isEmpty()) {
      add(unwritten);
    }
    for (int i = 0; i < query.where().size(); i++) {
      sql.append("\n  and ");
      condition("where[" + i + "]", query.where().get(i));
    }
    String cursor = query.cursor();
    if (cursor != null) {
      sql.append("\n  and ");
      behind(EntityCursor.decode(cursor, query.sort()), query.sort());
    }
    sql.append("\norder by ");
    for (int i = 0; i < sorted.size(); i++) {
      sort(sorted.get(i));
      sql.append(query.sort().get(i).descending() ? " desc nulls last, " : " asc nulls last, ");
    }
    sql.append("d.id\nlimit ?");
    // one more says whether another page follows
    parameters.add(query.limit() + 1);
  }

  private void add(Unwritten unwritten) {
    parameters.add(
        unwritten.touched().stream().map(UUID::toString).sorted().toArray(String[]::new));
    List<Entity> rows = unwritten.there();
    addTexts(rows, row -> row.id().toString());
    addTexts(rows, row -> Long.toString(row.version()));
    addTexts(rows, row -> row.createdAt().toString());
    addTexts(rows, Entity::createdBy);
    addTexts(rows, row -> row.updatedAt().toString());
    addTexts(rows, Entity::updatedBy);
    addTexts(rows, Entity::json);
  }

  private void addTexts(List<Entity> rows, Function<Entity, String> value) {
    parameters.add(rows.stream().map(value).toArray(String[]::new));
  }

  PreparedStatement prepare(Connection connection) throws SQLException {
    PreparedStatement statement = connection.prepareStatement(sql.toString());
    int at = 0;
    for (Object parameter : parameters) {
      if (parameter instanceof String[] texts) {
        statement.setArray(++at, connection.createArrayOf("text", texts));
      } else {
        statement.setObject(++at, parameter);
      }
    }
    return statement;
  }

  private Column column(String path, String field) {
    Column column = Column.of(type, field);
    if (column == null) {
      throw new InvalidQueryException(
          path, "entity '" + type.name() + "' has no field '" + field + "'");
    }
    return column;
  }

  private Column sortable(String path, String field) {
    Column column = column(path, field);
    if (column.kind() == Column.Kind.JSON) {
      throw new InvalidQueryException(path, "'" + field + "' is JSON, which has no order");
    }
    return column;
  }

  private void read(Column column) {
    sql.append(column.kind().read);
    names(column);
  }

  private void sort(Column column) {
    sql.append(column.sorted());
    names(column);
  }

  private void names(Column column) {
    String field = column.field();
    for (int n = 0; n < column.kind().names; n++) {
      parameters.add(Objects.requireNonNull(field));
    }
  }

  private void condition(String path, Condition condition) {
    Column column = column(path + ".field", condition.field());
    if (condition.op() != Op.IS_NULL && column.kind() == Column.Kind.JSON) {
      throw new InvalidQueryException(
          path + ".op", "'" + condition.field() + "' is JSON, which can only be tested by is_null");
    }
    boolean part = condition.op() == Op.PREFIX || condition.op() == Op.CONTAINS;
    if (part && column.kind() != Column.Kind.TEXT) {
      throw new InvalidQueryException(
          path + ".op",
          condition.op().text() + " is for text, and '" + condition.field() + "' is not");
    }
    String valuePath = path + ".value";
    switch (condition.op()) {
      case EQ -> compared(column, " = ", valuePath, condition.value());
      case NE -> compared(column, " is distinct from ", valuePath, condition.value());
      case LT -> compared(column, " < ", valuePath, condition.value());
      case LE -> compared(column, " <= ", valuePath, condition.value());
      case GT -> compared(column, " > ", valuePath, condition.value());
      case GE -> compared(column, " >= ", valuePath, condition.value());
      case IN -> in(column, valuePath, condition.value());
      case PREFIX -> function("starts_with(", column, ")", valuePath, condition.value());
      case CONTAINS -> function("strpos(", column, ") > 0", valuePath, condition.value());
      case IS_NULL -> isNull(column, valuePath, condition.value());
    }
  }

  private void compared(Column column, String operator, String path, Object value) {
    read(column);
    sql.append(operator).append(column.kind().bound);
    parameters.add(text(column, path, value));
  }

  private void function(String before, Column column, String after, String path, Object value) {
    sql.append(before);
    read(column);
    sql.append(", ").append(column.kind().bound).append(after);
    parameters.add(text(column, path, value));
  }

  private void in(Column column, String path, Object value) {
    if (!(value instanceof List<?> list) || list.size() > EntityQuery.IN_MAX) {
      throw new InvalidQueryException(
          path, "is a list of at most " + EntityQuery.IN_MAX + " values for in");
    }
    var texts = new String[list.size()];
    for (int i = 0; i < texts.length; i++) {
      texts[i] = text(column, path + "[" + i + "]", list.get(i));
    }
    read(column);
    sql.append(" = any (").append(column.kind().bound).append("[])");
    parameters.add(texts);
  }

  private void isNull(Column column, String path, Object value) {
    if (!(value instanceof Boolean isNull)) {
      throw new InvalidQueryException(path, "is true or false for is_null");
    }
    read(column);
    sql.append(isNull ? " is null" : " is not null");
  }

  private static String text(Column column, String path, @Nullable Object value) {
    String text = value == null ? null : column.kind().text(value);
    if (text == null) {
      throw new InvalidQueryException(path, "must be " + column.kind().words);
    }
    return text;
  }

  /** Rows that come after the cursor's: by the first field in which they differ. */
  private void behind(EntityCursor cursor, List<Sort> sort) {
    for (int i = 0; i < sorted.size(); i++) {
      Column column = sorted.get(i);
      String value = cursor.values().get(i);
      if (value == null) {
        sql.append("(");
        sort(column);
        sql.append(" is null and ");
        continue;
      }
      sql.append("(");
      sort(column);
      sql.append(sort.get(i).descending() ? " < " : " > ").append(column.kind().bound);
      parameters.add(value);
      sql.append(" or ");
      sort(column);
      sql.append(" is null or ");
      sort(column);
      sql.append(" = ").append(column.kind().bound).append(" and ");
      parameters.add(value);
    }
    sql.append("d.id > ?::uuid");
    parameters.add(cursor.id().toString());
    sql.append(")".repeat(sorted.size()));
  }
}
