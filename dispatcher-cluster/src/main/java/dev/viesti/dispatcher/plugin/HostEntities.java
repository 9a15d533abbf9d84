package dev.viesti.dispatcher.plugin;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.viesti.dispatcher.plugin.CallBuffer.EntityKey;
import dev.viesti.dispatcher.plugin.CallBuffer.EntityPending;
import dev.viesti.dispatcher.plugin.entity.EntityQueryReader;
import dev.viesti.dispatcher.plugin.entity.EntityValues;
import dev.viesti.dispatcher.plugin.entity.InvalidEntityException;
import dev.viesti.dispatcher.wasm.WasmTrapException;
import dev.viesti.persistence.effects.EntityQuery;
import dev.viesti.persistence.effects.EntityRepository;
import dev.viesti.persistence.effects.EntityRepository.Entity;
import dev.viesti.persistence.effects.InvalidQueryException;
import dev.viesti.protocol.plugin.EntityType;
import dev.viesti.protocol.plugin.Manifest;
import dev.viesti.protocol.plugin.PluginId;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The part of the host API that is about entities. Permissions are checked before anything here is
 * called. For one call, on one thread.
 */
final class HostEntities {
  /** Whose entities they are, and what they look like. */
  private record Named(PluginId plugin, EntityType type) {}

  private final CallScope scope;
  private final CallBuffer buffer;
  private final HostApi.Parts parts;

  HostEntities(CallScope scope, CallBuffer buffer, HostApi.Parts parts) {
    this.scope = scope;
    this.buffer = buffer;
    this.parts = parts;
  }

  /**
   * @return its id
   */
  String insert(String name, String fields) throws HostException, WasmTrapException {
    Named named = own(name);
    UUID id = parts.ids().get();
    buffer.insert(key(named, id), checked(named, fields));
    return id.toString();
  }

  /**
   * Changes the fields that are given, and empties those that are null.
   *
   * @param version that the caller has seen
   * @return the new version
   */
  long update(String name, String id, long version, String fields)
      throws HostException, WasmTrapException {
    Named named = own(name);
    EntityKey key = key(named, id(id));
    Entity now = current(named, key, version);
    buffer.change(key, now.version(), checked(named, merged(now.json(), fields)));
    EntityPending pending = buffer.entity(key);
    return pending == null ? version : pending.version();
  }

  void delete(String name, String id, long version) throws HostException, WasmTrapException {
    Named named = own(name);
    EntityKey key = key(named, id(id));
    Entity now = current(named, key, version);
    buffer.change(key, now.version(), null);
  }

  /**
   * @return {@code {"rows": […], "cursor": …}}
   */
  String query(String name, String json) throws HostException, WasmTrapException {
    Named named = named(name);
    try {
      EntityQuery query = EntityQueryReader.read(json);
      EntityRepository.Unwritten unwritten = unwritten(named);
      EntityRepository.Page page =
          parts
              .store()
              .read(
                  () ->
                      parts
                          .reads()
                          .query(scope.app(), named.plugin(), named.type(), query, unwritten));
      return shown(named.type(), page);
    } catch (InvalidQueryException wrong) {
      throw new HostException(String.valueOf(wrong.getMessage()));
    }
  }

  // ---- names

  private Named own(String name) throws HostException {
    Named named = named(name);
    InstalledPlugin self = scope.plugin();
    if (self == null || !named.plugin().equals(self.id())) {
      throw new HostException("entities of another plugin can be read only: '" + name + "'");
    }
    return named;
  }

  /**
   * {@code order} of its own, {@code crm/customer} of another one; a script has none of its own.
   */
  private Named named(String name) throws HostException {
    int slash = name.indexOf('/');
    InstalledPlugin self = scope.plugin();
    Manifest manifest = self == null ? null : self.manifest();
    if (slash >= 0
        && (manifest == null || !name.substring(0, slash).equals(manifest.id().value()))) {
      manifest = other(name.substring(0, slash));
    }
    EntityType type = manifest == null ? null : manifest.entity(name.substring(slash + 1));
    if (manifest == null || type == null) {
      throw new HostException(
          "there is no entity '%s'%s"
              .formatted(
                  name,
                  self == null && slash < 0 ? ": a script says whose, as in crm/" + name : ""));
    }
    return new Named(manifest.id(), type);
  }

  private @Nullable Manifest other(String plugin) {
    try {
      return parts.others().apply(new PluginId(plugin));
    } catch (IllegalArgumentException noId) {
      return null;
    }
  }

  private static EntityKey key(Named named, UUID id) {
    return new EntityKey(named.plugin(), named.type().name(), id);
  }

  private static UUID id(String text) throws HostException {
    try {
      UUID id = UUID.fromString(text);
      if (id.toString().equals(text.toLowerCase(Locale.ROOT))) {
        return id;
      }
    } catch (IllegalArgumentException wrong) {
      // falls through to the one message
    }
    throw new HostException("an id is a UUID as insert answers it, not '" + text + "'");
  }

  // ---- values

  /** As the call sees it; its version has to be what the caller has seen. */
  private Entity current(Named named, EntityKey key, long version)
      throws HostException, WasmTrapException {
    Entity stored = null;
    EntityPending pending = buffer.entity(key);
    if (pending == null) {
      stored =
          parts
              .store()
              .read(() -> parts.reads().entity(scope.app(), key.plugin(), key.entity(), key.id()));
    } else if (pending.fields() != null) {
      stored = unwritten(key, pending);
    }
    if (stored == null) {
      throw new HostException(
          "there is no entity '%s' with the id %s".formatted(named.type().name(), key.id()));
    }
    if (stored.version() != version) {
      throw new HostException(
          "entity '%s' %s is at version %d, not %d: read it again"
              .formatted(named.type().name(), key.id(), stored.version(), version));
    }
    return stored;
  }

  private String checked(Named named, String fields) throws HostException, WasmTrapException {
    try {
      EntityValues values = EntityValues.read(named.type(), fields);
      for (EntityValues.Link link : values.links()) {
        requireThere(named.plugin(), link);
      }
      return values.json();
    } catch (InvalidEntityException wrong) {
      throw new HostException(String.valueOf(wrong.getMessage()));
    }
  }

  private void requireThere(PluginId owner, EntityValues.Link link)
      throws HostException, WasmTrapException {
    PluginId plugin = link.to().plugin() == null ? owner : link.to().plugin();
    var key = new EntityKey(plugin, link.to().entity(), link.id());
    EntityPending pending = buffer.entity(key);
    boolean there =
        pending == null
            ? parts
                    .store()
                    .read(() -> parts.reads().entity(scope.app(), plugin, key.entity(), key.id()))
                != null
            : pending.fields() != null;
    if (!there) {
      throw new HostException(
          "%s: there is no entity '%s' with the id %s"
              .formatted(link.field(), link.to().entity(), link.id()));
    }
  }

  private static String merged(String stored, String changes) throws HostException {
    try {
      if (JsonText.tree(stored) instanceof ObjectNode all
          && JsonText.tree(changes) instanceof ObjectNode some) {
        all.setAll(some);
        return all.toString();
      }
    } catch (JsonProcessingException wrong) {
      throw new HostException("fields is no JSON: " + wrong.getOriginalMessage());
    }
    throw new HostException("fields must be a JSON object");
  }

  // ---- what the call has not written yet

  private EntityRepository.Unwritten unwritten(Named named) {
    Set<UUID> touched = new HashSet<>();
    List<Entity> there = new ArrayList<>();
    buffer
        .entities()
        .forEach(
            (key, pending) -> {
              if (key.plugin().equals(named.plugin()) && key.entity().equals(named.type().name())) {
                touched.add(key.id());
                if (pending.fields() != null) {
                  there.add(unwritten(key, pending));
                }
              }
            });
    return new EntityRepository.Unwritten(touched, there);
  }

  /** Who made an entity, and when, is known of those that the call made itself only. */
  private Entity unwritten(EntityKey key, EntityPending pending) {
    Instant now = scope.now();
    String fields = pending.fields() == null ? "{}" : pending.fields();
    return new Entity(key.id(), pending.version(), fields, now, scope.by(), now, scope.by());
  }

  // ---- JSON

  /** Fields in the order of their type: the database has another one. */
  private static String shown(EntityType type, EntityRepository.Page page) throws HostException {
    ObjectNode all = JsonText.object();
    ArrayNode rows = all.putArray("rows");
    try {
      for (Entity entity : page.entities()) {
        ObjectNode row = rows.addObject();
        row.put("id", entity.id().toString());
        row.put("version", entity.version());
        JsonNode fields = JsonText.tree(entity.json());
        for (EntityType.Field field : type.fields()) {
          JsonNode value = fields.get(field.name());
          if (value != null) {
            row.set(field.name(), value);
          }
        }
        row.put("_created_at", entity.createdAt().toString());
        row.put("_created_by", entity.createdBy());
        row.put("_updated_at", entity.updatedAt().toString());
        row.put("_updated_by", entity.updatedBy());
      }
    } catch (JsonProcessingException impossible) {
      throw new HostException("a stored entity cannot be read");
    }
    JsonNode cursor = page.cursor() == null ? all.nullNode() : all.textNode(page.cursor());
    all.set("cursor", cursor);
    return all.toString();
  }
}
