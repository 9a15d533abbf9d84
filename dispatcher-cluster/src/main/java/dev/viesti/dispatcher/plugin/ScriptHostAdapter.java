package dev.viesti.dispatcher.plugin;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import dev.viesti.dispatcher.script.ScriptHost;
import dev.viesti.dispatcher.script.ScriptHostException;
import dev.viesti.dispatcher.wasm.WasmInstance;
import dev.viesti.dispatcher.wasm.WasmTrapException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The host API as a script has it: keys are {@code collection/key}, and values are JSON. For one
 * call, on one thread.
 */
final class ScriptHostAdapter implements ScriptHost {
  private static final String NOTHING = "null";
  private static final int LIST_MAX = 1_000;

  private final HostApi api;
  private final Consumer<WasmInstance> made;

  /**
   * @param made told about the call's instance
   */
  ScriptHostAdapter(HostApi api, Consumer<WasmInstance> made) {
    this.api = api;
    this.made = made;
  }

  @Override
  public void runsIn(WasmInstance instance) {
    made.accept(instance);
  }

  @Override
  public String call(String function, String argumentsJson)
      throws ScriptHostException, WasmTrapException {
    try {
      return call(function, new Arguments(function, JsonText.tree(argumentsJson)));
    } catch (HostException refused) {
      throw new ScriptHostException(String.valueOf(refused.getMessage()));
    } catch (JsonProcessingException wrong) {
      throw new ScriptHostException(
          "%s: the arguments cannot be read: %s".formatted(function, wrong.getOriginalMessage()));
    }
  }

  private String call(String function, Arguments in) throws HostException, WasmTrapException {
    return switch (function) {
      case "context.get" -> context();
      case "kv.get" -> kvGet(in.key(0));
      case "kv.put" -> {
        Key key = in.key(0);
        api.kvPut(key.collection(), key.key(), utf8(in.text(1, "value")));
        yield NOTHING;
      }
      case "kv.delete" -> {
        Key key = in.key(0);
        yield Boolean.toString(api.kvDelete(key.collection(), key.key()));
      }
      case "kv.list" -> kvList(in);
      case "entities.insert" ->
          quoted(api.entityInsert(in.text(0, "entity"), in.json(1, "fields")));
      case "entities.update" ->
          Long.toString(
              api.entityUpdate(
                  in.text(0, "entity"),
                  in.text(1, "id"),
                  in.number(2, "version"),
                  in.json(3, "fields")));
      case "entities.delete" -> {
        api.entityDelete(in.text(0, "entity"), in.text(1, "id"), in.number(2, "version"));
        yield NOTHING;
      }
      case "entities.query" ->
          api.entityQuery(in.text(0, "entity"), in.isGiven(1) ? in.json(1, "query") : "{}");
      case "numbering.next" -> quoted(api.numberingNext(in.text(0, "rule")));
      case "config.get" -> {
        String found = api.configGet(in.isGiven(0) ? in.text(0, "pointer") : "");
        yield found == null ? NOTHING : found;
      }
      case "events.publish" -> publish(in);
      case "log.trace", "log.debug", "log.info", "log.warn", "log.error" -> {
        api.log(function.substring("log.".length()), in.line());
        yield NOTHING;
      }
      default -> throw new HostException("there is no function " + function);
    };
  }

  /** A script is its trigger's own: what its call is about is no secret to it. */
  private String context() {
    CallScope scope = api.scope();
    ObjectNode all = JsonText.object();
    all.put("app", scope.app().value());
    all.put("principal", scope.principal());
    ArrayNode permissions = all.putArray("permissions");
    scope.caller().permissions().forEach(permission -> permissions.add(permission.toString()));
    all.put("deliveryId", scope.delivery() == null ? null : scope.delivery().toString());
    all.put("attempt", scope.attempt());
    all.put("now", scope.now().toEpochMilli());
    return all.toString();
  }

  private String kvGet(Key key) throws HostException, WasmTrapException {
    byte[] value = api.kvGet(key.collection(), key.key());
    if (value == null) {
      return NOTHING;
    }
    String text = JsonText.utf8(value);
    if (text == null) {
      throw new HostException("the value of '%s' is not UTF-8".formatted(key));
    }
    return quoted(text);
  }

  /** {@code prefix, {after, limit}}; keys as they are given to get, and as {@code after}. */
  private String kvList(Arguments in) throws HostException, WasmTrapException {
    Key prefix = in.key(0);
    JsonNode options = in.options(1);
    String after = Arguments.member(options, "after");
    Key from = after == null ? new Key(prefix.collection(), "") : Key.of(after);
    if (!from.collection().equals(prefix.collection())) {
      throw new HostException("after is a key of '%s/'".formatted(prefix.collection()));
    }
    JsonNode limit = options.path("limit");
    if (!limit.isMissingNode() && !limit.isNull() && !limit.canConvertToExactIntegral()) {
      throw new HostException("kv.list: limit is a whole number");
    }
    ArrayNode keys = JsonText.object().putArray("keys");
    for (String key :
        api.kvList(
            prefix.collection(),
            prefix.key(),
            from.key(),
            limit.isNumber() ? limit.asLong() : LIST_MAX)) {
      keys.add(prefix.collection() + "/" + key);
    }
    return keys.toString();
  }

  /** {@code type, data, {subject}}; data that is null is none. */
  private String publish(Arguments in) throws HostException {
    String subject = Arguments.member(in.options(2), "subject");
    byte[] data = in.isGiven(1) ? utf8(in.json(1, "data")) : new byte[0];
    return quoted(api.publish(in.text(0, "type"), subject == null ? "" : subject, data));
  }

  static String quoted(String text) {
    return TextNode.valueOf(text).toString();
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private record Key(String collection, String key) {
    static Key of(String text) throws HostException {
      int slash = text.indexOf('/');
      if (slash < 0) {
        throw new HostException(
            "a key is collection/key, as in orders/4711, not '%s'".formatted(text));
      }
      return new Key(text.substring(0, slash), text.substring(slash + 1));
    }

    @Override
    public String toString() {
      return collection + "/" + key;
    }
  }

  /** What was passed, by position. */
  private record Arguments(String function, JsonNode values) {
    boolean isGiven(int at) {
      return values.hasNonNull(at);
    }

    String text(int at, String what) throws HostException {
      if (values.get(at) instanceof TextNode text) {
        return text.textValue();
      }
      throw wrong(what, "a text", at);
    }

    Key key(int at) throws HostException {
      return Key.of(text(at, "key"));
    }

    long number(int at, String what) throws HostException {
      JsonNode value = values.path(at);
      if (value.isNumber() && value.canConvertToExactIntegral() && value.canConvertToLong()) {
        return value.asLong();
      }
      throw wrong(what, "a whole number", at);
    }

    String json(int at, String what) throws HostException {
      JsonNode value = values.get(at);
      if (value == null) {
        throw wrong(what, "JSON", at);
      }
      return value.toString();
    }

    JsonNode options(int at) throws HostException {
      JsonNode value = values.path(at);
      if (value.isMissingNode() || value.isNull() || value.isObject()) {
        return value;
      }
      throw wrong("the last argument", "an object", at);
    }

    static @Nullable String member(JsonNode options, String name) throws HostException {
      JsonNode value = options.path(name);
      if (value.isMissingNode() || value.isNull()) {
        return null;
      }
      if (!value.isTextual()) {
        throw new HostException(name + " is a text");
      }
      return value.textValue();
    }

    /** All of them in one line of the log. */
    String line() {
      List<String> words =
          values
              .valueStream()
              .map(each -> each.isTextual() ? each.textValue() : each.toString())
              .toList();
      return String.join(" ", words);
    }

    private HostException wrong(String what, String is, int at) {
      return new HostException(
          "%s: %s (argument %d) is to be %s".formatted(function, what, at + 1, is));
    }
  }
}
