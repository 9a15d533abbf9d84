package dev.viesti.persistence.effects;

import dev.viesti.protocol.plugin.EntityType;
import java.math.BigDecimal;
import java.time.DateTimeException;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.util.Locale;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A field as SQL sees it.
 *
 * @param field bound as a parameter wherever the text names it; null for a column of the table
 */
record Column(Kind kind, @Nullable String field) {
  /**
   * How values are read, compared and bound. What is stored as another type, because the plugin has
   * changed it since, counts as no value instead of failing every query.
   */
  enum Kind {
    TEXT("((d.data ->> ?::text) collate \"C\")", "?::text", "text"),
    DATE("((d.data ->> ?::text) collate \"C\")", "?::text", "a date as 2026-01-31"),
    UUID("((d.data ->> ?::text) collate \"C\")", "?::text", "a UUID"),
    NUMBER(
        "(case when jsonb_typeof(d.data -> ?::text) = 'number'"
            + " then (d.data ->> ?::text)::numeric end)",
        "?::numeric",
        "a number of at most 1,000 digits"),
    BOOLEAN(
        "(case when jsonb_typeof(d.data -> ?::text) = 'boolean'"
            + " then (d.data ->> ?::text)::boolean end)",
        "?::boolean",
        "true or false"),
    TIMESTAMP(
        "(case when d.data ->> ?::text ~ '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d'"
            + " then (d.data ->> ?::text)::timestamptz end)",
        "?::timestamptz", "a time as 2026-01-31T12:00:00Z"),
    JSON("(d.data ->> ?::text)", "?::text", "any JSON"),
    ID("d.id", "?::uuid", "a UUID"),
    VERSION("d.version", "?::bigint", "a whole number"),
    CREATED_AT("d.created_at", "?::timestamptz", "a time as 2026-01-31T12:00:00Z"),
    UPDATED_AT("d.updated_at", "?::timestamptz", "a time as 2026-01-31T12:00:00Z");

    private static final int DIGITS_MAX = 1_000;

    final String read;
    final String bound;
    final String words;

    /** How often {@link #read} names the field. */
    final int names;

    Kind(String read, String bound, String words) {
      this.read = read;
      this.bound = bound;
      this.words = words;
      this.names = (int) read.chars().filter(c -> c == '?').count();
    }

    /** The value as PostgreSQL reads it; null when it is none of this kind. */
    @Nullable String text(Object value) {
      try {
        return switch (this) {
          case TEXT -> value instanceof String text && isStorable(text) ? text : null;
          case DATE -> value instanceof String text ? LocalDate.parse(text).toString() : null;
          case UUID, ID -> value instanceof String text ? uuid(text) : null;
          case NUMBER -> value instanceof Number number ? number(number) : null;
          case BOOLEAN -> value instanceof Boolean ? value.toString() : null;
          case TIMESTAMP, CREATED_AT, UPDATED_AT ->
              value instanceof String text ? timestamp(text) : null;
          case VERSION -> value instanceof Number number ? whole(number) : null;
          case JSON -> null;
        };
      } catch (DateTimeException | ArithmeticException | NumberFormatException wrong) {
        return null;
      }
    }

    private static boolean isStorable(String text) {
      return text.indexOf('\0') < 0
          && text.codePoints()
              .noneMatch(p -> p >= Character.MIN_SURROGATE && p <= Character.MAX_SURROGATE);
    }

    private static @Nullable String uuid(String text) {
      String lower = text.toLowerCase(Locale.ROOT);
      return lower.matches("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
          ? java.util.UUID.fromString(lower).toString()
          : null;
    }

    private static @Nullable String number(Number number) {
      var exact = new BigDecimal(number.toString());
      boolean fits =
          exact.precision() <= DIGITS_MAX && Math.abs((long) exact.scale()) <= DIGITS_MAX;
      return fits ? exact.toString() : null;
    }

    private static String whole(Number number) {
      return Long.toString(new BigDecimal(number.toString()).longValueExact());
    }

    /** Years of four digits: others PostgreSQL writes and reads in ways of its own. */
    private static @Nullable String timestamp(String text) {
      var time = OffsetDateTime.parse(text);
      return time.getYear() >= 1 && time.getYear() <= 9_999 ? time.toString() : null;
    }
  }

  /** Characters of a text that it is sorted by: a cursor carries them. */
  private static final int SORTED_CHARACTERS = 256;

  /** Null when the type has no such field. */
  static @Nullable Column of(EntityType type, String name) {
    return switch (name) {
      case "id" -> new Column(Kind.ID, null);
      case "version" -> new Column(Kind.VERSION, null);
      case "_created_at" -> new Column(Kind.CREATED_AT, null);
      case "_updated_at" -> new Column(Kind.UPDATED_AT, null);
      default -> {
        EntityType.Field field = type.field(name);
        yield field == null ? null : new Column(kind(field.type()), name);
      }
    };
  }

  private static Kind kind(EntityType.FieldType type) {
    return switch (type) {
      case STRING -> Kind.TEXT;
      case INTEGER, NUMBER -> Kind.NUMBER;
      case BOOLEAN -> Kind.BOOLEAN;
      case TIMESTAMP -> Kind.TIMESTAMP;
      case DATE -> Kind.DATE;
      case UUID, REFERENCE -> Kind.UUID;
      case JSON -> Kind.JSON;
    };
  }

  /** What rows are ordered by. */
  String sorted() {
    return kind == Kind.TEXT ? "left(" + kind.read + ", " + SORTED_CHARACTERS + ")" : kind.read;
  }
}
