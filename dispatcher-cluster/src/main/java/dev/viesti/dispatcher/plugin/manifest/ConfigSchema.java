package dev.viesti.dispatcher.plugin.manifest;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.re2j.Pattern;
import com.networknt.schema.Error;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaException;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SchemaRegistryConfig;
import com.networknt.schema.SpecificationVersion;
import com.networknt.schema.regex.RegularExpression;
import com.networknt.schema.resource.SchemaLoader;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * What configurations of a plugin look like, by the JSON Schema of its manifest. Immutable,
 * thread-safe.
 *
 * <p>Both the schema and the configuration come from outside, so the work of comparing them is
 * bounded: nothing is fetched, patterns are matched by RE2 in linear time, and each step is charged
 * to a budget. {@code format} is an annotation, as the standard has it.
 */
public final class ConfigSchema {
  /** Of a schema, as JSON without spaces: some hundred members with descriptions. */
  public static final int SCHEMA_BYTES_MAX = 64 * 1024;

  /** Of a configuration. */
  public static final int CONFIG_BYTES_MAX = 64 * 1024;

  private final @Nullable JsonNode schema;

  private ConfigSchema(@Nullable JsonNode schema) {
    this.schema = schema;
  }

  /**
   * @param json the schema of a manifest; null: anything fits
   * @throws IllegalArgumentException if it is no schema, which {@link ManifestReader} has checked
   */
  public static ConfigSchema of(@Nullable String json) {
    if (json == null) {
      return new ConfigSchema(null);
    }
    Faults faults = new Faults();
    JsonNode schema = TreeText.json(json, faults);
    List<Fault> all = schema == null ? faults.list() : faultsOf(schema);
    if (!all.isEmpty()) {
      throw new IllegalArgumentException("not a config schema: " + all.getFirst());
    }
    return new ConfigSchema(schema);
  }

  /** What is wrong with a schema; paths are within it. */
  static List<Fault> faultsOf(JsonNode schema) {
    Faults faults = new Faults();
    if (TreeText.print(schema).length() > SCHEMA_BYTES_MAX) {
      faults.add("", "has at most %,d characters as JSON".formatted(SCHEMA_BYTES_MAX));
      return faults.list();
    }
    SchemaCheck.check(schema, faults);
    if (faults.count() == 0) {
      try {
        compiled(schema, new CheckBudget(0, 0)).initializeValidators();
      } catch (SchemaException refused) {
        faults.add("", "is no JSON Schema 2020-12: " + refused.getMessage());
      }
    }
    return faults.list();
  }

  /**
   * What is wrong with a configuration: nothing, when it fits.
   *
   * @param config JSON that nobody has looked at
   */
  public List<Fault> faults(byte[] config) {
    Faults faults = new Faults();
    if (config.length > CONFIG_BYTES_MAX) {
      faults.add("", "a configuration has at most %,d bytes".formatted(CONFIG_BYTES_MAX));
      return faults.list();
    }
    String text = TreeText.utf8(config, faults);
    JsonNode node = text == null ? null : TreeText.json(text, faults);
    if (node != null && schema != null) {
      compare(node, schema, faults);
    }
    return faults.list();
  }

  private static void compare(JsonNode config, JsonNode schema, Faults faults) {
    CheckBudget budget = new CheckBudget(nodes(config), nodes(schema));
    BoundedContext context = new BoundedContext(budget);
    try {
      compiled(schema, budget).validate(context, config);
    } catch (CheckBudget.ExceededException tooMuch) {
      faults.add("", tooMuch.reason());
      return;
    }
    for (Error error : context.getErrors()) {
      faults.add(error.getInstanceLocation().toString(), error.getMessage());
    }
  }

  /** Made for one comparison, because its patterns are charged to the budget of that one. */
  private static Schema compiled(JsonNode schema, CheckBudget budget) {
    SchemaRegistryConfig config =
        SchemaRegistryConfig.builder()
            .locale(Locale.ROOT)
            .formatAssertionsEnabled(false)
            .preloadSchema(false)
            .regularExpressionFactory(pattern -> expression(Pattern.compile(pattern), budget))
            .build();
    SchemaLoader nothing =
        SchemaLoader.builder().fetchRemoteResources(false).block(iri -> true).build();
    SchemaRegistry registry =
        SchemaRegistry.withDefaultDialect(
            SpecificationVersion.DRAFT_2020_12,
            builder -> builder.schemaRegistryConfig(config).schemaLoader(nothing));
    return registry.getSchema(nameless(schema));
  }

  /** A schema may have its name from anywhere; here it is known by none. */
  private static JsonNode nameless(JsonNode schema) {
    if (!(schema instanceof ObjectNode object)) {
      return schema;
    }
    ObjectNode copy = object.objectNode();
    copy.setAll(object);
    copy.remove(List.of("$id", "$schema"));
    return copy;
  }

  private static RegularExpression expression(Pattern pattern, CheckBudget budget) {
    return text -> {
      budget.match(text.length(), pattern.programSize());
      return pattern.matcher(text).find();
    };
  }

  private static int nodes(JsonNode tree) {
    int count = 1;
    for (JsonNode child : tree) {
      count += nodes(child);
    }
    return count;
  }
}
