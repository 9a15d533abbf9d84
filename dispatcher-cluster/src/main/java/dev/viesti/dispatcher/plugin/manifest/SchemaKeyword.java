package dev.viesti.dispatcher.plugin.manifest;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** The keywords of <a href="https://json-schema.org/draft/2020-12">JSON Schema 2020-12</a>. */
enum SchemaKeyword {
  SCHEMA("$schema", Kind.DIALECT),
  ID("$id", Kind.ROOT_ID),
  REF("$ref", Kind.REFERENCE),
  DYNAMIC_REF("$dynamicRef", Kind.REFERENCE),
  ANCHOR("$anchor", Kind.ANCHOR),
  DYNAMIC_ANCHOR("$dynamicAnchor", Kind.ANCHOR),
  DEFS("$defs", Kind.NAMED_SCHEMAS),
  COMMENT("$comment", Kind.TEXT),

  ALL_OF("allOf", Kind.SCHEMAS),
  ANY_OF("anyOf", Kind.SCHEMAS),
  ONE_OF("oneOf", Kind.SCHEMAS),
  NOT("not", Kind.SCHEMA),
  IF("if", Kind.SCHEMA),
  THEN("then", Kind.SCHEMA),
  ELSE("else", Kind.SCHEMA),
  DEPENDENT_SCHEMAS("dependentSchemas", Kind.NAMED_SCHEMAS),
  PREFIX_ITEMS("prefixItems", Kind.SCHEMAS),
  ITEMS("items", Kind.SCHEMA),
  CONTAINS("contains", Kind.SCHEMA),
  PROPERTIES("properties", Kind.NAMED_SCHEMAS),
  PATTERN_PROPERTIES("patternProperties", Kind.PATTERN_SCHEMAS),
  ADDITIONAL_PROPERTIES("additionalProperties", Kind.SCHEMA),
  PROPERTY_NAMES("propertyNames", Kind.SCHEMA),
  UNEVALUATED_ITEMS("unevaluatedItems", Kind.SCHEMA),
  UNEVALUATED_PROPERTIES("unevaluatedProperties", Kind.SCHEMA),

  TYPE("type", Kind.TYPE),
  ENUM("enum", Kind.LIST),
  CONST("const", Kind.ANY),
  MULTIPLE_OF("multipleOf", Kind.ABOVE_ZERO),
  MAXIMUM("maximum", Kind.NUMBER),
  EXCLUSIVE_MAXIMUM("exclusiveMaximum", Kind.NUMBER),
  MINIMUM("minimum", Kind.NUMBER),
  EXCLUSIVE_MINIMUM("exclusiveMinimum", Kind.NUMBER),
  MAX_LENGTH("maxLength", Kind.COUNT),
  MIN_LENGTH("minLength", Kind.COUNT),
  PATTERN("pattern", Kind.PATTERN),
  MAX_ITEMS("maxItems", Kind.COUNT),
  MIN_ITEMS("minItems", Kind.COUNT),
  UNIQUE_ITEMS("uniqueItems", Kind.FLAG),
  MAX_CONTAINS("maxContains", Kind.COUNT),
  MIN_CONTAINS("minContains", Kind.COUNT),
  MAX_PROPERTIES("maxProperties", Kind.COUNT),
  MIN_PROPERTIES("minProperties", Kind.COUNT),
  REQUIRED("required", Kind.TEXTS),
  DEPENDENT_REQUIRED("dependentRequired", Kind.NAMED_TEXTS),

  TITLE("title", Kind.TEXT),
  DESCRIPTION("description", Kind.TEXT),
  DEFAULT("default", Kind.ANY),
  DEPRECATED("deprecated", Kind.FLAG),
  READ_ONLY("readOnly", Kind.FLAG),
  WRITE_ONLY("writeOnly", Kind.FLAG),
  EXAMPLES("examples", Kind.LIST),
  FORMAT("format", Kind.TEXT),
  CONTENT_ENCODING("contentEncoding", Kind.TEXT),
  CONTENT_MEDIA_TYPE("contentMediaType", Kind.TEXT),
  CONTENT_SCHEMA("contentSchema", Kind.SCHEMA);

  /** What a keyword's value has to be. */
  enum Kind {
    SCHEMA,
    SCHEMAS,
    NAMED_SCHEMAS,
    PATTERN_SCHEMAS,
    PATTERN,
    REFERENCE,
    ANCHOR,
    ROOT_ID,
    DIALECT,
    TYPE,
    TEXT,
    TEXTS,
    NAMED_TEXTS,
    FLAG,
    NUMBER,
    ABOVE_ZERO,
    COUNT,
    LIST,
    ANY
  }

  private static final Map<String, SchemaKeyword> BY_NAME =
      Arrays.stream(values()).collect(Collectors.toMap(one -> one.text, Function.identity()));
  private static final List<String> NAMES = Arrays.stream(values()).map(one -> one.text).toList();

  private final String text;
  private final Kind kind;

  SchemaKeyword(String text, Kind kind) {
    this.text = text;
    this.kind = kind;
  }

  /** Null when there is none of that name. */
  static @Nullable SchemaKeyword of(String name) {
    return BY_NAME.get(name);
  }

  static List<String> names() {
    return NAMES;
  }

  Kind kind() {
    return kind;
  }
}
