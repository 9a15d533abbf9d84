package dev.viesti.protocol.plugin;

import dev.viesti.protocol.trigger.EventPattern;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * What a plugin says of itself.
 *
 * @param name for people, 1 to 128 characters, none of them a control character
 * @param version as its author counts, 1 to 64 characters of {@code [A-Za-z0-9.+-]}
 * @param subscribe the events that its {@code handle-event} is for, at most 50 patterns; none means
 *     that only triggers and {@code invoke} run it
 * @param configSchema JSON Schema of its configuration, as JSON text; null: anything
 */
public record Manifest(
    PluginId id,
    String name,
    String version,
    List<Permission> permissions,
    List<EventPattern> subscribe,
    List<EntityType> entities,
    List<NumberingRule> numbering,
    @Nullable String configSchema,
    PluginLimits limits) {
  private static final int NAME_MAX = 128;
  private static final int VERSION_MAX = 64;

  /** Most permissions of a plugin. */
  public static final int PERMISSIONS_MAX = 200;

  /** Most patterns to subscribe of a plugin. */
  public static final int SUBSCRIBE_MAX = 50;

  /** Most entities of a plugin. */
  public static final int ENTITIES_MAX = 50;

  /** Most numbering rules of a plugin. */
  public static final int NUMBERING_MAX = 50;

  /**
   * @throws IllegalArgumentException naming the field that is wrong
   */
  public Manifest {
    if (name.isBlank() || name.length() > NAME_MAX) {
      throw new IllegalArgumentException(
          "name has 1 to " + NAME_MAX + " characters, not only spaces");
    }
    if (name.chars().anyMatch(Character::isISOControl)) {
      throw new IllegalArgumentException("name has no control characters");
    }
    if (!version.matches("[A-Za-z0-9.+-]{1," + VERSION_MAX + "}")) {
      throw new IllegalArgumentException(
          "version is 1 to "
              + VERSION_MAX
              + " characters of A-Z, a-z, 0-9, '.', '+' and '-', not '"
              + version
              + "'");
    }
    permissions = copy("permissions", permissions, PERMISSIONS_MAX);
    subscribe = copy("subscribe", subscribe, SUBSCRIBE_MAX);
    entities = copy("entities", entities, ENTITIES_MAX);
    numbering = copy("numbering", numbering, NUMBERING_MAX);
    requireDistinct("entities", entities, EntityType::name);
    requireDistinct("numbering", numbering, NumberingRule::name);
  }

  /** Null when it has no entity of that name. */
  public @Nullable EntityType entity(String wanted) {
    return find(entities, EntityType::name, wanted);
  }

  /** Null when it has no rule of that name. */
  public @Nullable NumberingRule numbering(String wanted) {
    return find(numbering, NumberingRule::name, wanted);
  }

  private static <T> @Nullable T find(List<T> all, Function<T, String> name, String wanted) {
    for (T one : all) {
      if (name.apply(one).equals(wanted)) {
        return one;
      }
    }
    return null;
  }

  private static <T> List<T> copy(String field, List<T> values, int max) {
    if (values.size() > max) {
      throw new IllegalArgumentException(field + " has at most " + max + " entries");
    }
    return List.copyOf(values);
  }

  private static <T> void requireDistinct(String field, List<T> all, Function<T, String> name) {
    if (all.stream().map(name).distinct().count() < all.size()) {
      throw new IllegalArgumentException(field + " has two entries of the same name");
    }
  }
}
