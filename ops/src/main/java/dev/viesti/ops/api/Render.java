package dev.viesti.ops.api;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.util.RawValue;
import dev.viesti.dispatcher.AppView;
import dev.viesti.dispatcher.DeliveryView;
import dev.viesti.dispatcher.PluginHealth;
import dev.viesti.dispatcher.PluginRelease;
import dev.viesti.dispatcher.PluginView;
import dev.viesti.dispatcher.TriggerView;
import dev.viesti.dispatcher.cloudevents.CloudEvents;
import dev.viesti.dispatcher.json.Json;
import dev.viesti.protocol.deadletter.DeadLetter;
import dev.viesti.protocol.delivery.Delivery;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Our records as the JSON of the answers. Events and attempt logs go in as they are stored. */
final class Render {
  private Render() {}

  static ObjectNode app(AppView app) {
    ObjectNode json = Json.MAPPER.createObjectNode();
    json.put("id", app.id().value());
    json.setAll((ObjectNode) tree(app.settings()));
    json.put("revision", app.revision());
    json.set("createdAt", tree(app.createdAt()));
    json.set("updatedAt", tree(app.updatedAt()));
    return json;
  }

  static ObjectNode trigger(TriggerView trigger) {
    ObjectNode json = Json.MAPPER.createObjectNode();
    json.put("id", trigger.id().value());
    json.setAll((ObjectNode) tree(trigger.trigger()));
    json.put("revision", trigger.revision());
    json.set("createdAt", tree(trigger.createdAt()));
    json.set("updatedAt", tree(trigger.updatedAt()));
    json.put("disabledReason", trigger.disabledReason());
    return json;
  }

  static ObjectNode plugin(PluginView plugin) {
    PluginRelease shown = plugin.shown().release();
    ObjectNode json = Json.MAPPER.createObjectNode();
    json.put("id", plugin.id().value());
    json.put("status", plugin.status().text());
    json.put("name", shown.manifest().name());
    json.put("version", shown.manifest().version());
    json.put("enabled", plugin.enabled());
    json.put("problem", plugin.problem());
    json.set("quarantinedUntil", tree(plugin.quarantinedUntil()));
    json.put("trigger", PluginView.TRIGGER_PREFIX + plugin.id());
    json.set("current", version(plugin.current()));
    json.set("candidate", version(plugin.candidate()));
    json.set("previous", version(plugin.previous()));
    json.putRawValue("manifest", utf8(ApiResponse.write(shown.manifest())));
    String config = shown.config();
    json.putRawValue("config", config == null ? null : new RawValue(config));
    json.put("revision", plugin.revision());
    json.set("createdAt", tree(plugin.createdAt()));
    json.set("updatedAt", tree(plugin.updatedAt()));
    return json;
  }

  private static JsonNode version(PluginView.@Nullable Version version) {
    if (version == null) {
      return Json.MAPPER.nullNode();
    }
    ObjectNode json = Json.MAPPER.createObjectNode();
    json.put("version", version.release().manifest().version());
    json.put("sha256", version.release().sha256());
    json.put("size", version.release().size());
    json.set("installedAt", tree(version.installedAt()));
    json.put("by", version.by());
    return json;
  }

  static ObjectNode health(PluginHealth health) {
    return Json.MAPPER
        .createObjectNode()
        .put("healthy", health.healthy())
        .put("problem", health.problem());
  }

  static ObjectNode delivery(DeliveryView view) {
    Delivery delivery = view.delivery();
    ObjectNode json = Json.MAPPER.createObjectNode();
    json.set("id", tree(delivery.id()));
    json.put("eventId", delivery.event().cloudEventId());
    json.put("trigger", delivery.trigger().value());
    json.set("state", tree(view.state()));
    json.put("attempt", delivery.attempt());
    json.set("dueAt", tree(delivery.waitsUntil()));
    json.set("acceptedAt", tree(delivery.acceptedAt()));
    json.set("firstAttemptAt", tree(delivery.firstAttemptAt()));
    json.put("lastError", delivery.lastError());
    json.put("orderingKey", delivery.orderingKey());
    return json;
  }

  static ObjectNode deliveryWithEvent(DeliveryView view) {
    ObjectNode json = delivery(view);
    json.putRawValue("event", raw(view));
    json.putRawValue("attempts", log(view.delivery().attempts()));
    return json;
  }

  static ObjectNode deadLetter(DeadLetter letter) {
    ObjectNode json = Json.MAPPER.createObjectNode();
    json.put("id", letter.id().toString());
    json.put("delivery", letter.delivery().toString());
    json.put("eventId", letter.event().cloudEventId());
    json.put("trigger", letter.trigger().value());
    json.putRawValue("event", utf8(CloudEvents.renderStructured(letter.event())));
    json.put("attempts", letter.attempts());
    json.putRawValue("attemptLog", log(letter.attemptLog()));
    json.set("acceptedAt", tree(letter.acceptedAt()));
    json.set("firstAttemptAt", tree(letter.firstAttemptAt()));
    json.set("lastAttemptAt", tree(letter.lastAttemptAt()));
    json.put("lastError", letter.lastError());
    json.set("createdAt", tree(letter.createdAt()));
    json.set("resolvedAt", tree(letter.resolvedAt()));
    json.set("resolution", tree(letter.resolution()));
    json.put("note", letter.resolutionNote());
    return json;
  }

  /**
   * A page of a list.
   *
   * @param found one more than {@code limit} when there is a further page
   * @param cursor where the page ends, by its last element
   */
  static <T> ObjectNode page(
      List<T> found, int limit, Function<T, ? extends JsonNode> row, Function<T, String> cursor) {
    List<T> page = found.size() > limit ? found.subList(0, limit) : found;
    ObjectNode json = Json.MAPPER.createObjectNode();
    ArrayNode data = json.putArray("data");
    page.forEach(element -> data.add(row.apply(element)));
    json.put("nextCursor", found.size() > limit ? cursor.apply(page.getLast()) : null);
    return json;
  }

  static JsonNode tree(@Nullable Object value) {
    return Json.MAPPER.valueToTree(value);
  }

  private static RawValue raw(DeliveryView view) {
    return utf8(CloudEvents.renderStructured(view.delivery().event()));
  }

  private static RawValue utf8(byte[] json) {
    return new RawValue(new String(json, StandardCharsets.UTF_8));
  }

  private static RawValue log(@Nullable String attempts) {
    return new RawValue(attempts == null ? "[]" : attempts);
  }
}
