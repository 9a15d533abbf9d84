package dev.viesti.ops.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import dev.viesti.ops.cli.EventLine.Defaults;
import dev.viesti.ops.cli.client.ApiClient;
import dev.viesti.ops.cli.client.ClientJson;
import dev.viesti.ops.cli.client.EventSender;
import dev.viesti.protocol.trigger.DurationText;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.time.OffsetDateTime;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(name = "event", description = "Events: what triggers match.")
final class EventCommands {
  private final Terminal terminal;

  EventCommands(Terminal terminal) {
    this.terminal = terminal;
  }

  /** Attributes of the one event, or of lines that lack them. */
  static final class Attributes {
    @Option(
        names = "--source",
        paramLabel = "TEXT",
        description = "its source, or that of lines without one")
    private @Nullable String source;

    @Option(
        names = "--type",
        paramLabel = "TEXT",
        description = "its type, or that of lines without one")
    private @Nullable String type;

    @Option(
        names = "--subject",
        paramLabel = "TEXT",
        description = "its subject, or that of lines without one")
    private @Nullable String subject;

    @Option(
        names = "--deliver-at",
        paramLabel = "TIME",
        description =
            "no delivery starts before; of lines, those without 'deliverat'. A time such as"
                + " 2026-01-31T12:00:00Z, or a span from now such as 10m")
    private @Nullable String deliverAt;

    @Option(
        names = "--id",
        paramLabel = "TEXT",
        description = "with --data: its id; the same source and id again is a duplicate")
    private @Nullable String id;

    @Option(
        names = "--data",
        paramLabel = "JSON",
        description = "send one event with this data instead of reading lines")
    private @Nullable String data;
  }

  @Command(
      name = "send",
      description = {
        "Publish events: one with --data, or the lines of a file or of standard input.",
        "Each line is a CloudEvent as JSON. A missing id is made; a missing source and type must be",
        "given as options. For example:",
        "  viesti event send -a shop --source web --type orders.created --data '{\"n\": 1}'",
        "Batches are repeated, with the same ids, while the server is busy or restarting."
      })
  int send(
      @Mixin ServerOptions server,
      @Mixin Output output,
      @Mixin AppOption app,
      @ArgGroup(exclusive = false) @Nullable Attributes given,
      @Option(
              names = "--keep-going",
              description = "skip lines that cannot be sent, and end with exit code 1")
          boolean keepGoing,
      @Parameters(
              arity = "0..1",
              paramLabel = "FILE",
              defaultValue = Documents.STANDARD_INPUT,
              description = "of lines; '-' (the default) reads standard input")
          String file) {
    Attributes attributes = given == null ? new Attributes() : given;
    String deliverAt = deliverAt(attributes.deliverAt);
    long started = System.nanoTime();
    try (ApiClient client = server.connect(terminal);
        Progress progress = Progress.start(terminal, "events");
        BufferedReader lines = open(file, attributes)) {
      var sender =
          new EventSender(
              client,
              app.id(),
              EventSender.PATIENCE_DEFAULT,
              delay -> {
                progress.note("server not ready, next try in " + delay.toMillis() + " ms");
                terminal.pause().last(delay);
              });
      var upload =
          new EventUpload(
              sender,
              new Defaults(attributes.source, attributes.type, attributes.subject, deliverAt),
              keepGoing,
              terminal.err(),
              progress);
      try {
        upload.send(lines);
      } finally {
        progress.finish();
        summarize(output, upload, System.nanoTime() - started);
      }
      return upload.refused() == 0 ? ExitCodes.OK : ExitCodes.REFUSED;
    } catch (IOException failed) {
      throw CommandFailure.usage(
          "cannot read " + Documents.name(file) + ": " + ServerOptions.reason(failed));
    }
  }

  private @Nullable String deliverAt(@Nullable String given) {
    if (given == null) {
      return null;
    }
    try {
      if (given.contains("T")) {
        var unused = OffsetDateTime.parse(given);
        return given;
      }
      return terminal.clock().instant().plus(DurationText.parse(given)).toString();
    } catch (DateTimeException | IllegalArgumentException | ArithmeticException wrong) {
      throw CommandFailure.usage(
          "--deliver-at is a time such as 2026-01-31T12:00:00Z or a span from now such as 10m,"
              + " not '"
              + given
              + "'");
    }
  }

  private BufferedReader open(String file, Attributes attributes) throws IOException {
    if (attributes.data != null) {
      if (!file.equals(Documents.STANDARD_INPUT)) {
        throw CommandFailure.usage("give either a file or --data");
      }
      return new BufferedReader(new StringReader(oneEvent(attributes, attributes.data)));
    }
    if (attributes.id != null) {
      throw CommandFailure.usage("--id goes with --data; lines have ids of their own");
    }
    return file.equals(Documents.STANDARD_INPUT)
        ? new BufferedReader(new InputStreamReader(terminal.in(), StandardCharsets.UTF_8))
        : Files.newBufferedReader(Path.of(file));
  }

  private static String oneEvent(Attributes attributes, String data) {
    try {
      var unused = ClientJson.MAPPER.readTree(data);
    } catch (com.fasterxml.jackson.core.JsonProcessingException malformed) {
      throw CommandFailure.usage(
          "--data is not JSON: " + malformed.getOriginalMessage() + " (a text needs its quotes)");
    }
    String id = attributes.id == null ? "" : "\"id\":" + new TextNode(attributes.id) + ",";
    return "{" + id + "\"data\":" + data.replaceAll("[\\r\\n]+", " ") + "}";
  }

  private void summarize(Output output, EventUpload upload, long nanos) {
    EventSender.Receipt sum = upload.sum();
    double seconds = nanos / 1e9;
    if (output.isJson()) {
      ObjectNode summary = ClientJson.MAPPER.createObjectNode();
      summary.put("accepted", sum.accepted());
      summary.put("deliveries", sum.deliveries());
      summary.put("duplicates", sum.duplicates());
      summary.put("refused", upload.refused());
      Output.printJson(terminal, summary);
      return;
    }
    terminal
        .out()
        .printf(
            "accepted %d, deliveries %d, duplicates %d%s in %.1f s%n",
            sum.accepted(),
            sum.deliveries(),
            sum.duplicates(),
            upload.refused() == 0 ? "" : ", refused " + upload.refused(),
            seconds);
  }
}
