package dev.viesti.ops.cli;

import dev.viesti.ops.cli.Output.Column;
import dev.viesti.ops.cli.client.ApiClient;
import dev.viesti.ops.cli.client.ClientJson;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(name = "delivery", description = "Deliveries that wait or run.")
final class DeliveryCommands {
  private static final List<Column> COLUMNS =
      List.of(
          Column.of("DELIVERY", "id"),
          Column.of("TRIGGER", "trigger"),
          Column.of("STATE", "state"),
          Column.of("ATTEMPT", "attempt"),
          Column.time("DUE", "dueAt"),
          Column.time("ACCEPTED", "acceptedAt"),
          Column.of("LAST ERROR", "lastError"));

  private static final List<Column> FIELDS =
      List.of(
          Column.of("delivery", "id"),
          Column.of("event", "eventId"),
          Column.of("trigger", "trigger"),
          Column.of("state", "state"),
          Column.of("attempt", "attempt"),
          Column.of("order key", "orderingKey"),
          Column.time("due", "dueAt"),
          Column.time("accepted", "acceptedAt"),
          Column.time("first attempt", "firstAttemptAt"),
          Column.of("last error", "lastError"),
          new Column("content", delivery -> Events.show(delivery.path("event"))));

  private final Terminal terminal;

  DeliveryCommands(Terminal terminal) {
    this.terminal = terminal;
  }

  @Command(name = "list", description = "List deliveries in the order in which they become due.")
  int list(
      @Mixin ServerOptions server,
      @Mixin Output output,
      @Mixin PageOptions page,
      @Mixin AppOption app,
      @Option(names = "--trigger", paramLabel = "TRIGGER", description = "only this trigger's")
          @Nullable String trigger) {
    try (ApiClient client = server.connect(terminal)) {
      return page.list(
          terminal,
          output,
          client,
          app.path("/deliveries"),
          trigger == null ? Map.of() : Map.of("trigger", trigger),
          COLUMNS);
    }
  }

  @Command(name = "get", description = "Show a delivery with its event and its failed attempts.")
  int get(
      @Mixin ServerOptions server,
      @Mixin Output output,
      @Mixin AppOption app,
      @Parameters(paramLabel = "DELIVERY", description = "the delivery's id") String delivery) {
    try (ApiClient client = server.connect(terminal)) {
      var found = client.get(path(app, delivery), Map.of());
      output.show(terminal, found, FIELDS);
      Events.showAttempts(terminal, output, found.path("attempts"));
      return ExitCodes.OK;
    }
  }

  @Command(name = "retry", description = "Make a waiting delivery due now.")
  int retry(
      @Mixin ServerOptions server,
      @Mixin Output output,
      @Mixin AppOption app,
      @Parameters(paramLabel = "DELIVERY", description = "the delivery's id") String delivery) {
    try (ApiClient client = server.connect(terminal)) {
      output.show(terminal, client.post(path(app, delivery) + ":retry"), FIELDS);
      return ExitCodes.OK;
    }
  }

  @Command(
      name = "cancel",
      description = "Remove a delivery; what a running attempt did outside is not undone.")
  int cancel(
      @Mixin ServerOptions server,
      @Mixin Output output,
      @Mixin AppOption app,
      @Parameters(paramLabel = "DELIVERY", description = "the delivery's id") String delivery) {
    try (ApiClient client = server.connect(terminal)) {
      var unused = client.post(path(app, delivery) + ":cancel");
      output.say(terminal, "cancelled delivery " + delivery);
      if (output.isJson()) {
        Output.printJson(terminal, ClientJson.MAPPER.createObjectNode().put("cancelled", delivery));
      }
      return ExitCodes.OK;
    }
  }

  @Command(
      name = "complete",
      description =
          "Tell the outcome of a deferred delivery: it succeeded, unless --error is given.")
  int complete(
      @Mixin ServerOptions server,
      @Mixin Output output,
      @Mixin AppOption app,
      @Option(names = "--error", paramLabel = "TEXT", description = "it failed, and this is why")
          @Nullable String error,
      @Option(names = "--retry", description = "with --error: it is worth another attempt")
          boolean retry,
      @Parameters(paramLabel = "DELIVERY", description = "the delivery's id") String delivery) {
    try (ApiClient client = server.connect(terminal)) {
      var body = ClientJson.MAPPER.createObjectNode();
      if (error != null) {
        body.put("error", error).put("retry", retry);
      } else if (retry) {
        throw CommandFailure.usage("--retry needs --error: what succeeded is not tried again");
      }
      var unused = client.post(path(app, delivery) + ":complete", body);
      output.say(terminal, "told the outcome of delivery " + delivery);
      if (output.isJson()) {
        Output.printJson(terminal, ClientJson.MAPPER.createObjectNode().put("completed", delivery));
      }
      return ExitCodes.OK;
    }
  }

  private static String path(AppOption app, String delivery) {
    return app.path(ApiClient.path("/deliveries/%s", delivery));
  }
}
