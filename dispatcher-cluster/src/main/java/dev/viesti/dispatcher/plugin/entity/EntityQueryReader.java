package dev.viesti.dispatcher.plugin.entity;

import com.fasterxml.jackson.databind.JsonNode;
import dev.viesti.persistence.effects.EntityQuery;
import dev.viesti.persistence.effects.EntityQuery.Condition;
import dev.viesti.persistence.effects.EntityQuery.Op;
import dev.viesti.persistence.effects.EntityQuery.Sort;
import dev.viesti.persistence.effects.InvalidQueryException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Reads the JSON form of a query:
 *
 * <pre>{@code
 * {"where": [{"field": "age", "op": "ge", "value": 18}],
 *  "sort": [{"field": "name", "descending": false}], "limit": 50, "cursor": "…"}
 * }</pre>
 *
 * Every member may be missing: {@code op} is then {@code eq}, {@code limit} {@value
 * #LIMIT_DEFAULT}, the value of {@code is_null} true.
 */
public final class EntityQueryReader {
  /** Rows of a page whose query does not say how many. */
  public static final int LIMIT_DEFAULT = 50;

  /** Above what the largest query takes, in characters. */
  private static final int CHARACTERS_MAX = 256 * 1_024;

  private EntityQueryReader() {}

  /**
   * Whether the fields exist and the values fit is checked when it runs.
   *
   * @throws InvalidQueryException naming the member that is wrong
   */
  public static EntityQuery read(String json) {
    if (json.length() > CHARACTERS_MAX) {
      throw new InvalidQueryException("$", "has at most 262,144 characters");
    }
    JsonNode query;
    try {
      query = EntityJson.object("$", json);
    } catch (InvalidEntityException malformed) {
      throw new InvalidQueryException("$", String.valueOf(malformed.getMessage()).substring(3));
    }
    requireKnown("", query, Set.of("where", "sort", "limit", "cursor"));
    List<Condition> where = new ArrayList<>();
    for (JsonNode condition : list("where", member(query, "where"))) {
      where.add(condition("where[" + where.size() + "]", condition));
    }
    List<Sort> sort = new ArrayList<>();
    for (JsonNode field : list("sort", member(query, "sort"))) {
      sort.add(sort("sort[" + sort.size() + "]", field));
    }
    JsonNode cursor = member(query, "cursor");
    return new EntityQuery(
        where, sort, limit(member(query, "limit")), cursor == null ? null : text("cursor", cursor));
  }

  private static Condition condition(String path, JsonNode node) {
    requireObject(path, node);
    requireKnown(path + ".", node, Set.of("field", "op", "value"));
    String field = text(path + ".field", member(node, "field"));
    JsonNode name = member(node, "op");
    Op op = name == null ? Op.EQ : op(path + ".op", name);
    JsonNode value = member(node, "value");
    if (value == null && op == Op.IS_NULL) {
      return new Condition(field, op, true);
    }
    return new Condition(field, op, value(path + ".value", value));
  }

  private static Op op(String path, JsonNode name) {
    for (Op op : Op.values()) {
      if (op.text().equals(name.textValue())) {
        return op;
      }
    }
    throw new InvalidQueryException(path, "is one of " + Op.known());
  }

  private static Sort sort(String path, JsonNode node) {
    requireObject(path, node);
    requireKnown(path + ".", node, Set.of("field", "descending"));
    JsonNode descending = member(node, "descending");
    if (descending != null && !descending.isBoolean()) {
      throw new InvalidQueryException(path + ".descending", "must be true or false");
    }
    return new Sort(
        text(path + ".field", member(node, "field")),
        descending != null && descending.booleanValue());
  }

  private static int limit(@Nullable JsonNode node) {
    if (node == null) {
      return LIMIT_DEFAULT;
    }
    if (!node.isIntegralNumber() || !node.canConvertToInt()) {
      throw new InvalidQueryException("limit", "is 1 to " + EntityQuery.LIMIT_MAX);
    }
    return node.intValue();
  }

  private static Object value(String path, @Nullable JsonNode node) {
    if (node != null && node.isTextual()) {
      return node.textValue();
    }
    if (node != null && node.isNumber()) {
      return node.numberValue();
    }
    if (node != null && node.isBoolean()) {
      return node.booleanValue();
    }
    if (node != null && node.isArray()) {
      List<Object> values = new ArrayList<>();
      for (JsonNode element : node) {
        String at = path + "[" + values.size() + "]";
        if (element.isArray()) {
          throw new InvalidQueryException(at, "must not be a list itself");
        }
        values.add(value(at, element));
      }
      return values;
    }
    throw new InvalidQueryException(
        path,
        "must be text, a number, true or false, or a list of them; use is_null for what is missing");
  }

  private static Iterable<JsonNode> list(String path, @Nullable JsonNode node) {
    if (node == null) {
      return List.of();
    }
    if (!node.isArray()) {
      throw new InvalidQueryException(path, "must be a list");
    }
    return node;
  }

  private static String text(String path, @Nullable JsonNode node) {
    if (node == null || !node.isTextual()) {
      throw new InvalidQueryException(path, "must be text");
    }
    return node.textValue();
  }

  private static void requireObject(String path, JsonNode node) {
    if (!node.isObject()) {
      throw new InvalidQueryException(path, "must be a JSON object");
    }
  }

  private static void requireKnown(String prefix, JsonNode node, Set<String> known) {
    for (Map.Entry<String, JsonNode> member : node.properties()) {
      if (!known.contains(member.getKey())) {
        throw new InvalidQueryException(
            prefix + member.getKey(),
            "is unknown; there are " + String.join(", ", known.stream().sorted().toList()));
      }
    }
  }

  /** Null for what is missing, and for JSON's null. */
  private static @Nullable JsonNode member(JsonNode node, String name) {
    JsonNode member = node.get(name);
    return member == null || member.isNull() ? null : member;
  }
}
