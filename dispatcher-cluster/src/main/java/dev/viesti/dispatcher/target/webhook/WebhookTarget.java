package dev.viesti.dispatcher.target.webhook;

import com.standardwebhooks.Webhook;
import com.standardwebhooks.exceptions.EmptyWebhookSecretException;
import com.standardwebhooks.exceptions.WebhookSigningException;
import dev.viesti.dispatcher.cloudevents.CloudEvents;
import dev.viesti.dispatcher.target.TargetRunner;
import dev.viesti.dispatcher.target.webhook.BreakerState.Admission;
import dev.viesti.dispatcher.target.webhook.BreakerState.Signal;
import dev.viesti.protocol.delivery.Outcome;
import dev.viesti.protocol.handler.HandlerCall;
import dev.viesti.protocol.trigger.Target;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.hc.client5.http.classic.methods.HttpPost;
import org.apache.hc.client5.http.config.RequestConfig;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.core5.http.ClassicHttpResponse;
import org.apache.hc.core5.http.ConnectionRequestTimeoutException;
import org.apache.hc.core5.http.ContentType;
import org.apache.hc.core5.http.HttpHost;
import org.apache.hc.core5.http.io.entity.ByteArrayEntity;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.io.Closer;

/**
 * Posts an event to an HTTP endpoint, signed by <a
 * href="https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md">Standard
 * Webhooks 1.0</a>. {@code webhook-id} is the delivery's id and the same in every attempt.
 * Redirects are not followed. Run it on virtual threads: only there an interrupt ends socket
 * operations.
 */
public final class WebhookTarget implements TargetRunner<Target.Webhook>, AutoCloseable {
  private static final ContentType CLOUD_EVENT = ContentType.create(CloudEvents.CONTENT_TYPE);
  private static final String USER_AGENT = "Viesti/" + version();

  private final WebhookSettings settings;
  private final Clock clock;
  private final Breakers breakers;
  private final AddressGuard guard;
  private final CloseableHttpClient client;
  private final ScheduledThreadPoolExecutor deadlines;
  private volatile boolean closed;

  public WebhookTarget(WebhookSettings settings, Clock clock) {
    this(settings, clock, AddressGuard.of(settings));
  }

  WebhookTarget(WebhookSettings settings, Clock clock, AddressGuard guard) {
    this.settings = settings;
    this.clock = clock;
    this.breakers = new Breakers(settings.breaker(), clock);
    this.guard = guard;
    this.client = WebhookClient.create(settings.pool(), guard);
    this.deadlines =
        new ScheduledThreadPoolExecutor(
            1, Thread.ofPlatform().daemon().name("viesti-webhook-deadlines").factory());
    this.deadlines.setRemoveOnCancelPolicy(true);
  }

  @Override
  public Outcome run(Target.Webhook target, HandlerCall call, Duration timeout)
      throws InterruptedException {
    if (target.secret() == null) {
      return new Outcome.Permanent("the webhook has no secret to sign with: register it again");
    }
    if (closed) {
      return new Outcome.Retryable("the node is stopping");
    }
    String endpoint = endpoint(target.url());
    Admission admission = breakers.admit(endpoint);
    Duration wait = admission.retryAfter();
    if (wait != null) {
      return new Outcome.Postponed(
          "breaker open: " + endpoint + " could not be reached too often in a row", wait);
    }
    Signal signal = Signal.NOTHING;
    try {
      Attempted attempted = attempt(target.url(), target.secret(), call, timeout);
      signal = attempted.signal();
      return attempted.outcome();
    } finally {
      breakers.ended(endpoint, admission, signal);
    }
  }

  /** Closes all connections; attempts that run end with an error. */
  @Override
  public void close() {
    closed = true;
    deadlines.shutdownNow();
    client.close(CloseMode.IMMEDIATE);
  }

  private record Attempted(Outcome outcome, Signal signal) {}

  private Attempted attempt(URI url, String secret, HandlerCall call, Duration timeout)
      throws InterruptedException {
    HttpPost request = request(url, secret, call);
    // Waiting for a connection and between two bytes; the deadline bounds them all together.
    request.setConfig(
        RequestConfig.copy(RequestConfig.DEFAULT)
            .setConnectionRequestTimeout(WebhookClient.timeout(timeout))
            .setResponseTimeout(WebhookClient.timeout(timeout))
            .setProtocolUpgradeEnabled(false)
            .setAuthenticationEnabled(false)
            .build());
    AtomicBoolean expired = new AtomicBoolean();
    Thread runner = Thread.currentThread();
    ScheduledFuture<?> deadline =
        deadlines.schedule(
            () -> {
              expired.set(true);
              request.abort();
              guard.giveUp(runner);
            },
            timeout.toMillis(),
            TimeUnit.MILLISECONDS);
    try {
      Answered answered = exchange(url, request);
      if (Thread.interrupted()) {
        throw new InterruptedException();
      }
      if (expired.get()) {
        return new Attempted(new Outcome.TimedOut(timeout), Signal.FAILING);
      }
      return new Attempted(
          answered.outcome(), isNobodyThere(answered.status()) ? Signal.FAILING : Signal.ALIVE);
    } catch (AddressGuard.RefusedException refused) {
      return new Attempted(
          new Outcome.Permanent(String.valueOf(refused.getMessage())), Signal.NOTHING);
    } catch (ConnectionRequestTimeoutException | CancellationException noneFree) {
      // Nothing was sent; the attempts that hold the connections tell how the endpoint is.
      return new Attempted(
          new Outcome.Retryable("no connection to " + endpoint(url) + " became free in time"),
          Signal.NOTHING);
    } catch (IOException failed) {
      if (Thread.interrupted()) {
        request.abort();
        throw new InterruptedException();
      }
      return expired.get() || Answers.isResponseTimeout(failed)
          ? new Attempted(new Outcome.TimedOut(timeout), Signal.FAILING)
          : new Attempted(Answers.failure(failed, url), Signal.FAILING);
    } finally {
      deadline.cancel(false);
    }
  }

  private record Answered(int status, Outcome outcome) {}

  private Answered exchange(URI url, HttpPost request) throws IOException {
    @SuppressWarnings("resource") // closed quietly below: closing an aborted one fails
    ClassicHttpResponse response = client.executeOpen(host(url), request, null);
    try {
      Outcome.Response kept = ResponseBody.keep(response, settings.responseBodyKept(), request);
      return new Answered(kept.status(), Answers.outcome(response, kept, clock.instant()));
    } finally {
      Closer.closeQuietly(response);
    }
  }

  private HttpPost request(URI url, String secret, HandlerCall call) {
    byte[] body = CloudEvents.renderStructured(call.event());
    HttpPost request = new HttpPost(url);
    request.setEntity(new ByteArrayEntity(body, CLOUD_EVENT));
    String id = call.delivery().toString();
    long timestamp = clock.instant().getEpochSecond();
    request.setHeader("User-Agent", USER_AGENT);
    request.setHeader(Webhook.UNBRANDED_MSG_ID_KEY, id);
    request.setHeader(Webhook.UNBRANDED_MSG_TIMESTAMP_KEY, Long.toString(timestamp));
    request.setHeader(Webhook.UNBRANDED_MSG_SIGNATURE_KEY, signature(secret, id, timestamp, body));
    request.setHeader("viesti-app", call.app().value());
    request.setHeader("viesti-trigger", call.trigger().value());
    request.setHeader("viesti-attempt", Integer.toString(call.attempt()));
    request.setHeader("viesti-epoch", Long.toString(call.epoch()));
    String traceparent = call.event().traceparent();
    if (traceparent != null && traceparent.chars().allMatch(c -> c > ' ' && c <= '~')) {
      request.setHeader("traceparent", traceparent);
    }
    return request;
  }

  private static String signature(String secret, String id, long timestamp, byte[] body) {
    try {
      // The library takes text and turns it back into the same UTF-8.
      return new Webhook(secret).sign(id, timestamp, new String(body, StandardCharsets.UTF_8));
    } catch (EmptyWebhookSecretException | WebhookSigningException impossible) {
      throw new IllegalStateException("a checked secret signs", impossible);
    }
  }

  private static HttpHost host(URI url) {
    return new HttpHost(url.getScheme(), url.getHost(), url.getPort());
  }

  /** The URL without its query: one server may have paths that work and paths that fail. */
  private static String endpoint(URI url) {
    String scheme = url.getScheme().toLowerCase(Locale.ROOT);
    int port = url.getPort() >= 0 ? url.getPort() : scheme.equals("https") ? 443 : 80;
    return scheme + "://" + url.getHost().toLowerCase(Locale.ROOT) + ":" + port + url.getRawPath();
  }

  /** A gateway says that what is behind it does not answer; other errors are about this event. */
  private static boolean isNobodyThere(int status) {
    return status == 502 || status == 504;
  }

  private static String version() {
    String version = WebhookTarget.class.getPackage().getImplementationVersion();
    return version == null ? "dev" : version;
  }
}
