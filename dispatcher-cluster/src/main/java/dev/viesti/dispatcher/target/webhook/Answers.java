package dev.viesti.dispatcher.target.webhook;

import dev.viesti.protocol.delivery.Outcome;
import java.io.IOException;
import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.net.UnknownHostException;
import java.time.Duration;
import java.time.Instant;
import javax.net.ssl.SSLException;
import org.apache.hc.client5.http.ConnectTimeoutException;
import org.apache.hc.core5.http.Header;
import org.apache.hc.core5.http.HttpResponse;
import org.apache.hc.core5.http.NoHttpResponseException;
import org.apache.hc.core5.http.ProtocolException;
import org.jspecify.annotations.Nullable;

/** What an endpoint's answer, or the lack of one, means for the delivery. */
final class Answers {
  private static final int GONE = 410;
  private static final int TOO_MANY_REQUESTS = 429;
  private static final int REQUEST_TIMEOUT = 408;
  private static final int TOO_EARLY = 425;

  private Answers() {}

  static Outcome outcome(HttpResponse response, Outcome.Response kept, Instant now) {
    int status = kept.status();
    String reason = reason(response);
    if (status >= 200 && status < 300) {
      return new Outcome.Succeeded(kept);
    }
    if (status == GONE) {
      return new Outcome.Permanent(reason + ": the endpoint is gone for good", true, kept);
    }
    if (status >= 300 && status < 400) {
      return new Outcome.Retryable(
          reason + ": redirects are not followed, register the new URL", null, kept);
    }
    boolean mayWish =
        status >= 500
            || status == TOO_MANY_REQUESTS
            || status == REQUEST_TIMEOUT
            || status == TOO_EARLY;
    // Other 4xx, too: receivers deploy fixes while a delivery waits.
    return new Outcome.Retryable(reason, mayWish ? wish(response, now) : null, kept);
  }

  /** An exchange that ended without a response. */
  static Outcome failure(IOException failed, URI url) {
    String to = url.getHost() + (url.getPort() < 0 ? "" : ":" + url.getPort());
    String what =
        switch (failed) {
          case UnknownHostException unknown -> "host not found: ";
          case ConnectTimeoutException slow -> "could not connect in time to " + to + ": ";
          case ConnectException refused -> "could not connect to " + to + ": ";
          case NoRouteToHostException unreachable -> "could not connect to " + to + ": ";
          case SSLException tls -> "TLS with " + to + " failed: ";
          case NoHttpResponseException closed -> to + " closed the connection without an answer: ";
          default ->
              failed.getCause() instanceof ProtocolException
                  ? to + " did not answer in HTTP: "
                  : "the connection to " + to + " broke: ";
        };
    String detail = failed.getMessage();
    return new Outcome.Retryable(
        what + (detail == null ? failed.getClass().getSimpleName() : detail));
  }

  /** Whether the endpoint took the request and then kept silent. */
  static boolean isResponseTimeout(IOException failed) {
    return failed instanceof SocketTimeoutException && !(failed instanceof ConnectTimeoutException);
  }

  private static String reason(HttpResponse response) {
    String phrase = response.getReasonPhrase();
    String text = "HTTP " + response.getCode();
    return phrase == null || phrase.isBlank() ? text : text + " " + printable(phrase);
  }

  private static String printable(String phrase) {
    String head = phrase.length() <= 100 ? phrase : phrase.substring(0, 100);
    return head.replaceAll("\\p{Cntrl}", "\uFFFD").strip();
  }

  private static @Nullable Duration wish(HttpResponse response, Instant now) {
    Header header = response.getFirstHeader("Retry-After");
    return header == null ? null : RetryAfter.parse(header.getValue(), now);
  }
}
