package dev.viesti.ops.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import dev.viesti.ops.cli.client.ClientJson;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Bytes that go out and come in as they are: values, payloads and replies. */
final class RawBody {
  @Option(
      names = {"-d", "--data"},
      paramLabel = "TEXT",
      description = "this text")
  private @Nullable String data;

  @Option(
      names = {"-f", "--file"},
      paramLabel = "FILE",
      description = "the bytes of a file; '-' reads standard input")
  private @Nullable String file;

  /** What was given; nothing when nothing was. */
  byte[] bytes(Terminal terminal) {
    if (data != null && file != null) {
      throw CommandFailure.usage("give either --data or --file");
    }
    if (file == null) {
      return data == null ? new byte[0] : data.getBytes(StandardCharsets.UTF_8);
    }
    try {
      return file.equals(Documents.STANDARD_INPUT)
          ? terminal.in().readAllBytes()
          : Files.readAllBytes(Path.of(file));
    } catch (IOException failed) {
      throw CommandFailure.usage(
          "cannot read " + Documents.name(file) + ": " + ServerOptions.reason(failed));
    }
  }

  boolean isGiven() {
    return data != null || file != null;
  }

  /** Prints bytes where they are text; else they are for a file. */
  static void print(Terminal terminal, byte[] bytes) {
    try {
      String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
      terminal.out().println(text);
    } catch (CharacterCodingException binary) {
      throw CommandFailure.refused(
          "it is no text, but %,d bytes: write them with --to FILE".formatted(bytes.length));
    }
  }

  /** Writes bytes as they are. */
  static void write(String file, byte[] bytes) {
    try {
      Files.write(Path.of(file), bytes);
    } catch (IOException failed) {
      throw CommandFailure.usage("cannot write " + file + ": " + ServerOptions.reason(failed));
    }
  }

  /** As a member of JSON: what is JSON as it is, other text as a string, the rest in base64. */
  static JsonNode asJson(byte[] bytes) {
    try {
      String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
      try {
        JsonNode json = ClientJson.MAPPER.readTree(text);
        return json == null || json.isMissingNode()
            ? ClientJson.MAPPER.getNodeFactory().textNode(text)
            : json;
      } catch (JsonProcessingException otherText) {
        return ClientJson.MAPPER.getNodeFactory().textNode(text);
      }
    } catch (CharacterCodingException binary) {
      return ClientJson.MAPPER
          .createObjectNode()
          .put("base64", Base64.getEncoder().encodeToString(bytes));
    }
  }
}
