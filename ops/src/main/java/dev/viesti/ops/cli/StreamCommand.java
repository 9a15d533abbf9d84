package dev.viesti.ops.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import dev.viesti.ops.cli.client.ApiClient;
import dev.viesti.ops.cli.client.ClientJson;
import dev.viesti.ops.cli.client.SseEvent;
import dev.viesti.ops.cli.client.UnreachableException;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
    name = "stream",
    description = {
      "Follow the outcomes of attempts as they happen, on all nodes. Ctrl-C ends it.",
      "For watching, not for counting: a slow reader misses some. With -o json, one object a line."
    })
final class StreamCommand implements Callable<Integer> {
  private static final Duration RECONNECT_DELAY = Duration.ofSeconds(1);

  /** Reconnects in a row without an answer, after which the server counts as gone. */
  private static final int RECONNECTS_MAX = 30;

  private final Terminal terminal;

  @Mixin private final ServerOptions server = new ServerOptions();
  @Mixin private final Output output = new Output();

  @Option(
      names = {"-a", "--app"},
      paramLabel = "APP",
      description = "only this app's")
  private @Nullable String app;

  @Option(names = "--count", paramLabel = "N", description = "end after so many outcomes")
  private @Nullable Long count;

  private long shown;
  private int failures;

  StreamCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  /** Ends the reading from inside the stream's callback. */
  private static final class EnoughException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    EnoughException() {
      super("enough", null, false, false);
    }
  }

  @Override
  public Integer call() {
    try (ApiClient client = server.connect(terminal)) {
      boolean everOpened = false;
      while (true) {
        try {
          client.stream(
              "/v1/stream",
              app == null ? Map.of() : Map.of("app", app),
              () -> failures = 0,
              this::onEvent);
          everOpened = true;
        } catch (UnreachableException unreachable) {
          if (!everOpened && shown == 0 && failures == 0) {
            throw unreachable;
          }
        }
        failures++;
        if (failures > RECONNECTS_MAX) {
          throw CommandFailure.unreachable(
              "the stream has ended and " + client.url() + " does not answer any more");
        }
        terminal.err().println("the stream has ended, connecting again");
        terminal.pause().last(RECONNECT_DELAY);
      }
    } catch (EnoughException enough) {
      return ExitCodes.OK;
    }
  }

  private void onEvent(SseEvent event) {
    if (!event.name().equals("outcome")) {
      return;
    }
    terminal.out().println(output.isJson() ? event.data() : line(event.data()));
    shown++;
    if (count != null && shown >= count) {
      throw new EnoughException();
    }
  }

  private static String line(String data) {
    JsonNode notice;
    try {
      notice = ClientJson.MAPPER.readTree(data);
    } catch (JsonProcessingException malformed) {
      return data;
    }
    String next = Output.utc(ClientJson.text(notice, "nextAttemptAt"));
    String error = ClientJson.text(notice, "error");
    return "%s  %s/%s  %s  attempt %s  %-13s%s%s"
        .formatted(
            Output.utc(ClientJson.text(notice, "at")),
            ClientJson.text(notice, "app"),
            ClientJson.text(notice, "trigger"),
            ClientJson.text(notice, "delivery"),
            ClientJson.text(notice, "attempt"),
            ClientJson.text(notice, "settlement"),
            next.isEmpty() ? "" : "  next at " + next,
            error.isEmpty() ? "" : "  " + error.replaceAll("\\p{Cntrl}+", " "));
  }
}
