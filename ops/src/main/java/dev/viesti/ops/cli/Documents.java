package dev.viesti.ops.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MappingIterator;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import dev.viesti.ops.cli.client.ClientJson;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Reads what people keep in files: YAML or JSON, one document or many. */
final class Documents {
  /** The argument that stands for standard input. */
  static final String STANDARD_INPUT = "-";

  private Documents() {}

  /** Every document of the file; the items of a JSON array count as documents. */
  static List<ObjectNode> read(Terminal terminal, String file) {
    String text = text(terminal, file);
    boolean maybeJson = text.stripLeading().startsWith("{") || text.stripLeading().startsWith("[");
    List<ObjectNode> documents;
    try {
      documents = maybeJson ? parse(ClientJson.MAPPER, text, file) : parse(yaml(), text, file);
    } catch (JsonProcessingException malformed) {
      // YAML may begin with a brace as well: {app: demo, id: orders}
      documents = maybeJson ? yamlOr(malformed, text, file) : refuse(malformed, file);
    }
    if (documents.isEmpty()) {
      throw CommandFailure.usage(name(file) + " holds no document");
    }
    return documents;
  }

  private static List<ObjectNode> yamlOr(JsonProcessingException json, String text, String file) {
    try {
      return parse(yaml(), text, file);
    } catch (JsonProcessingException neither) {
      return refuse(json, file);
    }
  }

  private static List<ObjectNode> parse(ObjectMapper mapper, String text, String file)
      throws JsonProcessingException {
    var documents = new ArrayList<ObjectNode>();
    try (MappingIterator<JsonNode> nodes = mapper.readerFor(JsonNode.class).readValues(text)) {
      while (nodes.hasNextValue()) {
        add(documents, nodes.nextValue(), file);
      }
      return documents;
    } catch (JsonProcessingException malformed) {
      throw malformed;
    } catch (IOException impossible) {
      throw new UncheckedIOException("a text in memory can be read", impossible);
    }
  }

  /** Made when it is needed: only few commands read files, and the parser takes time to load. */
  private static ObjectMapper yaml() {
    return new ObjectMapper(
        YAMLFactory.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build());
  }

  private static List<ObjectNode> refuse(JsonProcessingException malformed, String file) {
    var location = malformed.getLocation();
    throw CommandFailure.usage(
        name(file)
            + (location == null ? "" : " line " + location.getLineNr())
            + ": "
            + malformed.getOriginalMessage());
  }

  /** The only document of the file, without members that belong to the address. */
  static ObjectNode readOne(Terminal terminal, String file, List<String> without) {
    List<ObjectNode> documents = read(terminal, file);
    if (documents.size() != 1) {
      throw CommandFailure.usage(
          name(file) + " holds " + documents.size() + " documents; one is expected");
    }
    return documents.getFirst().remove(without);
  }

  /** A nested object as one readable line. */
  static String inline(JsonNode node) {
    if (!node.isObject()) {
      return node.isNull() || node.isMissingNode() ? "" : node.asText();
    }
    var parts = new ArrayList<String>();
    for (var member : node.properties()) {
      parts.add(member.getKey() + "=" + inline(member.getValue()));
    }
    return String.join(" ", parts);
  }

  /** How a file is called in messages. */
  static String name(String file) {
    return file.equals(STANDARD_INPUT) ? "standard input" : file;
  }

  private static void add(List<ObjectNode> documents, JsonNode node, String file) {
    if (node.isArray()) {
      node.forEach(item -> add(documents, item, file));
    } else if (node instanceof ObjectNode object) {
      documents.add(object);
    } else if (!node.isNull() && !node.isMissingNode()) { // an empty document between two '---'
      throw CommandFailure.usage(
          name(file) + ": document " + (documents.size() + 1) + " is no object");
    }
  }

  private static String text(Terminal terminal, String file) {
    try {
      return file.equals(STANDARD_INPUT)
          ? new String(terminal.in().readAllBytes(), StandardCharsets.UTF_8)
          : Files.readString(Path.of(file));
    } catch (IOException failed) {
      throw CommandFailure.usage("cannot read " + name(file) + ": " + ServerOptions.reason(failed));
    }
  }
}
