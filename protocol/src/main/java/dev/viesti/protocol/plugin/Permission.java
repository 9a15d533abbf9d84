package dev.viesti.protocol.plugin;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Arrays;
import java.util.stream.Collectors;

/**
 * One thing that a plugin may do, written {@code action} or {@code action:pattern}, as in {@code
 * kv:write:orders*}, {@code entity:read:crm/customer}, {@code numbering:next:invoice}, {@code
 * event:publish:order.*}, {@code config:read}.
 *
 * @param pattern an exact text, {@code prefix*} or {@code *}; {@code *} for actions without one
 */
public record Permission(Action action, String pattern) {
  /** What can be allowed, each with the thing that its pattern is compared with. */
  public enum Action {
    /** Get and list values of a kv collection. */
    KV_READ("kv:read", true),
    /** Put and delete values of a kv collection. */
    KV_WRITE("kv:write", true),
    /** Query an entity: {@code name} of its own, {@code plugin/name} of another plugin. */
    ENTITY_READ("entity:read", true),
    /** Insert, update and delete an entity of its own. */
    ENTITY_WRITE("entity:write", true),
    /** Take the next number of a rule. */
    NUMBERING_NEXT("numbering:next", true),
    /** Read its configuration. */
    CONFIG_READ("config:read", false),
    /** Publish events of a type. */
    EVENT_PUBLISH("event:publish", true),
    /** Write to the log. */
    LOG_WRITE("log:write", false),
    /** Ask about the call: app, principal, delivery, attempt, time. */
    CONTEXT_READ("context:read", false);

    private final String text;
    private final boolean patterned;

    Action(String text, boolean patterned) {
      this.text = text;
      this.patterned = patterned;
    }

    /** As in a manifest. */
    public String text() {
      return text;
    }
  }

  private static final int PATTERN_MAX = 256;

  /**
   * @throws IllegalArgumentException if the pattern is empty, too long, or has a {@code *}
   *     elsewhere than at its end
   */
  public Permission {
    if (pattern.isEmpty() || pattern.length() > PATTERN_MAX) {
      throw new IllegalArgumentException(
          "the pattern of " + action.text() + " has 1 to " + PATTERN_MAX + " characters");
    }
    int star = pattern.indexOf('*');
    if (star >= 0 && star < pattern.length() - 1) {
      throw new IllegalArgumentException(
          "the pattern of %s is an exact text, 'prefix*' or '*': '%s' has a * before its end"
              .formatted(action.text(), pattern));
    }
    if (!action.patterned && !pattern.equals("*")) {
      throw new IllegalArgumentException(action.text() + " has no pattern");
    }
  }

  /**
   * Reads the form in a manifest.
   *
   * @throws IllegalArgumentException naming the actions that there are
   */
  @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
  public static Permission of(String text) {
    for (Action action : Action.values()) {
      if (!action.patterned && text.equals(action.text)) {
        return new Permission(action, "*");
      }
      if (action.patterned && text.startsWith(action.text + ":")) {
        return new Permission(action, text.substring(action.text.length() + 1));
      }
    }
    String known =
        Arrays.stream(Action.values())
            .map(action -> action.patterned ? action.text + ":<pattern>" : action.text)
            .collect(Collectors.joining(", "));
    throw new IllegalArgumentException(
        "'%s' is no permission: there are %s".formatted(text, known));
  }

  /** Whether its pattern is one text, without a {@code *}. */
  public boolean isExact() {
    return pattern.charAt(pattern.length() - 1) != '*';
  }

  /** Whether it allows {@code wanted} on {@code what}. */
  public boolean allows(Action wanted, String what) {
    if (action != wanted) {
      return false;
    }
    int last = pattern.length() - 1;
    return pattern.charAt(last) == '*'
        ? what.regionMatches(0, pattern, 0, last)
        : pattern.equals(what);
  }

  /** As in a manifest. */
  @JsonValue
  @Override
  public String toString() {
    return action.patterned ? action.text + ":" + pattern : action.text;
  }
}
