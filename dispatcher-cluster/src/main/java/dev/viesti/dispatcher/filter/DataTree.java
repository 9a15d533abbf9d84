package dev.viesti.dispatcher.filter;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import dev.cel.common.values.NullValue;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.AbstractList;
import java.util.AbstractMap;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.RandomAccess;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * JSON as CEL values: maps, lists, strings, booleans, CEL's null, long, and double for everything
 * that is not a whole number of 64 bits. Each map and list knows its weight, so that the cost of
 * comparing two of them is known before it is paid.
 */
final class DataTree {
  /** Characters of a string that weigh as much as one value: they are compared 16 at a time. */
  static final int CHARACTERS_PER_UNIT = 16;

  /** As deep as an event may be that came in over HTTP; bounds the recursion here and in CEL. */
  private static final int NESTING_MAX = 256;

  private static final JsonFactory FACTORY =
      JsonFactory.builder()
          .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
          .streamReadConstraints(
              StreamReadConstraints.builder().maxNestingDepth(NESTING_MAX).build())
          .build();

  private DataTree() {}

  /** A map or list that was weighed when it was built. */
  interface Weighed {
    /** Number of values in it at all levels, long strings counted more than once. */
    long weight();
  }

  static Object parse(byte[] json) throws JsonProcessingException {
    try (JsonParser parser = FACTORY.createParser(json)) {
      parser.nextToken();
      return value(parser);
    } catch (JsonProcessingException notJson) {
      throw notJson;
    } catch (IOException impossible) {
      throw new UncheckedIOException("an array cannot fail to be read", impossible);
    }
  }

  static long weightOfText(int length) {
    return 1L + length / CHARACTERS_PER_UNIT;
  }

  private static long weightOf(Object value) {
    return switch (value) {
      case Weighed container -> container.weight();
      case String text -> weightOfText(text.length());
      default -> 1;
    };
  }

  private static Object value(JsonParser parser) throws IOException {
    JsonToken token = parser.currentToken();
    if (token == null) {
      return NullValue.NULL_VALUE;
    }
    return switch (token) {
      case START_OBJECT -> object(parser);
      case START_ARRAY -> array(parser);
      case VALUE_STRING -> parser.getText();
      case VALUE_TRUE -> true;
      case VALUE_FALSE -> false;
      case VALUE_NULL -> NullValue.NULL_VALUE;
      case VALUE_NUMBER_INT ->
          parser.getNumberType() == JsonParser.NumberType.BIG_INTEGER
              ? (Object) parser.getDoubleValue()
              : (Object) parser.getLongValue();
      case VALUE_NUMBER_FLOAT -> parser.getDoubleValue();
      default -> throw new IllegalStateException("no JSON value starts with " + token);
    };
  }

  private static JsonObject object(JsonParser parser) throws IOException {
    Map<String, Object> members = new LinkedHashMap<>();
    long weight = 1;
    while (parser.nextToken() != JsonToken.END_OBJECT) {
      String name = parser.currentName();
      parser.nextToken();
      Object value = value(parser);
      members.put(name, value);
      weight += weightOfText(name.length()) + weightOf(value);
    }
    return new JsonObject(members, weight);
  }

  private static JsonArray array(JsonParser parser) throws IOException {
    List<Object> elements = new ArrayList<>();
    long weight = 1;
    while (parser.nextToken() != JsonToken.END_ARRAY) {
      Object value = value(parser);
      elements.add(value);
      weight += weightOf(value);
    }
    return new JsonArray(elements, weight);
  }

  private static final class JsonObject extends AbstractMap<String, Object> implements Weighed {
    private final Map<String, Object> members;
    private final long weight;

    JsonObject(Map<String, Object> members, long weight) {
      this.members = members;
      this.weight = weight;
    }

    @Override
    public long weight() {
      return weight;
    }

    @Override
    public @Nullable Object get(Object key) {
      return members.get(key);
    }

    @Override
    public boolean containsKey(Object key) {
      return members.containsKey(key);
    }

    @Override
    public Set<Entry<String, Object>> entrySet() {
      return members.entrySet();
    }
  }

  private static final class JsonArray extends AbstractList<Object>
      implements RandomAccess, Weighed {
    private final List<Object> elements;
    private final long weight;

    JsonArray(List<Object> elements, long weight) {
      this.elements = elements;
      this.weight = weight;
    }

    @Override
    public long weight() {
      return weight;
    }

    @Override
    public Object get(int index) {
      return elements.get(index);
    }

    @Override
    public int size() {
      return elements.size();
    }
  }
}
