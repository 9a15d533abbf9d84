package dev.viesti.ops.api;

import dev.viesti.dispatcher.OutcomeNotice;
import java.nio.charset.StandardCharsets;

/**
 * Outcomes as <a href="https://html.spec.whatwg.org/multipage/server-sent-events.html">server-sent
 * events</a>. Nothing is kept for clients that come back: {@code Last-Event-ID} is ignored.
 */
public final class StreamText {
  public static final String MEDIA_TYPE = "text/event-stream";

  /** The first lines: makes proxies and clients see the stream as open, and slows reconnects. */
  public static final String OPENING = ": outcomes from now on\nretry: 3000\n\n";

  /** Keeps proxies from closing a quiet stream. */
  public static final String HEARTBEAT = ": still here\n\n";

  private StreamText() {}

  public static String outcome(OutcomeNotice notice) {
    String data = new String(ApiResponse.write(notice), StandardCharsets.UTF_8);
    return "event: outcome\nid: %s.%d\ndata: %s\n\n"
        .formatted(notice.delivery(), notice.attempt(), data);
  }

  /**
   * @param count outcomes that this client was too slow for, since the last such event
   */
  public static String dropped(long count) {
    return "event: dropped\ndata: {\"count\":" + count + "}\n\n";
  }
}
