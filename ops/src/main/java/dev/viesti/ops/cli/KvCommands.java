package dev.viesti.ops.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.viesti.ops.cli.Output.Column;
import dev.viesti.ops.cli.client.ApiClient;
import dev.viesti.ops.cli.client.ApiClient.Bytes;
import dev.viesti.ops.cli.client.ClientJson;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(name = "kv", description = "Values that an app's plugins read and write.")
final class KvCommands {
  private static final String BYTES = "application/octet-stream";

  private static final List<Column> COLUMNS =
      List.of(
          Column.of("KEY", "key"),
          Column.of("VERSION", "version"),
          Column.of("BYTES", "bytes"),
          Column.time("UPDATED", "updatedAt"));

  private final Terminal terminal;

  KvCommands(Terminal terminal) {
    this.terminal = terminal;
  }

  @Command(name = "list", description = "List the keys of a collection.")
  int list(
      @Mixin ServerOptions server,
      @Mixin Output output,
      @Mixin PageOptions page,
      @Mixin AppOption app,
      @Option(names = "--prefix", paramLabel = "TEXT", description = "only keys that begin so")
          @Nullable String prefix,
      @Parameters(paramLabel = "COLLECTION", description = "the collection's name")
          String collection) {
    try (ApiClient client = server.connect(terminal)) {
      return page.list(
          terminal,
          output,
          client,
          app.path(ApiClient.path("/kv/%s", collection)),
          prefix == null ? Map.of() : Map.of("prefix", prefix),
          COLUMNS);
    }
  }

  @Command(name = "get", description = "Print a value.")
  int get(
      @Mixin ServerOptions server,
      @Mixin Output output,
      @Mixin AppOption app,
      @Option(names = "--to", paramLabel = "FILE", description = "write its bytes there instead")
          @Nullable String to,
      @Parameters(paramLabel = "COLLECTION", description = "the collection's name")
          String collection,
      @Parameters(paramLabel = "KEY", description = "the value's key") String key) {
    try (ApiClient client = server.connect(terminal)) {
      Bytes value = client.exchange("GET", path(app, collection, key), BYTES, null, Map.of());
      if (to != null) {
        RawBody.write(to, value.body().bytes());
      }
      if (output.isJson()) {
        ObjectNode json = version(collection, key, value);
        json.set("value", RawBody.asJson(value.body().bytes()));
        Output.printJson(terminal, json);
      } else if (to == null) {
        RawBody.print(terminal, value.body().bytes());
      }
      return ExitCodes.OK;
    }
  }

  @Command(name = "put", description = "Put a value: --data, or the bytes of a --file.")
  int put(
      @Mixin ServerOptions server,
      @Mixin Output output,
      @Mixin AppOption app,
      @Mixin RawBody body,
      @Option(names = "--create", description = "only if there is none yet") boolean create,
      @Option(
              names = "--if-version",
              paramLabel = "N",
              description = "only if this version is there")
          @Nullable Long version,
      @Parameters(paramLabel = "COLLECTION", description = "the collection's name")
          String collection,
      @Parameters(paramLabel = "KEY", description = "the value's key") String key) {
    if (!body.isGiven()) {
      throw CommandFailure.usage("give the value with --data or --file");
    }
    if (create && version != null) {
      throw CommandFailure.usage("give either --create or --if-version");
    }
    Map<String, String> headers = create ? Map.of("If-None-Match", "*") : expected(version);
    try (ApiClient client = server.connect(terminal)) {
      Bytes put =
          client.exchange("PUT", path(app, collection, key), BYTES, body.bytes(terminal), headers);
      ObjectNode json = version(collection, key, put);
      output.say(
          terminal, "put %s %s, version %s".formatted(collection, key, json.path("version")));
      if (output.isJson()) {
        Output.printJson(terminal, json);
      }
      return ExitCodes.OK;
    }
  }

  @Command(name = "delete", description = "Delete a value.")
  int delete(
      @Mixin ServerOptions server,
      @Mixin Output output,
      @Mixin AppOption app,
      @Option(
              names = "--if-version",
              paramLabel = "N",
              description = "only if this version is there")
          @Nullable Long version,
      @Parameters(paramLabel = "COLLECTION", description = "the collection's name")
          String collection,
      @Parameters(paramLabel = "KEY", description = "the value's key") String key) {
    try (ApiClient client = server.connect(terminal)) {
      var unused =
          client.exchange("DELETE", path(app, collection, key), BYTES, null, expected(version));
      output.deleted(terminal, "value", key);
      return ExitCodes.OK;
    }
  }

  private static Map<String, String> expected(@Nullable Long version) {
    return version == null ? Map.of() : Map.of("If-Match", "\"" + version + "\"");
  }

  private static ObjectNode version(String collection, String key, Bytes answer) {
    ObjectNode json = ClientJson.MAPPER.createObjectNode();
    json.put("collection", collection).put("key", key);
    String etag = answer.etag();
    if (etag != null) {
      json.put("version", Long.parseLong(etag.replace("\"", "")));
    }
    return json;
  }

  private static String path(AppOption app, String collection, String key) {
    return app.path(ApiClient.path("/kv/%s/%s", collection, key));
  }
}
