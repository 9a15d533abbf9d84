package dev.viesti.ops.cli.client;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;

/**
 * One event of a <a
 * href="https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream">server-sent
 * event stream</a>.
 *
 * @param name {@code message} when the server named none
 * @param id empty when the server gave none
 */
public record SseEvent(String name, String id, String data) {
  /** Reads to the end; comments (heartbeats) and events without data are skipped. */
  static void read(InputStream stream, Consumer<SseEvent> consumer) throws IOException {
    var lines = new BufferedReader(new InputStreamReader(stream, StandardCharsets.UTF_8));
    String name = "message";
    String id = "";
    var data = new StringBuilder();
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      if (line.isEmpty()) {
        if (!data.isEmpty()) {
          consumer.accept(new SseEvent(name, id, data.substring(0, data.length() - 1)));
        }
        name = "message";
        data.setLength(0);
        continue;
      }
      int colon = line.indexOf(':');
      String field = colon < 0 ? line : line.substring(0, colon);
      String value = colon < 0 ? "" : line.substring(colon + 1);
      String text = value.startsWith(" ") ? value.substring(1) : value;
      switch (field) {
        case "event" -> name = text;
        case "id" -> id = text;
        case "data" -> data.append(text).append('\n');
        default -> {} // comments, retry and what later versions add
      }
    }
  }
}
