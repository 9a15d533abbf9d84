package dev.viesti.dispatcher.plugin;

import dev.viesti.protocol.app.AppId;
import dev.viesti.protocol.delivery.DeliveryId;
import dev.viesti.protocol.event.Event;
import dev.viesti.protocol.event.Payload;
import dev.viesti.protocol.plugin.Manifest;
import dev.viesti.protocol.plugin.NumberingRule;
import dev.viesti.protocol.plugin.NumberingRule.Reset;
import dev.viesti.protocol.plugin.Permission;
import dev.viesti.protocol.plugin.PluginId;
import dev.viesti.protocol.plugin.PluginLimits;
import dev.viesti.protocol.trigger.TriggerId;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Plugins and calls as tests need them. */
final class Given {
  static final AppId SHOP = new AppId("shop");
  static final PluginId PLUGIN = new PluginId("orders");
  static final Instant NOON = Instant.parse("2026-03-04T12:00:00Z");

  static final String[] ALL = {
    "kv:read:*",
    "kv:write:*",
    "entity:read:*",
    "entity:write:*",
    "numbering:next:*",
    "config:read",
    "event:publish:*",
    "log:write",
    "context:read"
  };

  private Given() {}

  static Manifest manifest(PluginLimits limits, String... permissions) {
    return new Manifest(
        PLUGIN,
        "Orders",
        "1.0.0",
        Arrays.stream(permissions).map(Permission::of).toList(),
        List.of(),
        List.of(),
        List.of(new NumberingRule("order", "ORD-", "yyyy-", 4, Reset.YEARLY)),
        null,
        limits);
  }

  static InstalledPlugin installed(@Nullable String config, String... permissions) {
    return new InstalledPlugin(
        manifest(PluginLimits.DEFAULT, permissions), "0".repeat(64), config, true, null);
  }

  static Event event(int depth, @Nullable UUID root) {
    return new Event(
        UUID.fromString("0190a000-0000-7000-8000-000000000001"),
        null,
        "shop",
        "order.created",
        "4711",
        null,
        Payload.ofJson("{}"),
        false,
        "alice",
        depth,
        root,
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
  }

  static CallScope scope(InstalledPlugin plugin, @Nullable Event cause) {
    return new CallScope(
        SHOP,
        plugin,
        cause == null ? null : cause.principal(),
        cause == null ? null : DeliveryId.of(cause.id(), new TriggerId("t")),
        3,
        NOON,
        cause);
  }
}
