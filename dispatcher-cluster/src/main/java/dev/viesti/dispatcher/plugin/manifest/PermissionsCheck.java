package dev.viesti.dispatcher.plugin.manifest;

import com.fasterxml.jackson.databind.JsonNode;
import dev.viesti.protocol.plugin.Permission;
import dev.viesti.protocol.plugin.PluginId;
import org.jspecify.annotations.Nullable;

/**
 * Finds permissions that allow nothing: for an entity or a numbering rule that the manifest does
 * not have. Patterns with a {@code *} are not looked at, because they say less.
 */
final class PermissionsCheck {
  private final @Nullable PluginId self;
  private final Names entities;
  private final Names rules;
  private final Faults faults;

  PermissionsCheck(@Nullable PluginId self, Names entities, Names rules, Faults faults) {
    this.self = self;
    this.entities = entities;
    this.rules = rules;
    this.faults = faults;
  }

  /**
   * @param permissions as in the manifest; what is no permission was a fault before
   */
  void check(@Nullable JsonNode permissions) {
    for (int i = 0; permissions != null && i < permissions.size(); i++) {
      Permission permission = permission(permissions.path(i).textValue());
      if (permission != null && permission.isExact()) {
        check(permission, "/permissions/" + i);
      }
    }
  }

  private static @Nullable Permission permission(@Nullable String text) {
    try {
      return text == null ? null : Permission.of(text);
    } catch (IllegalArgumentException faultAlready) {
      return null;
    }
  }

  private void check(Permission permission, String path) {
    String what = permission.pattern();
    switch (permission.action()) {
      case ENTITY_READ -> {
        if (isOwn(what)) {
          requireEntity(what, path);
        }
      }
      case ENTITY_WRITE -> {
        if (isOwn(what)) {
          requireEntity(what, path);
        } else {
          faults.add(path, "an entity of another plugin can be read only: " + Faults.shown(what));
        }
      }
      case NUMBERING_NEXT -> {
        if (!rules.all().contains(what)) {
          faults.add(
              path,
              "there is no numbering rule '%s' in this manifest%s"
                  .formatted(Faults.shown(what), rules.instead(what)));
        }
      }
      case KV_READ, KV_WRITE, CONFIG_READ, EVENT_PUBLISH, LOG_WRITE, CONTEXT_READ -> {}
    }
  }

  private boolean isOwn(String entity) {
    return entity.indexOf('/') < 0 || (self != null && entity.startsWith(self + "/"));
  }

  private void requireEntity(String entity, String path) {
    if (self != null && entity.startsWith(self + "/")) {
      String name = entity.substring(self.value().length() + 1);
      faults.add(path, "an entity of its own is written without the plugin: " + Faults.shown(name));
    } else if (!entities.all().contains(entity)) {
      faults.add(
          path,
          "there is no entity '%s' in this manifest%s; one of another plugin is 'plugin/entity'"
              .formatted(Faults.shown(entity), entities.instead(entity)));
    }
  }
}
