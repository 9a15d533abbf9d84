package dev.viesti.protocol.plugin;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A kind of thing that a plugin keeps.
 *
 * @param name 1 to 64 characters of {@code [a-z0-9_]}, the first a letter
 * @param fields 1 to 100, each name once
 */
public record EntityType(String name, List<Field> fields) {
  /** What a field holds; a JSON value of that shape. */
  public enum FieldType {
    /** Text of at most 64 KiB. */
    STRING,
    /** A whole number that a {@code long} can hold. */
    INTEGER,
    /** Any JSON number, kept exactly. */
    NUMBER,
    BOOLEAN,
    /** RFC 3339, with an offset. */
    TIMESTAMP,
    /** {@code 2026-01-31}. */
    DATE,
    UUID,
    /** Any JSON; cannot be compared or sorted by. */
    JSON,
    /** The id of an entity. */
    REFERENCE;

    @JsonValue
    public String text() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /**
   * Which entity a reference points to. That it exists is checked when it is written, not later.
   *
   * @param plugin null means the same plugin
   */
  public record Reference(@Nullable PluginId plugin, String entity) {
    /**
     * @throws IllegalArgumentException if no entity can have that name
     */
    public Reference {
      requireName("an entity", entity);
    }

    /**
     * Reads {@code order} and {@code crm/customer}.
     *
     * @throws IllegalArgumentException naming the part that is wrong
     */
    @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
    public static Reference of(String text) {
      int slash = text.indexOf('/');
      return slash < 0
          ? new Reference(null, text)
          : new Reference(new PluginId(text.substring(0, slash)), text.substring(slash + 1));
    }

    /** As in a manifest. */
    @JsonValue
    @Override
    public String toString() {
      return plugin == null ? entity : plugin + "/" + entity;
    }
  }

  /**
   * @param name as of an entity; {@code id}, {@code version} and names beginning with {@code _} are
   *     taken
   * @param references null unless the type is a reference
   */
  public record Field(
      String name, FieldType type, boolean required, @Nullable Reference references) {
    /**
     * @throws IllegalArgumentException if the name or the reference does not fit
     */
    public Field {
      requireName("a field", name);
      if (name.equals("id") || name.equals("version")) {
        throw new IllegalArgumentException("every entity has '" + name + "' already");
      }
      if ((type == FieldType.REFERENCE) != (references != null)) {
        throw new IllegalArgumentException(
            "field '" + name + "': type reference and references go together");
      }
    }
  }

  private static final Pattern NAME = Pattern.compile("[a-z][a-z0-9_]{0,63}");

  /** Most fields of an entity. */
  public static final int FIELDS_MAX = 100;

  /**
   * @throws IllegalArgumentException naming what is wrong
   */
  public EntityType {
    requireName("an entity", name);
    fields = List.copyOf(fields);
    if (fields.isEmpty() || fields.size() > FIELDS_MAX) {
      throw new IllegalArgumentException("an entity has 1 to " + FIELDS_MAX + " fields");
    }
    if (fields.stream().map(Field::name).distinct().count() < fields.size()) {
      throw new IllegalArgumentException("entity '" + name + "' names a field twice");
    }
  }

  /** Null when there is none of that name. */
  public @Nullable Field field(String wanted) {
    for (Field field : fields) {
      if (field.name().equals(wanted)) {
        return field;
      }
    }
    return null;
  }

  private static void requireName(String of, String name) {
    if (!NAME.matcher(name).matches()) {
      throw new IllegalArgumentException(
          "the name of "
              + of
              + " is 1 to 64 characters of a-z, 0-9 and _, beginning with a letter, not '"
              + name
              + "'");
    }
  }
}
