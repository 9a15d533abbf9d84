package dev.viesti.dispatcher.plugin.manifest;

import com.fasterxml.jackson.databind.JsonNode;
import dev.viesti.protocol.plugin.EntityType;
import dev.viesti.protocol.plugin.Manifest;
import dev.viesti.protocol.plugin.NumberingRule;
import dev.viesti.protocol.plugin.NumberingRule.Reset;
import dev.viesti.protocol.plugin.Permission;
import dev.viesti.protocol.plugin.PluginId;
import dev.viesti.protocol.plugin.PluginLimits;
import dev.viesti.protocol.trigger.DurationText;
import dev.viesti.protocol.trigger.EventPattern;
import java.time.Duration;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Reads a manifest from text, and says everything that is wrong with it at once. The bounds of the
 * values are those of the records: each is tried in a record whose other values are fine.
 */
public final class ManifestReader {
  /** How a manifest may be written. The members are the same. */
  public enum Format {
    /** RFC 8259, in UTF-8. */
    JSON,
    /** TOML 1.0. */
    TOML
  }

  /** Of the text. Fifty entities of a hundred fields each fit in about five times over. */
  public static final int BYTES_MAX = 256 * 1024;

  private static final List<String> MEMBERS =
      List.of(
          "id",
          "name",
          "version",
          "permissions",
          "subscribe",
          "entities",
          "numbering",
          "config",
          "limits");
  private static final List<String> PATTERN_MEMBERS = List.of("type", "source", "subject");
  private static final List<String> RULE_MEMBERS =
      List.of("name", "prefix", "dateFormat", "digits", "reset");
  private static final List<String> LIMITS_MEMBERS = List.of("fuel", "timeout", "memoryPages");
  private static final PluginId SOME_ID = new PluginId("x");

  private final Faults faults = new Faults();

  private ManifestReader() {}

  /**
   * @param text bytes that nobody has looked at
   * @throws MalformedManifestException with all that is wrong, and nothing else whatever the bytes
   */
  public static Manifest read(byte[] text, Format format) throws MalformedManifestException {
    ManifestReader reader = new ManifestReader();
    Manifest manifest = reader.manifest(text, format);
    List<Fault> faults = reader.faults.list();
    if (manifest == null || !faults.isEmpty()) {
      throw new MalformedManifestException(faults);
    }
    return manifest;
  }

  private @Nullable Manifest manifest(byte[] bytes, Format format) {
    if (bytes.length > BYTES_MAX) {
      faults.add(
          "", "has %,d bytes; a manifest has at most %,d".formatted(bytes.length, BYTES_MAX));
      return null;
    }
    String text = TreeText.utf8(bytes, faults);
    if (text == null) {
      return null;
    }
    JsonNode tree =
        switch (format) {
          case JSON -> TreeText.json(text, faults);
          case TOML -> TreeText.toml(text, faults);
        };
    return tree == null ? null : manifest(tree);
  }

  private @Nullable Manifest manifest(JsonNode tree) {
    Members members = Members.of(tree, "", faults, MEMBERS);
    if (members == null) {
      return null;
    }
    String idText = members.text("id");
    PluginId id = idText == null ? null : members.check("id", () -> new PluginId(idText));
    String name = members.text("name");
    if (name != null) {
      Manifest unused = members.check("name", () -> empty(name, "1"));
    }
    String version = members.text("version");
    if (version != null) {
      Manifest unused = members.check("version", () -> empty("x", version));
    }
    List<Permission> permissions =
        members.list("permissions", Manifest.PERMISSIONS_MAX, this::permission);
    List<EventPattern> subscribe = members.list("subscribe", Manifest.SUBSCRIBE_MAX, this::pattern);
    EntitiesReader entitiesReader = new EntitiesReader(id, faults);
    List<EntityType> entities =
        members.list("entities", Manifest.ENTITIES_MAX, entitiesReader::read);
    entitiesReader.checkReferences();
    Names rules = new Names("numbering rule", faults);
    List<NumberingRule> numbering =
        members.list("numbering", Manifest.NUMBERING_MAX, (node, path) -> rule(node, path, rules));
    String config = config(members);
    PluginLimits limits = limits(members);
    new PermissionsCheck(id, entitiesReader.names(), rules, faults)
        .check(members.node("permissions"));
    if (id == null || name == null || version == null || faults.count() > 0) {
      return null;
    }
    return faults.check(
        "",
        () ->
            new Manifest(
                id, name, version, permissions, subscribe, entities, numbering, config, limits));
  }

  private static Manifest empty(String name, String version) {
    return new Manifest(
        SOME_ID,
        name,
        version,
        List.of(),
        List.of(),
        List.of(),
        List.of(),
        null,
        PluginLimits.DEFAULT);
  }

  private @Nullable Permission permission(JsonNode node, String path) {
    String text = Members.text(node, path, faults);
    return text == null ? null : faults.check(path, () -> Permission.of(text));
  }

  private @Nullable EventPattern pattern(JsonNode node, String path) {
    int before = faults.count();
    Members members = Members.of(node, path, faults, PATTERN_MEMBERS);
    if (members == null) {
      return null;
    }
    String source = part(members, "source", text -> new EventPattern(text, "*", "*"));
    String type = part(members, "type", text -> new EventPattern("*", text, "*"));
    String subject = part(members, "subject", text -> new EventPattern("*", "*", text));
    return faults.count() > before ? null : EventPattern.of(source, type, subject);
  }

  private @Nullable String part(
      Members members, String name, Function<String, EventPattern> alone) {
    String text = members.textOrNull(name);
    if (text != null) {
      EventPattern unused = members.check(name, () -> alone.apply(text));
    }
    return text;
  }

  private @Nullable NumberingRule rule(JsonNode node, String path, Names names) {
    int before = faults.count();
    Members members = Members.of(node, path, faults, RULE_MEMBERS);
    if (members == null) {
      return null;
    }
    String name = members.text("name");
    if (name != null) {
      NumberingRule unused =
          members.check("name", () -> new NumberingRule(name, "", null, 1, Reset.NEVER));
      names.add(name, path);
    }
    String prefixText = members.textOrNull("prefix");
    String prefix = prefixText == null ? "" : prefixText;
    NumberingRule withPrefix =
        members.check("prefix", () -> new NumberingRule("x", prefix, null, 1, Reset.NEVER));
    String dateFormat = members.textOrNull("dateFormat");
    NumberingRule withDate =
        members.check("dateFormat", () -> new NumberingRule("x", "", dateFormat, 1, Reset.NEVER));
    int digits = clamped(members.wholeNumber("digits", 1));
    NumberingRule withDigits =
        members.check("digits", () -> new NumberingRule("x", "", null, digits, Reset.NEVER));
    Reset wanted = members.word("reset", Reset.values(), Reset::text);
    Reset reset = wanted == null ? Reset.NEVER : wanted;
    if (name == null || withPrefix == null || withDate == null || withDigits == null) {
      return null;
    }
    return faults.count() > before
        ? null
        : new NumberingRule(name, prefix, dateFormat, digits, reset);
  }

  private @Nullable String config(Members members) {
    JsonNode schema = members.node("config");
    if (schema == null) {
      return null;
    }
    if (!schema.isObject()) {
      members.fault("config", "must be a JSON Schema, an object, not " + Members.kind(schema));
      return null;
    }
    String text = TreeText.print(schema);
    faults.addAll("/config", ConfigSchema.faultsOf(schema));
    return text;
  }

  private PluginLimits limits(Members manifest) {
    PluginLimits fine = PluginLimits.DEFAULT;
    JsonNode node = manifest.node("limits");
    Members members =
        node == null ? null : Members.of(node, manifest.path("limits"), faults, LIMITS_MEMBERS);
    if (members == null) {
      return fine;
    }
    long fuel = members.wholeNumber("fuel", fine.fuel());
    PluginLimits withFuel =
        members.check("fuel", () -> new PluginLimits(fuel, fine.timeout(), fine.memoryPages()));
    String timeoutText = members.textOrNull("timeout");
    Duration timeout =
        timeoutText == null
            ? fine.timeout()
            : members.check("timeout", () -> DurationText.parse(timeoutText));
    PluginLimits withTimeout =
        timeout == null
            ? null
            : members.check(
                "timeout", () -> new PluginLimits(fine.fuel(), timeout, fine.memoryPages()));
    int memoryPages = clamped(members.wholeNumber("memoryPages", fine.memoryPages()));
    PluginLimits withMemory =
        members.check(
            "memoryPages", () -> new PluginLimits(fine.fuel(), fine.timeout(), memoryPages));
    return timeout == null || withFuel == null || withTimeout == null || withMemory == null
        ? fine
        : new PluginLimits(fuel, timeout, memoryPages);
  }

  /** What does not fit in an int is out of every bound as its ends are. */
  private static int clamped(long value) {
    return Math.clamp(value, Integer.MIN_VALUE, Integer.MAX_VALUE);
  }
}
