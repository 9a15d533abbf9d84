package dev.viesti.dispatcher.plugin;

import dev.viesti.protocol.plugin.Permission;
import dev.viesti.protocol.plugin.Permission.Action;
import java.util.List;

/** Who makes a call, and what it may do. */
public sealed interface Caller permits InstalledPlugin, TriggerScript {
  /** {@code plugin} or {@code script}: the first part of its name in audit columns and events. */
  String kind();

  /** The plugin's id, or that of the script's trigger. */
  String name();

  /** What grants its permissions, for the message that refuses one. */
  String grantor();

  List<Permission> permissions();

  default boolean allows(Action action, String what) {
    return permissions().stream().anyMatch(permission -> permission.allows(action, what));
  }
}
