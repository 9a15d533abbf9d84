package dev.viesti.dispatcher.plugin.manifest;

import com.fasterxml.jackson.databind.JsonNode;
import dev.viesti.protocol.plugin.EntityType;
import dev.viesti.protocol.plugin.EntityType.Field;
import dev.viesti.protocol.plugin.EntityType.FieldType;
import dev.viesti.protocol.plugin.EntityType.Reference;
import dev.viesti.protocol.plugin.PluginId;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Reads the entities of one manifest, then checks where their references point. */
final class EntitiesReader {
  private static final List<String> ENTITY_MEMBERS = List.of("name", "fields");
  private static final List<String> FIELD_MEMBERS =
      List.of("name", "type", "required", "references");
  private static final String TYPES =
      Arrays.stream(FieldType.values()).map(FieldType::text).collect(Collectors.joining(", "));
  private static final Field SOME_FIELD = new Field("x", FieldType.STRING, false, null);

  private final @Nullable PluginId self;
  private final Faults faults;
  private final Names names;

  /** References to the plugin's own entities, by their path: an entity may come after them. */
  private final Map<String, String> own = new LinkedHashMap<>();

  EntitiesReader(@Nullable PluginId self, Faults faults) {
    this.self = self;
    this.faults = faults;
    this.names = new Names("entity", faults);
  }

  /** Null when {@code faults} has got one. */
  @Nullable EntityType read(JsonNode node, String path) {
    int before = faults.count();
    Members members = Members.of(node, path, faults, ENTITY_MEMBERS);
    if (members == null) {
      return null;
    }
    String name = members.text("name");
    if (name != null) {
      EntityType unused = members.check("name", () -> new EntityType(name, List.of(SOME_FIELD)));
      names.add(name, path);
    }
    Names fieldNames = new Names("field", faults);
    List<Field> fields =
        members.list(
            "fields", EntityType.FIELDS_MAX, (field, below) -> field(field, below, fieldNames));
    if (faults.count() > before || name == null) {
      return null;
    }
    return members.check("fields", () -> new EntityType(name, fields));
  }

  /** After all were read. */
  void checkReferences() {
    own.forEach(
        (path, entity) -> {
          if (!names.all().contains(entity)) {
            faults.add(
                path,
                "there is no entity '%s' in this manifest%s; one of another plugin is 'plugin/entity'"
                    .formatted(Faults.shown(entity), names.instead(entity)));
          }
        });
  }

  Names names() {
    return names;
  }

  private @Nullable Field field(JsonNode node, String path, Names names) {
    int before = faults.count();
    Members members = Members.of(node, path, faults, FIELD_MEMBERS);
    if (members == null) {
      return null;
    }
    String name = members.text("name");
    if (name != null) {
      Field unused = members.check("name", () -> new Field(name, FieldType.STRING, false, null));
      names.add(name, path);
    }
    FieldType type = members.word("type", FieldType.values(), FieldType::text);
    if (members.node("type") == null) {
      members.fault("type", "type is missing: it is one of " + TYPES);
    }
    boolean required = members.flag("required", false);
    Reference references = reference(members);
    if (type == FieldType.REFERENCE && members.node("references") == null) {
      members.fault(
          "references",
          "references is missing: a reference points to an entity, as in 'order' or 'crm/customer'");
    }
    if (type != null && type != FieldType.REFERENCE && members.node("references") != null) {
      members.fault(
          "references", "only a field of type reference has it, not one of type " + type.text());
    }
    return faults.count() > before || name == null || type == null
        ? null
        : new Field(name, type, required, references);
  }

  private @Nullable Reference reference(Members members) {
    String text = members.textOrNull("references");
    if (text == null) {
      return null;
    }
    Reference reference = members.check("references", () -> Reference.of(text));
    if (reference == null || (reference.plugin() != null && !reference.plugin().equals(self))) {
      return reference;
    }
    own.put(members.path("references"), reference.entity());
    return new Reference(null, reference.entity());
  }
}
