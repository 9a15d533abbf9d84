package dev.viesti.dispatcher.plugin;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import dev.viesti.persistence.effects.EntityQuery;
import dev.viesti.persistence.effects.EntityQuery.Condition;
import dev.viesti.persistence.effects.EntityQuery.Op;
import dev.viesti.persistence.effects.EntityQuery.Sort;
import dev.viesti.persistence.effects.EntityRepository.Entity;
import dev.viesti.persistence.effects.EntityRepository.Page;
import dev.viesti.persistence.effects.InvalidQueryException;
import dev.viesti.protocol.plugin.EntityType;
import dev.viesti.protocol.plugin.EntityType.Field;
import dev.viesti.protocol.plugin.EntityType.FieldType;
import java.math.BigDecimal;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Queries over entities in memory, with the meaning that they have in the database. */
final class LocalEntities {
  private static final String CURSOR = "local-";

  private LocalEntities() {}

  /**
   * @throws InvalidQueryException naming the part that does not fit the type
   */
  static Page query(EntityType type, EntityQuery query, Collection<Entity> all) {
    Comparator<Entity> order = Comparator.comparing(entity -> entity.id().toString());
    for (int i = query.sort().size() - 1; i >= 0; i--) {
      order = by(type, query.sort().get(i), "sort[" + i + "].field").thenComparing(order);
    }
    List<Entity> found =
        all.stream().filter(entity -> matches(type, query, entity)).sorted(order).toList();
    int from = Math.min(position(query.cursor()), found.size());
    int to = Math.min(from + query.limit(), found.size());
    return new Page(found.subList(from, to), to < found.size() ? CURSOR + to : null);
  }

  private static int position(@Nullable String cursor) {
    try {
      return cursor == null
          ? 0
          : Integer.parseUnsignedInt(cursor, CURSOR.length(), cursor.length(), 10);
    } catch (NumberFormatException | IndexOutOfBoundsException wrong) {
      throw new InvalidQueryException("cursor", "is none that a page ended with");
    }
  }

  private static Comparator<Entity> by(EntityType type, Sort sort, String path) {
    FieldType kind = kind(type, sort.field(), path);
    Comparator<Comparable<?>> ascending = LocalEntities::compare;
    Comparator<Comparable<?>> values =
        Comparator.nullsLast(sort.descending() ? ascending.reversed() : ascending);
    return (one, other) ->
        values.compare(value(kind, sort.field(), one), value(kind, sort.field(), other));
  }

  private static boolean matches(EntityType type, EntityQuery query, Entity entity) {
    for (int i = 0; i < query.where().size(); i++) {
      Condition condition = query.where().get(i);
      String path = "where[" + i + "]";
      FieldType kind = kind(type, condition.field(), path + ".field");
      if (!matches(kind, condition, path + ".value", value(kind, condition.field(), entity))) {
        return false;
      }
    }
    return true;
  }

  private static boolean matches(
      FieldType kind, Condition condition, String path, @Nullable Comparable<?> value) {
    if (condition.op() == Op.IS_NULL) {
      return condition.value().equals(value == null);
    }
    if (condition.op() == Op.IN) {
      return condition.value() instanceof List<?> any
          && value != null
          && any.stream().anyMatch(one -> compare(value, wanted(kind, path, one)) == 0);
    }
    Comparable<?> wanted = wanted(kind, path, condition.value());
    if (value == null) {
      return condition.op() == Op.NE;
    }
    int compared = compare(value, wanted);
    return switch (condition.op()) {
      case EQ -> compared == 0;
      case NE -> compared != 0;
      case LT -> compared < 0;
      case LE -> compared <= 0;
      case GT -> compared > 0;
      case GE -> compared >= 0;
      case PREFIX -> value.toString().startsWith(wanted.toString());
      case CONTAINS -> value.toString().contains(wanted.toString());
      case IN, IS_NULL -> false;
    };
  }

  /** How a field is compared; the columns that every entity has are known by name. */
  private static FieldType kind(EntityType type, String name, String path) {
    Field field = type.field(name);
    return switch (name) {
      case "id" -> FieldType.UUID;
      case "version" -> FieldType.INTEGER;
      case "_created_at", "_updated_at" -> FieldType.TIMESTAMP;
      default -> {
        if (field == null) {
          throw new InvalidQueryException(
              path, "entity '" + type.name() + "' has no field '" + name + "'");
        }
        yield field.type();
      }
    };
  }

  private static @Nullable Comparable<?> value(FieldType kind, String name, Entity entity) {
    return switch (name) {
      case "id" -> entity.id().toString();
      case "version" -> BigDecimal.valueOf(entity.version());
      case "_created_at" -> entity.createdAt();
      case "_updated_at" -> entity.updatedAt();
      default -> stored(kind, name, entity);
    };
  }

  private static @Nullable Comparable<?> stored(FieldType kind, String name, Entity entity) {
    try {
      JsonNode value = JsonText.tree(entity.json()).get(name);
      return value == null || value.isNull() ? null : of(kind, plain(value));
    } catch (JsonProcessingException impossible) {
      throw new IllegalStateException("a stored entity cannot be read", impossible);
    }
  }

  private static Object plain(JsonNode value) {
    if (value.isNumber()) {
      return value.decimalValue();
    }
    return value.isBoolean() ? (Object) value.booleanValue() : value.asText(value.toString());
  }

  private static Comparable<?> wanted(FieldType kind, String path, Object value) {
    Comparable<?> wanted = of(kind, value);
    if (wanted == null) {
      throw new InvalidQueryException(path, "does not fit the field");
    }
    return wanted;
  }

  private static @Nullable Comparable<?> of(FieldType kind, Object value) {
    return switch (kind) {
      case INTEGER, NUMBER -> value instanceof Number ? new BigDecimal(value.toString()) : null;
      case BOOLEAN -> value instanceof Boolean bool ? bool : null;
      case TIMESTAMP -> value instanceof String text ? time(text) : null;
      case UUID, REFERENCE -> value instanceof String text ? text.toLowerCase(Locale.ROOT) : null;
      case STRING, DATE -> value instanceof String text ? text : null;
      case JSON -> value.toString();
    };
  }

  private static @Nullable Instant time(String text) {
    try {
      return OffsetDateTime.parse(text).toInstant();
    } catch (DateTimeException wrong) {
      return null;
    }
  }

  /** Of two values of one kind. */
  private static int compare(Comparable<?> one, Comparable<?> other) {
    return switch (one) {
      case BigDecimal number -> number.compareTo((BigDecimal) other);
      case Boolean bool -> bool.compareTo((Boolean) other);
      case Instant time -> time.compareTo((Instant) other);
      default -> JsonText.BY_CODE_POINT.compare(one.toString(), other.toString());
    };
  }
}
