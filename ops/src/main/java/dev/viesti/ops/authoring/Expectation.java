package dev.viesti.ops.authoring;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import dev.viesti.dispatcher.plugin.LocalPlugin.Run;
import dev.viesti.ops.cli.client.ClientJson;
import dev.viesti.protocol.event.Event;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What shall come of a call, or of all of them: the members {@code outcome}, {@code kind}, {@code
 * error}, {@code published}, {@code kv} and {@code reply}; what is missing may be anything.
 */
final class Expectation {
  private static final List<String> MEMBERS =
      List.of("outcome", "kind", "error", "published", "kv", "reply");

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
    return new Expectation(expected);
  }

  /**
   * What is not as expected, a sentence each.
   *
   * @param kv all values after the call
   */
  List<String> faults(Run run, Map<String, String> kv) {
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
    faults.addAll(faults(run.changes().published(), kv));
    return faults;
  }

  /** Of what there is in the end. */
  List<String> faults(List<Event> published, Map<String, String> kv) {
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
      String stored = kv.get(value.getKey());
      if (value.getValue().isNull() ? stored != null : !same(value.getValue(), stored)) {
        faults.add(
            "kv %s should be %s, but is %s"
                .formatted(value.getKey(), value.getValue(), stored == null ? "absent" : stored));
      }
    }
    return faults;
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
