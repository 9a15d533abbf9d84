package dev.viesti.ops.api;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.viesti.dispatcher.DeliveryPosition;
import dev.viesti.dispatcher.json.Json;
import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.plugin.PluginId;
import dev.viesti.protocol.trigger.TriggerId;
import java.io.IOException;
import java.time.Instant;
import java.util.Base64;
import java.util.UUID;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Where a page ended, as text that callers hand back unread: base64url of a small JSON object. Not
 * signed: a forged one only reads from another place of the same list.
 */
final class Cursors {
  /** An app's, a trigger's or a plugin's id, or a key, in a list by it. */
  private record ById(@JsonProperty("after") @Nullable String after) {}

  private record ByDue(
      @JsonInclude(JsonInclude.Include.NON_NULL) @JsonProperty("due") @Nullable Instant due,
      @JsonProperty("seq") @Nullable Long seq) {}

  private Cursors() {}

  static String of(AppId last) {
    return encode(new ById(last.value()));
  }

  static String of(TriggerId last) {
    return encode(new ById(last.value()));
  }

  static String of(PluginId last) {
    return encode(new ById(last.value()));
  }

  static String ofKey(String last) {
    return encode(new ById(last));
  }

  static String of(UUID last) {
    return encode(new ById(last.toString()));
  }

  static String of(DeliveryPosition last) {
    return encode(new ByDue(last.dueAt(), last.seq()));
  }

  static AppId app(String cursor) {
    return byId(cursor, AppId::new);
  }

  static TriggerId trigger(String cursor) {
    return byId(cursor, TriggerId::new);
  }

  static PluginId plugin(String cursor) {
    return byId(cursor, PluginId::new);
  }

  static String key(String cursor) {
    return byId(cursor, key -> key);
  }

  static UUID uuid(String cursor) {
    return byId(cursor, Call::parseUuid);
  }

  static DeliveryPosition delivery(String cursor) {
    ByDue place = decode(cursor, ByDue.class);
    if (place.seq() == null) {
      throw wrong();
    }
    return new DeliveryPosition(place.due(), place.seq());
  }

  private static <T> T byId(String cursor, Function<String, T> reader) {
    String after = decode(cursor, ById.class).after();
    if (after == null) {
      throw wrong();
    }
    try {
      return reader.apply(after);
    } catch (IllegalArgumentException otherList) {
      throw wrong();
    }
  }

  private static String encode(Object place) {
    return Base64.getUrlEncoder().withoutPadding().encodeToString(ApiResponse.write(place));
  }

  private static <T> T decode(String cursor, Class<T> shape) {
    try {
      T place = Json.MAPPER.readValue(Base64.getUrlDecoder().decode(cursor), shape);
      if (place == null) {
        throw wrong();
      }
      return place;
    } catch (IOException | IllegalArgumentException notOurs) {
      throw wrong();
    }
  }

  private static IllegalArgumentException wrong() {
    return new IllegalArgumentException(
        "the cursor is not one of this list: take nextCursor of the page before as it is");
  }
}
