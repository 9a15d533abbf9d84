package dev.viesti.persistence.effects;

import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Which entities of a type are wanted, in which order. Besides the declared fields there are {@code
 * id}, {@code version}, {@code _created_at} and {@code _updated_at}.
 *
 * @param where all of them hold; at most {@value #WHERE_MAX}
 * @param sort what to order by, at most {@value #SORT_MAX}; entities without a value come last,
 *     those that are equal in all come by their id
 * @param limit rows of the page, 1 to {@value #LIMIT_MAX}
 * @param cursor where the page before ended; null for the first one
 */
public record EntityQuery(
    List<Condition> where, List<Sort> sort, int limit, @Nullable String cursor) {
  /** More conditions than a person writes; each is computed for every entity of the type. */
  public static final int WHERE_MAX = 20;

  /** A cursor carries a value for each. */
  public static final int SORT_MAX = 5;

  /** With 64 KiB of data in each, 200 rows fit a plugin's memory. */
  public static final int LIMIT_MAX = 200;

  /** Most values of an {@code in}. */
  public static final int IN_MAX = 100;

  /** How a field is compared. */
  public enum Op {
    EQ,
    /** Finds entities without a value, too. */
    NE,
    LT,
    LE,
    GT,
    GE,
    IN,
    /** Text that begins so. */
    PREFIX,
    /** Text that has it anywhere; upper and lower case differ. */
    CONTAINS,
    /** Whether there is no value: the value is true, or false for those with one. */
    IS_NULL;

    /** As in a query's JSON. */
    public String text() {
      return name().toLowerCase(Locale.ROOT);
    }

    /** Those that there are, for people. */
    public static String known() {
      return Stream.of(values()).map(Op::text).collect(Collectors.joining(", "));
    }
  }

  /**
   * A field compared with a value.
   *
   * @param value text, a {@link Number}, a {@link Boolean}, or a list of them for {@link Op#IN}
   */
  public record Condition(String field, Op op, Object value) {}

  public record Sort(String field, boolean descending) {}

  /**
   * @throws InvalidQueryException if there are too many of something
   */
  public EntityQuery {
    where = List.copyOf(where);
    sort = List.copyOf(sort);
    if (where.size() > WHERE_MAX) {
      throw new InvalidQueryException("where", "has at most " + WHERE_MAX + " conditions");
    }
    if (sort.size() > SORT_MAX) {
      throw new InvalidQueryException("sort", "has at most " + SORT_MAX + " fields");
    }
    if (limit < 1 || limit > LIMIT_MAX) {
      throw new InvalidQueryException("limit", "is 1 to " + LIMIT_MAX + ", not " + limit);
    }
  }

  /** The page that follows. */
  public EntityQuery after(String end) {
    return new EntityQuery(where, sort, limit, end);
  }
}
