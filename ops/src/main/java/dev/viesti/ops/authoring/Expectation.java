package dev.viesti.ops.authoring;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.LongNode;
import dev.viesti.dispatcher.plugin.LocalPlugin.Entity;
import dev.viesti.dispatcher.plugin.LocalPlugin.Run;
import dev.viesti.ops.cli.client.ClientJson;
import dev.viesti.protocol.event.Event;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What shall come of a call, or of all of them: the members {@code outcome}, {@code kind}, {@code
 * error}, {@code published}, {@code kv}, {@code entities} and {@code reply}; what is missing may be
 * anything.
 */
final class Expectation {
  private static final List<String> MEMBERS =
      List.of("outcome", "kind", "error", "published", "kv", "entities", "reply");

  /** No field may be called so. */
  private static final String VERSION = "version";

  private final JsonNode expected;

  private Expectation(JsonNode expected) {
    this.expected = expected;
  }

  /**
   * @param expected null when nothing is expected
   * @throws AuthoringException naming a member that would be passed over
   */
  static @Nullable Expectation of(@Nullable JsonNode expected, String where)
      throws AuthoringException {
    if (expected == null || expected.isNull()) {
      return null;
    }
    if (!expected.isObject()) {
      throw new AuthoringException(where + ": 'expect' must be an object");
    }
    for (var member : expected.properties()) {
      if (!MEMBERS.contains(member.getKey())) {
        throw new AuthoringException(
            "%s: 'expect' has no member '%s'; it has %s"
                .formatted(where, member.getKey(), String.join(", ", MEMBERS)));
      }
    }
    requireEntities(expected.path("entities"), where);
    return new Expectation(expected);
  }

  private static void requireEntities(JsonNode entities, String where) throws AuthoringException {
    boolean fits = entities.isMissingNode() || entities.isObject();
    for (JsonNode ofType : entities) {
      fits &= ofType.isArray();
      for (JsonNode entity : ofType) {
        fits &= entity.isObject();
      }
    }
    if (!fits) {
      throw new AuthoringException(
          where + ": 'entities' of 'expect' must be {\"TYPE\": [{\"FIELD\": VALUE}]}");
    }
  }

  /**
   * What a plugin keeps.
   *
   * @param types names of the entities that the manifest has
   * @param kv all values
   * @param entities all of them, by {@code entity/id}
   */
  record State(List<String> types, Map<String, String> kv, Map<String, Entity> entities) {}

  /**
   * What is not as expected, a sentence each.
   *
   * @param state after the call
   */
  List<String> faults(Run run, State state) {
    List<String> faults = new ArrayList<>();
    compare(faults, "outcome", run.outcome());
    compare(faults, "kind", run.kind());
    String error = String.valueOf(run.error());
    if (expected.has("error") && !error.contains(expected.path("error").asText())) {
      faults.add("error should contain %s, but is: %s".formatted(expected.path("error"), error));
    }
    if (expected.has("reply") && !same(expected.path("reply"), run.reply().utf8())) {
      faults.add(
          "reply should be %s, but is %s".formatted(expected.path("reply"), run.reply().utf8()));
    }
    faults.addAll(faults(run.changes().published(), state));
    return faults;
  }

  /** Of what there is in the end. */
  List<String> faults(List<Event> published, State state) {
    List<String> faults = new ArrayList<>();
    if (expected.has("published")) {
      List<String> wanted = new ArrayList<>();
      expected.path("published").forEach(type -> wanted.add(type.asText()));
      List<String> types = published.stream().map(Event::type).toList();
      if (!wanted.equals(types)) {
        faults.add("published should be %s, but is %s".formatted(wanted, types));
      }
    }
    for (var value : expected.path("kv").properties()) {
      String stored = state.kv().get(value.getKey());
      if (value.getValue().isNull() ? stored != null : !same(value.getValue(), stored)) {
        faults.add(
            "kv %s should be %s, but is %s"
                .formatted(value.getKey(), value.getValue(), stored == null ? "absent" : stored));
      }
    }
    for (var ofType : expected.path("entities").properties()) {
      compare(faults, ofType.getKey(), ofType.getValue(), state);
    }
    return faults;
  }

  /** All entities of a type, in the order in which they were inserted. */
  private static void compare(List<String> faults, String type, JsonNode wanted, State state) {
    if (!state.types().contains(type)) {
      faults.add(
          "entities %s: the manifest has no such entity; it has %s".formatted(type, state.types()));
      return;
    }
    // their ids grow with time
    List<Entity> all =
        new TreeMap<>(state.entities())
            .entrySet().stream()
                .filter(entity -> entity.getKey().startsWith(type + "/"))
                .map(Map.Entry::getValue)
                .toList();
    if (all.size() != wanted.size()) {
      faults.add(
          "entities %s should be %d, but are %d: %s"
              .formatted(type, wanted.size(), all.size(), all.stream().map(Entity::json).toList()));
      return;
    }
    for (int n = 0; n < all.size(); n++) {
      compare(faults, type + "[" + n + "].", wanted.path(n), all.get(n));
    }
  }

  private static void compare(List<String> faults, String path, JsonNode wanted, Entity entity) {
    JsonNode fields;
    try {
      fields = ClientJson.MAPPER.readTree(entity.json());
    } catch (JsonProcessingException bug) {
      throw new IllegalStateException("an entity that is no JSON: " + entity.json(), bug);
    }
    for (var field : wanted.properties()) {
      String name = field.getKey();
      JsonNode is = name.equals(VERSION) ? LongNode.valueOf(entity.version()) : fields.path(name);
      boolean empty = is.isMissingNode() || is.isNull();
      if (field.getValue().isNull() ? !empty : !same(field.getValue(), is)) {
        faults.add(
            "entity %s should be %s, but is %s"
                .formatted(path + name, field.getValue(), empty ? "absent" : is));
      }
    }
  }

  private static boolean same(JsonNode wanted, JsonNode is) {
    if (wanted.isNumber() && is.isNumber()) {
      return wanted.decimalValue().compareTo(is.decimalValue()) == 0;
    }
    return wanted.equals(is);
  }

  private void compare(List<String> faults, String member, @Nullable String is) {
    JsonNode wanted = expected.path(member);
    if (!wanted.isMissingNode() && !wanted.asText().equals(String.valueOf(is))) {
      faults.add("%s should be %s, but is %s".formatted(member, wanted.asText(), is));
    }
  }

  /** Values that are JSON are compared as such, all others as texts. */
  private static boolean same(JsonNode wanted, @Nullable String is) {
    if (is == null) {
      return false;
    }
    if (wanted.isTextual() && wanted.asText().equals(is)) {
      return true;
    }
    try {
      return ClientJson.MAPPER.readTree(is).equals(wanted);
    } catch (JsonProcessingException noJson) {
      return false;
    }
  }
}
