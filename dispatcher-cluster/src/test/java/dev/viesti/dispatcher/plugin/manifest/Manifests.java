package dev.viesti.dispatcher.plugin.manifest;

import dev.viesti.dispatcher.plugin.manifest.ManifestReader.Format;
import dev.viesti.protocol.plugin.Manifest;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** Manifests that tests begin with. */
final class Manifests {
  /** Has every member there is. */
  static final String FULL_JSON =
      """
      {
        "id": "order-numbering",
        "name": "Order numbering",
        "version": "1.2.0",
        "permissions": ["kv:write:orders", "kv:read:*", "numbering:next:order", "entity:write:order",
          "entity:read:crm/customer", "event:publish:order.*", "config:read", "log:write",
          "context:read"],
        "subscribe": [{"type": "order.*", "source": "*", "subject": "eu/*"}, {}],
        "entities": [
          {"name": "order", "fields": [
            {"name": "number", "type": "string", "required": true},
            {"name": "customer", "type": "reference", "references": "crm/customer"},
            {"name": "total", "type": "number"},
            {"name": "parent", "type": "reference", "references": "order", "required": false},
            {"name": "line", "type": "reference", "references": "order_line"}]},
          {"name": "order_line", "fields": [{"name": "count", "type": "integer"}]}],
        "numbering": [
          {"name": "order", "prefix": "ORD-", "dateFormat": "yyyy-", "digits": 6, "reset": "yearly"},
          {"name": "ticket"}],
        "config": {
          "type": "object",
          "properties": {"from": {"type": "string", "maxLength": 64}, "rate": {"maximum": 1.50}},
          "required": ["from"],
          "additionalProperties": false},
        "limits": {"fuel": 20000000, "timeout": "45s", "memoryPages": 512}
      }
      """;

  /** As {@link #FULL_JSON}. */
  static final String FULL_TOML =
      """
      id = "order-numbering"
      name = "Order numbering"
      version = "1.2.0"
      permissions = [
        "kv:write:orders", "kv:read:*", "numbering:next:order", "entity:write:order",
        "entity:read:crm/customer", "event:publish:order.*", "config:read", "log:write",
        "context:read", # all that there are
      ]

      [[subscribe]]
      type = "order.*"
      source = "*"
      subject = "eu/*"

      [[subscribe]]

      [[entities]]
      name = "order"
      fields = [
        { name = "number", type = "string", required = true },
        { name = "customer", type = "reference", references = "crm/customer" },
        { name = "total", type = "number" },
        { name = "parent", type = "reference", references = "order" },
        { name = "line", type = "reference", references = "order_line" },
      ]

      [[entities]]
      name = "order_line"
      [[entities.fields]]
      name = "count"
      type = "integer"

      [[numbering]]
      name = "order"
      prefix = "ORD-"
      dateFormat = "yyyy-"
      digits = 6
      reset = "yearly"

      [[numbering]]
      name = "ticket"

      [config]
      type = "object"
      properties.from = { type = "string", maxLength = 64 }
      properties.rate.maximum = 1.50
      required = ["from"]
      additionalProperties = false

      [limits]
      fuel = 20_000_000
      timeout = "45s"
      memoryPages = 512
      """;

  private Manifests() {}

  static Manifest read(String json) throws MalformedManifestException {
    return ManifestReader.read(json.getBytes(StandardCharsets.UTF_8), Format.JSON);
  }

  /** What is wrong with it; none if nothing is. */
  static List<Fault> faults(String text, Format format) {
    try {
      Manifest unused = ManifestReader.read(text.getBytes(StandardCharsets.UTF_8), format);
      return List.of();
    } catch (MalformedManifestException malformed) {
      return malformed.faults();
    }
  }

  /** A small one with more members, which begin with a comma. */
  static String small(String members) {
    return "{'id':'a','name':'A','version':'1'%s}".formatted(members).replace('\'', '"');
  }
}
