package dev.viesti.dispatcher.plugin.entity;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.LongNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import dev.viesti.protocol.plugin.EntityType;
import dev.viesti.protocol.plugin.EntityType.Field;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The fields of an entity, checked against its type. */
public final class EntityValues {
  /** Longest text, in bytes of UTF-8. */
  public static final int TEXT_BYTES_MAX = 64 * 1_024;

  /** All fields together, in bytes of UTF-8: a page of 200 still fits a message. */
  public static final int BYTES_MAX = 256 * 1_024;

  private static final String WHOLE = "$";
  private static final String TIMESTAMP = "a time with an offset, as 2026-01-31T12:00:00Z";
  private static final Pattern ID = Pattern.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}");

  /**
   * A reference that has to lead somewhere when it is written.
   *
   * @param field where it stands
   * @param to of what type the entity is
   */
  public record Link(String field, EntityType.Reference to, UUID id) {}

  private final String json;
  private final List<Link> links;

  private EntityValues(String json, List<Link> links) {
    this.json = json;
    this.links = List.copyOf(links);
  }

  /**
   * Reads and checks.
   *
   * @throws InvalidEntityException naming the field that is missing, unknown, too large or of
   *     another type
   */
  public static EntityValues read(EntityType type, String json) {
    if (json.length() > BYTES_MAX) {
      throw tooLarge();
    }
    JsonNode object = EntityJson.object(WHOLE, json);
    Map<String, JsonNode> given = new HashMap<>();
    object.properties().forEach(member -> given.put(member.getKey(), member.getValue()));
    ObjectNode canonical = EntityJson.MAPPER.createObjectNode();
    List<Link> links = new ArrayList<>();
    for (Field field : type.fields()) {
      JsonNode value = given.remove(field.name());
      if (value == null || value.isNull()) {
        if (field.required()) {
          throw new InvalidEntityException(
              field.name(), "is required by entity '" + type.name() + "'");
        }
        continue;
      }
      JsonNode checked = checked(field, value);
      canonical.set(field.name(), checked);
      EntityType.Reference reference = field.references();
      if (reference != null) {
        links.add(new Link(field.name(), reference, UUID.fromString(checked.textValue())));
      }
    }
    if (!given.isEmpty()) {
      throw new InvalidEntityException(
          given.keySet().stream().sorted().findFirst().orElseThrow(),
          "is no field of entity '" + type.name() + "'");
    }
    String text = text(canonical);
    if (text.getBytes(StandardCharsets.UTF_8).length > BYTES_MAX) {
      throw tooLarge();
    }
    return new EntityValues(text, links);
  }

  /** The same values in one form: fields in the order of the type, no nulls, times in UTC. */
  public String json() {
    return json;
  }

  /** What must exist. */
  public List<Link> links() {
    return links;
  }

  private static InvalidEntityException tooLarge() {
    return new InvalidEntityException(
        WHOLE, "all fields together have at most %,d bytes".formatted(BYTES_MAX));
  }

  private static String text(JsonNode node) {
    try {
      return EntityJson.MAPPER.writeValueAsString(node);
    } catch (JsonProcessingException impossible) {
      throw new AssertionError("a tree is always written", impossible);
    }
  }

  private static JsonNode checked(Field field, JsonNode value) {
    String path = field.name();
    return switch (field.type()) {
      case STRING -> {
        if (!value.isTextual()) {
          throw must(path, "text");
        }
        requireText(path, value.textValue());
        yield value;
      }
      case INTEGER -> integer(path, value);
      case NUMBER -> {
        if (!value.isNumber()) {
          throw must(path, "a number");
        }
        requireNumber(path, value);
        yield value;
      }
      case BOOLEAN -> {
        if (!value.isBoolean()) {
          throw must(path, "true or false");
        }
        yield value;
      }
      case TIMESTAMP -> of(path, value, EntityValues::timestamp, TIMESTAMP);
      case DATE -> of(path, value, EntityValues::date, "a date as 2026-01-31");
      case UUID, REFERENCE -> of(path, value, EntityValues::uuid, "a UUID");
      case JSON -> {
        requireStorable(path, value);
        yield value;
      }
    };
  }

  /** Text in one form; {@code canonical} answers null, or throws, for what is none. */
  private static JsonNode of(
      String path, JsonNode value, Function<String, @Nullable String> canonical, String words) {
    String text = null;
    try {
      text = value.isTextual() ? canonical.apply(value.textValue()) : null;
    } catch (DateTimeException malformed) {
      throw must(path, words);
    }
    if (text == null) {
      throw must(path, words);
    }
    return TextNode.valueOf(text);
  }

  /** To the microsecond, as {@code timestamptz}; years of four digits. */
  private static @Nullable String timestamp(String text) {
    OffsetDateTime time =
        OffsetDateTime.parse(text)
            .withOffsetSameInstant(ZoneOffset.UTC)
            .truncatedTo(ChronoUnit.MICROS);
    return hasFourDigits(time.getYear()) ? DateTimeFormatter.ISO_INSTANT.format(time) : null;
  }

  private static @Nullable String date(String text) {
    LocalDate date = LocalDate.parse(text);
    return hasFourDigits(date.getYear()) ? date.toString() : null;
  }

  private static boolean hasFourDigits(int year) {
    return year >= 1 && year <= 9_999;
  }

  private static @Nullable String uuid(String text) {
    String lower = text.toLowerCase(Locale.ROOT);
    return ID.matcher(lower).matches() ? lower : null;
  }

  private static JsonNode integer(String path, JsonNode value) {
    if (!value.isNumber()) {
      throw must(path, "a whole number");
    }
    requireNumber(path, value);
    try {
      return LongNode.valueOf(value.decimalValue().longValueExact());
    } catch (ArithmeticException other) {
      throw must(path, "a whole number from -2^63 to 2^63 - 1");
    }
  }

  private static void requireNumber(String path, JsonNode value) {
    BigDecimal number = value.decimalValue();
    if (number.precision() > EntityJson.DIGITS_MAX
        || Math.abs((long) number.scale()) > EntityJson.DIGITS_MAX) {
      throw must(path, "a number of at most 1,000 digits");
    }
  }

  private static void requireText(String path, String text) {
    if (text.getBytes(StandardCharsets.UTF_8).length > TEXT_BYTES_MAX) {
      throw new InvalidEntityException(path, "has at most %,d bytes".formatted(TEXT_BYTES_MAX));
    }
    requireCharacters(path, text);
  }

  private static void requireCharacters(String path, String text) {
    boolean bad =
        text.codePoints()
            .anyMatch(
                point ->
                    point == 0
                        || (point >= Character.MIN_SURROGATE && point <= Character.MAX_SURROGATE));
    if (bad) {
      throw new InvalidEntityException(path, "must not contain U+0000 or half of a surrogate pair");
    }
  }

  /** Whatever is inside: {@code jsonb} refuses some texts and numbers. */
  private static void requireStorable(String path, JsonNode value) {
    if (value.isTextual()) {
      requireCharacters(path, value.textValue());
    } else if (value.isNumber()) {
      requireNumber(path, value);
    } else if (value.isArray()) {
      for (int i = 0; i < value.size(); i++) {
        requireStorable(path + "[" + i + "]", value.get(i));
      }
    } else {
      value
          .properties()
          .forEach(
              member -> {
                requireCharacters(path, member.getKey());
                requireStorable(path + "." + member.getKey(), member.getValue());
              });
    }
  }

  private static InvalidEntityException must(String path, String words) {
    return new InvalidEntityException(path, "must be " + words);
  }
}
